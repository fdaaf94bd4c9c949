import Dashboard
import Formats
import Screen

/// A part of what `inspect` and `merge` say: a heading, a table, remarks.
struct InspectionTable {
  let heading: String
  /// The names of the columns first; a role says what a number means.
  let rows: [[Span]]
  var rightAligned: Set<Int> = []
  var remarks: [String] = []
  /// How far along the theme's gradient the ground of a cell is, 0 to 1, by row and column as in
  /// `rows`; empty for a plain table.
  var shares: [[Double?]] = []

  private var words: [[String]] { rows.map { $0.map(\.text) } }

  var lines: [String] {
    [heading] + TextTable.lines(words, rightAligned: rightAligned) + remarks
  }

  /// As a page shows it; the names are whole there.
  var page: (heading: String, rows: [[String]]) { (heading, words) }

  /// Writes the lines from `row` on.
  /// - Returns: the row after them.
  func draw(on grid: inout CellGrid, from row: Int, _ theme: Theme) -> Int {
    grid.write(heading, at: Point(column: 1, row: row), style: theme.style(.title))
    let widths = TextTable.widths(words)
    for (index, cells) in rows.enumerated() {
      var column = 1
      for (place, cell) in cells.enumerated() {
        let gap = rightAligned.contains(place) ? widths[place] - cell.text.count : 0
        let spot = Rect(
          origin: Point(column: column, row: row + 1 + index),
          size: Size(columns: widths[place], rows: 1))
        let style = style(of: cell, index, place, theme)
        if share(index, place) != nil { grid.fill(spot, style: style) }
        grid.write(
          cell.text, at: Point(column: column + gap, row: row + 1 + index), style: style)
        column += widths[place] + 2
      }
    }
    let end = row + 1 + rows.count
    for (index, remark) in remarks.enumerated() {
      grid.write(remark, at: Point(column: 1, row: end + index), style: theme.style(.faint))
    }
    return end + remarks.count
  }

  private func share(_ row: Int, _ column: Int) -> Double? {
    guard row < shares.count, column < shares[row].count else { return nil }
    return shares[row][column]
  }

  private func style(of cell: Span, _ row: Int, _ column: Int, _ theme: Theme) -> Style {
    guard let share = share(row, column) else {
      return theme.style(row == 0 ? .faint : cell.role)
    }
    return Style(
      foreground: theme.paper, background: theme.logitsGradient.color(at: share),
      role: Role.heat.rawValue)
  }
}

/// Tables below each other, as text, as a picture or as a page, and what they rest on as JSON.
struct InspectionReport {
  let title: String
  private(set) var tables: [InspectionTable] = []
  private var members: [(key: String, value: String)] = []

  init(title: String) { self.title = title }

  mutating func add(_ table: InspectionTable) { tables.append(table) }

  /// `json` is a value already.
  mutating func add(_ key: String, json: String) { members.append((key, json)) }

  var json: String { JSONLines.object(members) }

  var lines: [String] { tables.map(\.lines).joined(separator: [""]).map { $0 } }

  private func picture(_ tables: [InspectionTable], _ look: Look) -> CellGrid {
    let theme = look.appearance.theme
    let lines = tables.map(\.lines).joined(separator: [""]).map { $0 }
    let columns = max(80, (lines.map(\.count).max() ?? 0) + 2)
    var grid = CellGrid(
      columns: columns, rows: lines.count + 2, style: theme.style(.background))
    var row = 1
    for table in tables { row = table.draw(on: &grid, from: row, theme) + 1 }
    return grid
  }

  func writePicture(to path: String, theme: String?) throws {
    let look = try look(theme)
    try ScreenFile(path: path).write(
      picture(tables, look), title: title, theme: look.appearance.theme)
  }

  /// Heat maps are drawn above the tables.
  func writePage(to path: String, theme: String? = nil) throws {
    let maps = tables.filter { !$0.shares.isEmpty }
    let look = try look(theme)
    let drawing =
      maps.isEmpty
      ? ""
      : picture(maps, look).svg(
        title: title, background: look.appearance.theme.paper,
        foreground: look.appearance.theme.ink)
    let output = try OutputFile(path: path)
    let page = TablePage.html(
      title: title, kind: "Seismo", drawing: drawing, tables: tables.map(\.page))
    try output.write(Array(page.utf8))
    try output.finish()
  }

  private func look(_ theme: String?) throws -> Look {
    let look = try Look(theme: theme, depth: .rgb, symbols: .unicode)
    for warning in look.warnings { Seismo.report(warning) }
    return look
  }
}
