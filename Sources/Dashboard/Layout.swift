package import Screen

/// Where everything stands: the bars, and a rectangle for each pane that has room.
///
/// A pure function of the size and of what a person wants to see. Panes that do not fit are left
/// out in the order of their rank, so that what remains is of use.
package struct Layout: Sendable, Hashable {
  package var header: Rect
  package var banner: Rect
  package var bottomBar: Rect
  package var panes: [PaneID: Rect]
  /// Whether the events stand as one line without a border.
  package var hasEventLine: Bool

  /// The row above the keys, where passing words are said; empty where there are no panes.
  var messageRow: Rect {
    guard let row = panes.values.map({ $0.endRow }).max() else { return .empty }
    return Rect(column: header.column, row: row - 1, columns: header.columns, rows: 1)
  }

  static let smallestColumns = 20
  static let smallestRows = 5

  package init(
    size: Size, arrangement: Arrangement, isMixture: Bool, silent: Set<PaneID> = [],
    told: Set<PaneID> = [], hasBanner: Bool = false, isWall: Bool = false
  ) {
    let screen = Rect(column: 0, row: 0, columns: max(0, size.columns), rows: max(0, size.rows))
    panes = [:]
    hasEventLine = false
    let isTiny = screen.columns < Self.smallestColumns || screen.rows < Self.smallestRows
    let bannerRows = hasBanner && screen.rows >= 3 ? 1 : 0
    let headerRows = isTiny ? screen.rows - bannerRows : 1
    header = Self.rows(of: screen, from: 0, count: headerRows)
    banner = Self.rows(of: screen, from: headerRows, count: bannerRows)
    let barRows = !isTiny && screen.rows >= 8 ? 1 : 0
    bottomBar = Self.rows(of: screen, from: screen.rows - barRows, count: barRows)
    guard !isTiny else { return }
    let top = headerRows + bannerRows
    let body = Self.rows(of: screen, from: top, count: screen.rows - barRows - top)
    guard !isWall || arrangement.zoomed != nil else {
      placeWall(in: body)
      return
    }
    let wanted = arrangement.ranked(isMixture: isMixture, silent: silent, told: told)
    place(arrangement, wanted, in: body, bannerRows: bannerRows, isMixture: isMixture)
  }

  /// The wall and, where there is room, the line of events.
  private mutating func placeWall(in body: Rect) {
    guard body.columns > 0, body.rows > 0 else { return }
    hasEventLine = body.rows >= 12
    panes[.wall] = body.droppingBottom(hasEventLine ? 1 : 0)
    if hasEventLine { panes[.events] = body.bottom(1) }
  }

  /// A banner that comes makes panes smaller, and never fewer: nothing jumps when a run is paused.
  private mutating func place(
    _ arrangement: Arrangement, _ wanted: [PaneID], in body: Rect, bannerRows: Int,
    isMixture: Bool
  ) {
    guard body.columns > 0, body.rows > 0 else { return }
    if let zoomed = arrangement.zoomed {
      panes[zoomed] = body
      return
    }
    let charts = placeEvents(
      wanted: wanted, promoted: arrangement.promoted, in: body, bannerRows: bannerRows)
    let asked = arrangement.preset == .everything ? wanted : arrangement.asked
    let shown = Self.fitting(
      wanted.filter { $0 != .events }, promoted: asked, in: charts, bannerRows: bannerRows)
    let ordered = arrangement.ordered(isMixture: isMixture).filter(shown.contains)
    for (pane, rect) in Self.grid(ordered, in: charts) { panes[pane] = rect }
  }

  /// Gives the events their block or line and returns what is left of `body`.
  private mutating func placeEvents(
    wanted: [PaneID], promoted: [PaneID], in body: Rect, bannerRows: Int
  ) -> Rect {
    guard wanted.contains(.events) else { return body }
    guard wanted.count > 1 else {
      panes[.events] = body
      return Rect(column: body.column, row: body.row, columns: body.columns, rows: 0)
    }
    let isAskedFor = promoted.contains(.events)
    let rows = body.rows + bannerRows
    var count = min(max(rows * 9 / 40, 5), 9)
    if rows < 28 {
      hasEventLine = !isAskedFor
      count = isAskedFor ? (rows >= 12 ? 6 : 4) : (rows >= 14 ? 1 : 0)
    }
    guard count > 0, body.rows - count >= 3 else { return body }
    panes[.events] = Self.rows(of: body, from: body.rows - count, count: count)
    return Self.rows(of: body, from: 0, count: body.rows - count)
  }

  private static func rows(of rect: Rect, from row: Int, count: Int) -> Rect {
    Rect(
      column: rect.column, row: rect.row + max(0, row), columns: rect.columns, rows: max(0, count))
  }
}

extension Layout {
  static func columnCount(_ columns: Int) -> Int {
    columns < 64 ? 1 : columns < 150 ? 2 : 3
  }

  /// Whether the first pane takes the whole width above pairs of others.
  static func isFirstWide(columns: Int) -> Bool {
    columns >= 64 && columns < 100
  }

  /// The panes that have room: all that a person asked for, the rest while there is comfort.
  static func fitting(
    _ ranked: [PaneID], promoted: [PaneID], in area: Rect, bannerRows: Int
  ) -> Set<PaneID> {
    let limit = capacity(of: area, rowsEach: 4)
    var usual = area
    usual.rows += bannerRows
    let comfort = usual.rows < 14 ? 5 : usual.rows < 28 ? 9 : 11
    let comfortable = min(limit, capacity(of: usual, rowsEach: comfort))
    let possible = min(limit, capacity(of: usual, rowsEach: usual.rows < 14 ? 4 : 6))
    let asked = ranked.filter(promoted.contains).prefix(possible)
    let others = ranked.filter { !promoted.contains($0) }
    return Set(asked).union(others.prefix(max(0, comfortable - asked.count)))
  }

  private static func capacity(of area: Rect, rowsEach: Int) -> Int {
    guard area.rows > 0 else { return 0 }
    let lines = max(1, area.rows / rowsEach)
    let columns = columnCount(area.columns)
    return isFirstWide(columns: area.columns) && lines > 1
      ? 1 + (lines - 1) * columns
      : lines * columns
  }

  /// Lays panes out line by line; a line that is not full is shared out among those in it.
  static func grid(_ panes: [PaneID], in area: Rect) -> [(PaneID, Rect)] {
    guard !panes.isEmpty, area.rows > 0 else { return [] }
    let columns = columnCount(area.columns)
    if columns == 3, panes.count > 4, panes.count < 9, area.rows >= 6 * (panes.count - 4) {
      return mainAndSide(panes, in: area)
    }
    var lines: [[PaneID]] = []
    var rest = panes[...]
    if isFirstWide(columns: area.columns), panes.count > 2 || area.rows >= 12 {
      lines.append([rest.removeFirst()])
    }
    while !rest.isEmpty {
      lines.append(Array(rest.prefix(columns)))
      rest = rest.dropFirst(columns)
    }
    return stack(lines, in: area)
  }

  /// Two by two at the left, the others above one another at the right.
  private static func mainAndSide(_ panes: [PaneID], in area: Rect) -> [(PaneID, Rect)] {
    let side = area.columns * 3 / 10
    let (left, right) = (
      Rect(column: area.column, row: area.row, columns: area.columns - side, rows: area.rows),
      Rect(column: area.column + area.columns - side, row: area.row, columns: side, rows: area.rows)
    )
    let main = stack([Array(panes[0..<2]), Array(panes[2..<4])], in: left)
    return main + stack(panes[4...].map { [$0] }, in: right)
  }

  private static func stack(_ lines: [[PaneID]], in area: Rect) -> [(PaneID, Rect)] {
    let weights = lines.map { line in line.map(\.weight).max() ?? 1 }
    let heights = shares(of: area.rows, weights: weights, atLeast: 5)
    var row = area.row
    var placed: [(PaneID, Rect)] = []
    for (line, height) in zip(lines, heights) {
      let widths = shares(of: area.columns, weights: line.map { _ in 1 })
      var column = area.column
      for (pane, width) in zip(line, widths) {
        placed.append((pane, Rect(column: column, row: row, columns: width, rows: height)))
        column += width
      }
      row += height
    }
    return placed
  }

  /// Whole shares of `total` that sum to it: as much for each as all can have up to `least`, the
  /// rest in proportion to `weights`.
  static func shares(of total: Int, weights: [Int], atLeast least: Int = 0) -> [Int] {
    let base = min(least, total / max(1, weights.count))
    let rest = total - base * weights.count
    let sum = max(1, weights.reduce(0, +))
    var before = 0
    return weights.map { weight in
      let start = (rest * before + sum / 2) / sum
      before += weight
      return base + (rest * before + sum / 2) / sum - start
    }
  }
}
