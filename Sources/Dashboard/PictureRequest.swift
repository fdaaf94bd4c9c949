package import Screen

/// What a person asked to have written as SVG.
package struct PictureRequest: Sendable, Hashable {
  /// As typed; nil for a name that is not taken.
  package var file: String?
  /// Nil for the size of the screen.
  package var size: Size?

  package init(file: String? = nil, size: Size? = nil) {
    self.file = file
    self.size = size
  }
}

extension PictureRequest {
  /// Why words name no picture. The description is one line.
  enum Flaw: Error, Equatable, CustomStringConvertible {
    case size(String)
    case file(String)

    var description: String {
      switch self {
      case .size(let word):
        "'\(word)' is no size: give columns and rows up to 1000x1000, such as 160x50"
      case .file(let word):
        "'\(word)' is no SVG file: give a name that ends in .svg, or a size such as 160x50"
      }
    }
  }

  static let usage = "write FILE.svg 160x50"

  private static let heads = ["write"] + (CommandTable.aliases["write screen"] ?? [])

  /// Reads `write FILE.svg 160x50`, either part optional; nil where the words are about something
  /// else or name neither.
  init?(words: String) throws(Flaw) {
    var parts = words.split(separator: " ").map(String.init)
    guard let head = parts.first?.lowercased(), Self.heads.contains(head) else { return nil }
    parts.removeFirst()
    if head == "write", parts.first == "screen" { parts.removeFirst() }
    guard let last = parts.last, let first = parts.first else { return nil }
    if let size = Size(words: last) {
      self.size = size
      parts.removeLast()
    } else if let size = Size(words: first) {
      self.size = size
      parts.removeFirst()
    }
    guard !parts.isEmpty else { return }
    let name = parts.joined(separator: " ")
    guard name.lowercased().hasSuffix(".svg"), name.count > 4 else {
      throw Self.flaw(of: parts)
    }
    file = name
  }

  /// A word after a file's name, or one of digits, was meant as a size.
  private static func flaw(of parts: [String]) -> Flaw {
    let last = parts.last ?? ""
    let isAfterFile = parts.dropLast().last?.lowercased().hasSuffix(".svg") ?? false
    let isNumeric =
      last.contains(where: \.isNumber) && last.allSatisfy { "0123456789xX-".contains($0) }
    return isAfterFile || isNumeric ? .size(last) : .file(parts.joined(separator: " "))
  }

  /// What will be written, in a few words.
  func sentence(_ state: DashboardState) -> String {
    guard let size else { return "the screen as it is" }
    let subject = state.arrangement.zoomed.map { "\($0.title) alone" } ?? "the screen"
    return "\(subject), \(size.columns) columns and \(size.rows) rows"
  }
}

extension Size {
  /// Reads `120x40`; nil for anything else, and beyond 1,000 either way.
  package init?(words: String) {
    let parts = words.lowercased().split(separator: "x", omittingEmptySubsequences: false)
    guard parts.count == 2, let columns = Int(parts[0]), let rows = Int(parts[1]),
      (1...1000).contains(columns), (1...1000).contains(rows)
    else { return nil }
    self.init(columns: columns, rows: rows)
  }
}

/// The screen as a file shows it: without boxes and passing words, but with the list of runs, which
/// is a screen of its own; and where a size is asked for while a pane is zoomed, that pane alone.
package func picture(_ state: DashboardState, size: Size? = nil) -> CellGrid {
  var state = state
  state.layers = state.layers.filter(\.isScreen)
  state.toast = nil
  state.showsHelpHint = false
  state.appearance.theme = state.appearance.theme.withAllColors
  guard let size else { return view(state) }
  state.size = size
  guard state.layers.isEmpty else { return view(state) }
  guard let pane = state.arrangement.zoomed else { return view(state) }
  var grid = CellGrid(size: size, style: state.appearance.theme.style(.background))
  PaneFrame(pane).draw(on: &grid, in: grid.bounds, state)
  grid.adapt(to: state.appearance.symbols)
  return grid
}
