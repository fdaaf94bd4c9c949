import Dashboard
import Foundation
import Runs
import TOMLKit

/// What the dashboard remembers from one time to the next: the theme and the arrangement of panes
/// that a person chose, the metrics that were pinned, the lines that were run in the palette, and
/// that it has told of the help.
///
/// It is no configuration: it is written by the program, into the folder for such things, by
/// rename.
struct DashboardMemory: Equatable {
  var theme: String?
  var arrangement: Arrangement?
  /// Whether a dashboard has said by which keys a pane is explained.
  var knowsHelp = false
  /// The newest last.
  var commands: [String] = []
  /// The charts that stand at the head of the wall, by project.
  var wallHeads: [String: [String]] = [:]

  /// Nil where there is no home.
  static var path: String? { StateFolder.path.map { $0 + "/dashboard.toml" } }

  /// What was remembered last, and what is wrong with its file, in a line.
  static func read(
    at path: String? = DashboardMemory.path
  ) -> (memory: DashboardMemory, warning: String?) {
    guard let path, FileManager.default.fileExists(atPath: path) else {
      return (DashboardMemory(), nil)
    }
    guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
      return (DashboardMemory(), "\(path): cannot be read as UTF-8 text: the usual look is shown")
    }
    return parse(text, path: path)
  }

  static func parse(_ text: String, path: String) -> (memory: DashboardMemory, warning: String?) {
    let table: TOMLTable
    do {
      table = try TOMLText.table(text)
    } catch {
      let place = error.line.map { "\(path):\($0)" } ?? path
      return (DashboardMemory(), "\(place): \(error.reason): the usual look is shown")
    }
    var memory = DashboardMemory()
    memory.theme = table["theme"]?.string
    memory.knowsHelp = table["knows_help"]?.bool ?? false
    let commands = table["commands"]?.array.map { $0.compactMap(\.string) } ?? []
    memory.commands = commands.suffix(DashboardState.commandHistoryLimit)
    for (project, titles) in table["wall"]?.table ?? TOMLTable() {
      memory.wallHeads[project] = titles.array?.compactMap(\.string)
    }
    guard let word = table["layout"]?.string else { return (memory, nil) }
    guard let preset = LayoutPreset(rawValue: word) else {
      let known = LayoutPreset.allCases.map(\.rawValue).joined(separator: ", ")
      let line = TOMLLines.of(text)["layout"] ?? 1
      return (memory, "\(path):\(line): no layout '\(word)': write one of \(known)")
    }
    let pins = (table["pins"]?.array).map { $0.compactMap(\.string) } ?? []
    memory.arrangement = Arrangement(
      preset: preset, promoted: panes(table["shown"]), hidden: Set(panes(table["hidden"])),
      pins: pins.map(PaneID.pinned).filter { $0.globs != nil })
    return (memory, nil)
  }

  /// A pane of another version is no mistake: it is left out.
  private static func panes(_ value: (any TOMLValueConvertible)?) -> [PaneID] {
    (value?.array).map { array in array.compactMap { $0.string.flatMap(PaneID.init) } } ?? []
  }

  private static let heading =
    "# Written by seismo: the look that was chosen last, and what was typed after ':'."

  var text: String {
    func words(_ panes: [PaneID]) -> String {
      "[" + panes.map { Self.quoted($0.rawValue) }.joined(separator: ", ") + "]"
    }
    var lines = [Self.heading]
    if let theme { lines.append("theme = \(Self.quoted(theme))") }
    if knowsHelp { lines.append("knows_help = true") }
    if let arrangement {
      lines += [
        "layout = \"\(arrangement.preset.rawValue)\"",
        "shown = " + words(arrangement.promoted),
        "hidden = " + words(arrangement.hidden.sorted { $0.rawValue < $1.rawValue }),
      ]
    }
    if let pins = arrangement?.pins.compactMap(\.globs), !pins.isEmpty {
      lines.append("pins = [" + pins.map(Self.quoted).joined(separator: ", ") + "]")
    }
    if !commands.isEmpty {
      lines += ["commands = ["] + commands.map { "  \(Self.quoted($0))," } + ["]"]
    }
    if !wallHeads.isEmpty {
      lines.append("[wall]")
      lines += wallHeads.sorted { $0.key < $1.key }.map { project, titles in
        "\(Self.quoted(project)) = [" + titles.map(Self.quoted).joined(separator: ", ") + "]"
      }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// A TOML string; what is no printable character is left out.
  private static func quoted(_ text: String) -> String {
    let scalars = text.unicodeScalars.filter { $0.value >= 0x20 && $0.value != 0x7F }
    return TOMLText.quoted(String(String.UnicodeScalarView(scalars)))
  }

  /// Adds a line to those that are written down; the newest stay.
  mutating func add(command: String) {
    commands = commands.filter { $0 != command } + [command]
    commands = commands.suffix(DashboardState.commandHistoryLimit)
  }

  /// Takes over what one dashboard has changed since it read or wrote last; lines are added one by
  /// one.
  mutating func take(_ next: DashboardMemory, changedFrom before: DashboardMemory) {
    if next.theme != before.theme { theme = next.theme }
    if next.arrangement != before.arrangement { arrangement = next.arrangement }
    for (project, titles) in next.wallHeads where before.wallHeads[project] != titles {
      wallHeads[project] = titles
    }
    knowsHelp = knowsHelp || next.knowsHelp
  }

  /// Changes what is written down at `path`: it is read, changed and written again while no other
  /// dashboard does. A folder that cannot be written to costs the memory, not the run.
  static func change(
    at path: String? = DashboardMemory.path, _ body: (inout DashboardMemory) -> Void
  ) {
    guard let path else { return }
    let file = URL(fileURLWithPath: path)
    let folder = file.deletingLastPathComponent()
    try? FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let lock = open(folder.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    defer { if lock >= 0 { close(lock) } }
    while lock >= 0, flock(lock, LOCK_EX) != 0, errno == EINTR {}
    var (memory, _) = read(at: path)
    body(&memory)
    try? Data(memory.text.utf8).write(to: file, options: .atomic)
  }
}

/// Where the program writes down what is no configuration: `$XDG_STATE_HOME/seismo`.
enum StateFolder {
  /// Nil where there is no home.
  static var path: String? {
    let environment = ProcessInfo.processInfo.environment
    let given = environment["XDG_STATE_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil }
    let home = environment["HOME"].map { $0 + "/.local/state" }
    return (given ?? home).map { $0 + "/seismo" }
  }

  /// Terminal descriptions of our own.
  static var terminfo: String? { path.map { $0 + "/terminfo" } }
}
