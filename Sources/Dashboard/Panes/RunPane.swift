import Screen
import Signals
import Telemetry

/// What the run is, and the settings in force at the playhead.
enum RunPane {
  static let pane = Pane(
    id: .run, title: "run and settings", minimumRows: 3, weight: 1,
    explanation: """
      The model, the data, the optimiser and the mitigations, each value once and as it is in \
      force at this step; what is as the preset has it is faint, what differs is bright, what was \
      changed while the run went on stands on top in pink. Change a setting with m, take the \
      change back with u.
      """,
    headline: headline, draw: draw)

  private static func headline(_ context: PaneContext) -> [Span] {
    guard let description = context.description else { return [] }
    let name = [Span(description.name, .text)]
    let preset = description.options["preset"]
    guard let preset, !context.defaults.isEmpty else { return name }
    let count = RunFacts(context).unlikePreset
    let words = count == 0 ? "all as \(preset) has it" : "\(count) unlike \(preset)"
    return name + [Span(" · ", .faint), Span(words, .faint)]
  }

  private static func draw(_ grid: inout CellGrid, _ rect: Rect, _ context: PaneContext) {
    let groups = RunFacts(context).groups
    guard !groups.isEmpty else {
      return context.drawWaiting(into: &grid, rect, "the run has not said what it is")
    }
    let page = Page(groups, in: rect)
    let first = min(context.scroll, page.scrollLimit)
    var place = rect
    for column in page.columns {
      let room = place.left(column.width)
      for (row, line) in column.lines.dropFirst(first).prefix(room.rows).enumerated() {
        draw(line, nameColumns: column.names, into: &grid, room.droppingTop(row), context)
      }
      place = place.droppingLeft(column.width + Page.gap)
    }
  }

  private static func draw(
    _ line: Page.Line, nameColumns: Int, into grid: inout CellGrid, _ rect: Rect,
    _ context: PaneContext
  ) {
    guard !line.isHeading else {
      grid.write(
        line.name, at: rect.origin, style: context.style(.title), maxColumns: rect.columns)
      return
    }
    grid.write(line.name, at: rect.origin, style: context.style(.faint), maxColumns: rect.columns)
    let value = rect.droppingLeft(nameColumns)
    let role: Role =
      switch line.standing {
      case .changed: .person
      case .own: .text
      case .usual: .faint
      }
    grid.write(line.value, at: value.origin, style: context.style(role), maxColumns: value.columns)
  }

  /// By how many rows the list can be scrolled where it is drawn in `rect`.
  static func scrollLimit(in rect: Rect, _ context: PaneContext) -> Int {
    Page(RunFacts(context).groups, in: rect).scrollLimit
  }
}

extension RunPane {
  /// The facts in as many columns as they need and have room for; a long value takes several lines.
  struct Page {
    struct Line {
      var name = ""
      var value = ""
      var isHeading = false
      var standing = RunFacts.Standing.own
    }

    struct Column {
      var lines: [Line]

      /// Of names and the gap after them.
      var names: Int {
        (lines.filter { !$0.isHeading }.map { TextWidth.columns(of: $0.name) }.max() ?? 0) + 2
      }

      var width: Int { names + (lines.map { TextWidth.columns(of: $0.value) }.max() ?? 0) }
    }

    static let gap = 3
    /// The longest values that are tried before they take several lines, the longest first.
    private static let valueColumns = [200, 48, 40, 32, 26, 20, 16, 12]

    private(set) var columns: [Column] = []
    private let rows: Int

    init(_ groups: [RunFacts.Group], in rect: Rect) {
      rows = rect.rows
      for count in 1...4 {
        for limit in Self.valueColumns {
          let lines = Self.lines(groups, valueColumns: limit)
          let shared = Self.shared(lines, among: count, rows: rows).map { Column(lines: $0) }
          let width = shared.reduce(-Self.gap) { $0 + $1.width + Self.gap }
          guard width <= rect.columns || (columns.isEmpty && limit == 12) else { continue }
          columns = shared
          if shared.allSatisfy({ $0.lines.count <= rows }) { return }
          break
        }
      }
    }

    var scrollLimit: Int { max(0, (columns.map(\.lines.count).max() ?? 0) - rows) }

    private static func lines(_ groups: [RunFacts.Group], valueColumns: Int) -> [[Line]] {
      groups.map { group in
        [Line(name: group.title, isHeading: true)]
          + group.facts.flatMap { fact in
            TextWidth.wrapped(fact.value, to: max(8, valueColumns)).enumerated().map {
              Line(name: $0 == 0 ? fact.name : "", value: $1, standing: fact.standing)
            }
          }
      }
    }

    /// Groups one below the other, an empty line between them, over columns of like height; only
    /// where a group is too long for that is it divided.
    private static func shared(_ groups: [[Line]], among count: Int, rows: Int) -> [[Line]] {
      let all = groups.reduce(0) { $0 + $1.count + 1 } - 1
      let height = max(min(rows, all), (all + count - 1) / max(1, count) + 1)
      var columns: [[Line]] = [[]]
      for group in groups {
        let isLast = columns.count == count
        let taken = columns[columns.count - 1].count
        if !isLast, taken > 0, taken + 1 + group.count > height, taken > height / 3 {
          columns.append([])
        }
        if !columns[columns.count - 1].isEmpty { columns[columns.count - 1].append(Line()) }
        for line in group {
          if columns.count < count, columns[columns.count - 1].count >= height {
            columns.append([])
          }
          columns[columns.count - 1].append(line)
        }
      }
      return columns
    }
  }
}

extension PaneID {
  package static let run = PaneID("run")
}
