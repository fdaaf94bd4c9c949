import Screen

/// Where the charts of a wall stand: in lines, as many to a page as have room.
///
/// A pure function of the tiles and the room. Families, which are drawn as fields, have lines of their
/// own; the first chart of the head is twice as wide as the others where there are columns enough.
struct WallLayout: Sendable, Equatable {
  struct Slot: Sendable, Equatable {
    /// Its place among the tiles.
    let tile: Int
    let page: Int
    let rect: Rect
  }

  /// The words above the first chart of a group in a line.
  struct Heading: Sendable, Equatable {
    let tile: Int
    let page: Int
    let rect: Rect
  }

  private(set) var lines: [[Slot]] = []
  private(set) var headings: [Heading] = []
  private(set) var pageCount = 0
  /// Charts side by side, where they are no families.
  let columns: Int

  /// A chart is no narrower than this unless a person says so.
  private static let comfortableColumns = 38
  static let narrowest = 16
  /// So many columns are enough for one more chart in a line, where it would have one alone else.
  private static let loneliest = 26
  static let mostColumns = 12

  /// How a wall is laid out.
  struct Style: Sendable, Hashable {
    /// Whether each chart has a border; it has a row for its title in any case.
    var isBoxed: Bool
    /// Whether groups have headings.
    var isGrouped: Bool
    /// Charts side by side, where a person chose.
    var columns: Int?

    /// Rows that a chart takes at least; where there are few at all, as few as say something.
    func height(isFamily: Bool, in area: Rect) -> Int {
      guard area.rows >= 14 else { return isFamily ? 4 : 3 }
      return isFamily ? (isBoxed ? 9 : 6) : (isBoxed ? 6 : 4)
    }
  }

  init(_ tiles: [WallTile], headCount: Int, in area: Rect, _ style: Style) {
    let most = max(1, min(Self.mostColumns, area.columns / Self.comfortableColumns))
    let chosen = style.columns.map { max(1, min($0, area.columns / Self.narrowest)) }
    columns =
      chosen ?? Self.balanced(tiles, headCount: headCount, in: area, style, most: most)
    guard !tiles.isEmpty, !area.isEmpty else { return }
    let rows = Self.rows(tiles, headCount: headCount, columns: columns, in: area, style)
    for (page, part) in Self.pages(rows, in: area).enumerated() {
      place(part, on: page, in: area, tiles)
    }
    pageCount = (lines.last?.first?.page ?? -1) + 1
  }

  /// Where all fit on one page, as many columns as leave the fewest places empty.
  private static func balanced(
    _ tiles: [WallTile], headCount: Int, in area: Rect, _ style: Style, most: Int
  ) -> Int {
    func waste(_ columns: Int) -> Int? {
      let rows = rows(tiles, headCount: headCount, columns: columns, in: area, style)
      guard pages(rows, in: area).count == 1 else { return nil }
      return rows.reduce(0) { $0 + max(0, $1.capacity - $1.slots) }
    }
    guard tiles.count <= most * 8, waste(most) != nil else { return most }
    let choices = (1...most).compactMap { columns in waste(columns).map { (columns, $0) } }
    return choices.min { ($0.1, -$0.0) < ($1.1, -$1.0) }?.0 ?? most
  }

  /// A line before it has its place.
  private struct Row {
    var tiles: Range<Int>
    /// Slots that there are, and how many the first chart takes.
    var capacity: Int
    var first = 1
    var isFamilies: Bool
    /// The tiles above which a heading stands.
    var starts: [Int] = []
    var least: Int

    var slots: Int { tiles.count + first - 1 }
  }

  private static func rows(
    _ tiles: [WallTile], headCount: Int, columns: Int, in area: Rect, _ style: Style
  ) -> [Row] {
    var rows: [Row] = []
    var next = 0
    while next < tiles.count {
      let isFamilies = tiles[next].isFamily
      let capacity = isFamilies ? max(1, (columns * 3 + 3) / 4) : columns
      let isHead = next < headCount
      var end = next + 1
      func isAlike(_ index: Int) -> Bool {
        tiles[index].isFamily == isFamilies && (index < headCount) == isHead
      }
      while end < tiles.count, end - next < capacity, isAlike(end) { end += 1 }
      // A chart that would stand in a line alone goes where it can be seen as well.
      let isLast = end + 1 == tiles.count || end + 1 < tiles.count && !isAlike(end + 1)
      if end < tiles.count, isAlike(end), isLast, capacity >= 3,
        area.columns / (capacity + 1) >= loneliest
      {
        end += 1
      }
      var row = Row(
        tiles: next..<end, capacity: max(capacity, end - next), isFamilies: isFamilies,
        least: style.height(isFamily: isFamilies, in: area))
      if isHead, !isFamilies, columns >= 3, next == 0, end - next < capacity {
        row.first = min(2, capacity - (end - next) + 1)
      }
      if style.isGrouped, !isHead {
        row.starts = row.tiles.filter { index in
          index == max(headCount, 0) || index == 0 || tiles[index].group != tiles[index - 1].group
        }
      }
      rows.append(row)
      next = end
    }
    return rows
  }

  /// Rows a line takes at least, with its headings.
  private static func height(_ row: Row) -> Int {
    row.least + (row.starts.isEmpty ? 0 : 1)
  }

  private static func pages(_ rows: [Row], in area: Rect) -> [[Row]] {
    var pages: [[Row]] = []
    var used = 0
    for row in rows {
      let height = height(row)
      if pages.isEmpty || used + height > area.rows {
        pages.append([row])
        used = height
      } else {
        pages[pages.count - 1].append(row)
        used += height
      }
    }
    return pages
  }

  /// A page's lines share its rows: what is left over goes to all of them, twice to families.
  private mutating func place(_ rows: [Row], on page: Int, in area: Rect, _ tiles: [WallTile]) {
    let least = rows.map { min(area.rows, Self.height($0)) }
    let rest = max(0, area.rows - least.reduce(0, +))
    let extra = Layout.shares(of: rest, weights: rows.map { $0.isFamilies ? 2 : 1 })
    var top = area.row
    for (row, height) in zip(rows, zip(least, extra).map(+)) {
      let line = Rect(column: area.column, row: top, columns: area.columns, rows: height)
        .intersection(area)
      top += height
      let charts = line.droppingTop(row.starts.isEmpty ? 0 : 1)
      let slots = Self.rects(of: row, in: charts)
      lines.append(zip(row.tiles, slots).map { Slot(tile: $0, page: page, rect: $1) })
      for (place, start) in row.starts.enumerated() {
        let from = slots[start - row.tiles.lowerBound].column
        let to =
          place + 1 < row.starts.count
          ? slots[row.starts[place + 1] - row.tiles.lowerBound].column : line.endColumn
        headings.append(
          Heading(
            tile: start, page: page,
            rect: Rect(column: from, row: line.row, columns: to - from, rows: min(1, line.rows))))
      }
    }
  }

  /// A line that is nearly full is shared out among its charts, else each has its column.
  private static func rects(of row: Row, in line: Rect) -> [Rect] {
    let isShared = row.isFamilies || row.slots * 2 >= row.capacity
    let count = isShared ? row.slots : row.capacity
    let widths = Layout.shares(of: line.columns, weights: Array(repeating: 1, count: count))
    var column = line.column
    var slot = 0
    return row.tiles.enumerated().map { place, _ in
      let taken = place == 0 ? row.first : 1
      let width = widths[slot..<min(slot + taken, widths.count)].reduce(0, +)
      slot += taken
      defer { column += width }
      return Rect(column: column, row: line.row, columns: width, rows: line.rows)
    }
  }
}

extension WallLayout {
  func slots(on page: Int) -> [Slot] { lines.filter { $0.first?.page == page }.flatMap(\.self) }

  func slot(of tile: Int) -> Slot? { lines.lazy.flatMap(\.self).first { $0.tile == tile } }

  /// The tile at which a page begins.
  func firstTile(ofPage page: Int) -> Int? { lines.first { $0.first?.page == page }?.first?.tile }

  /// The nearest tile in the line above or below, on whatever page it is; nil beyond the ends.
  func tile(from tile: Int, rows: Int) -> Int? {
    guard let line = lines.firstIndex(where: { $0.contains { $0.tile == tile } }),
      lines.indices.contains(line + rows), let from = lines[line].first(where: { $0.tile == tile })
    else { return nil }
    let middle = from.rect.column * 2 + from.rect.columns
    return lines[line + rows].min {
      abs($0.rect.column * 2 + $0.rect.columns - middle)
        < abs($1.rect.column * 2 + $1.rect.columns - middle)
    }?.tile
  }

  /// The neighbour in the same line.
  func tile(from tile: Int, columns: Int) -> Int? {
    guard let line = lines.first(where: { $0.contains { $0.tile == tile } }) else { return nil }
    return line.contains { $0.tile == tile + columns } ? tile + columns : nil
  }
}
