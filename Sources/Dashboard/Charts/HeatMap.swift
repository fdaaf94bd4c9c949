import Foundation
import Screen
import Signals

/// Rows of series over time as colour, finer than a cell: two columns of steps in each where a row
/// has cells of its own, two rows in each where it has not.
struct HeatMap: Sendable {
  struct Row: Sendable {
    var name: String
    /// Several share a row where there is not a row for each.
    var series: [Series]
    /// The present value, in words.
    var text: String
    var role: Role = .text
  }

  /// A value below which a cell has an alarm's colour, whatever the gradient says. What is 0 was
  /// not measured below it: it is not there at all.
  struct Floor: Sendable {
    var value: Double
    var role: Role
    /// What the legend calls what lies below it.
    var name: String
  }

  /// What stands for several values in one place.
  enum Chosen: Sendable {
    case largest
    /// The one nearest to a floor; 0 only where all are.
    case smallestAboveZero

    func callAsFunction(_ values: some Sequence<Double>) -> Double? {
      var largest: Double?
      var least: Double?
      for value in values {
        if largest.map({ $0 < value }) ?? true { largest = value }
        if !(value <= 0), least.map({ value < $0 }) ?? true { least = value }
      }
      return self == .largest ? largest : least ?? largest
    }
  }

  var rows: [Row]
  /// From a value to a share of the colour scale.
  var scale: ValueScale
  var gradient: Gradient
  /// Values above this are trouble whatever the colours can show.
  var limit: Double
  /// The columns for names and numbers beside the field.
  var gutter: Int
  /// The columns left blank right of the field, for names at the ends of a chart's lines below it.
  var margin = 0
  /// The lowest first.
  var floors: [Floor] = []
  var chosen = Chosen.largest
  /// The value whose power of ten is the digit 0, where digits stand for colours.
  var origin = 1.0
  /// Whether the rows fill the height, some higher than others, and are named one by one.
  var fills = false

  func draw(into grid: inout CellGrid, _ rect: Rect, _ context: PaneContext) {
    guard !rect.isEmpty, !rows.isEmpty else { return }
    let field = rect.droppingLeft(gutter).droppingRight(margin)
    let time = TimeScale(context, columns: field.columns)
    guard !fills else { return drawFilling(field, time, into: &grid, context) }
    let used =
      rows.count <= rect.rows
      ? drawTall(field, time, into: &grid, context) : drawHalved(field, time, into: &grid, context)
    drawCursor(time, into: &grid, field.top(used), context)
  }

  /// Each row has rows of cells of its own; gives how many all have.
  private func drawTall(
    _ field: Rect, _ time: TimeScale, into grid: inout CellGrid, _ context: PaneContext
  ) -> Int {
    let perRow = field.rows / rows.count
    for (index, row) in rows.enumerated() {
      let line = field.droppingTop(index * perRow).top(perRow)
      drawPairs(values([row], time, context), into: &grid, line, context)
      drawNames([row], into: &grid, line, context)
    }
    return perRow * rows.count
  }

  /// Half a cell's height shows one or more rows; gives how many rows of cells that takes.
  private func drawHalved(
    _ field: Rect, _ time: TimeScale, into grid: inout CellGrid, _ context: PaneContext
  ) -> Int {
    let lines = field.rows * 2
    let perLine = max(1, (rows.count + lines - 1) / lines)
    let groups = stride(from: 0, to: rows.count, by: perLine).map { start in
      Array(rows[start..<min(start + perLine, rows.count)])
    }
    for (index, pair) in stride(from: 0, to: groups.count, by: 2).enumerated() {
      let line = field.droppingTop(index).top(1)
      let upper = values(groups[pair], time, context)
      let lower = pair + 1 < groups.count ? values(groups[pair + 1], time, context) : nil
      drawHalves(upper, lower, into: &grid, line, context)
      let named = groups[pair] + (pair + 1 < groups.count ? groups[pair + 1] : [])
      drawNames(named, into: &grid, line, context)
    }
    return (groups.count + 1) / 2
  }

  /// Each half of a cell's height shows the rows that fall to it; a cell whose halves show the same has
  /// two columns of time instead.
  private func drawFilling(
    _ field: Rect, _ time: TimeScale, into grid: inout CellGrid, _ context: PaneContext
  ) {
    let halves = field.rows * 2
    func range(_ half: Int) -> Range<Int> {
      let first = half * rows.count / halves
      return first..<max(first + 1, (half + 1) * rows.count / halves)
    }
    var known: (range: Range<Int>, values: [Double?])?
    func values(of half: Int) -> [Double?] {
      let range = range(half)
      if let known, known.range == range { return known.values }
      let found = self.values(Array(rows[range]), time, context)
      known = (range, found)
      return found
    }
    for row in 0..<field.rows {
      let line = Rect(
        column: field.column, row: field.row + row, columns: field.columns, rows: 1)
      let upper = values(of: row * 2)
      if range(row * 2) == range(row * 2 + 1) {
        drawPairs(upper, into: &grid, line, context)
      } else {
        drawHalves(upper, values(of: row * 2 + 1), into: &grid, line, context)
      }
      let member = range(row * 2).lowerBound
      guard row == 0 || range(row * 2 - 2).lowerBound != member else { continue }
      drawNames([rows[member]], into: &grid, line, context)
    }
    drawCursor(time, into: &grid, field, context)
  }

  /// The cursor's line goes on through the field; the numbers beside it are those at the cursor.
  private func drawCursor(
    _ time: TimeScale, into grid: inout CellGrid, _ rect: Rect, _ context: PaneContext
  ) {
    guard let step = context.cursorStep, let column = time.column(of: step) else { return }
    for row in rect.row..<rect.endRow {
      let place = Point(column: rect.column + column, row: row)
      var style = context.style(.cursor)
      style.background = grid[place.column, place.row].style.background
      grid[place.column, place.row] = Cell(context.symbols.vertical, style: style)
    }
  }

  /// The largest value of each column of dots; what is not finite counts as infinite.
  private func values(
    _ series: Series, _ time: TimeScale, _ context: PaneContext
  ) -> [Double?] {
    let edges = time.edges.map { min($0, context.playhead + 1) }
    var last: Double?
    var result = Self.maxima(series, edges)
    let end = edges.lastIndex { $0 <= context.playhead } ?? 0
    for index in result.indices where index <= end {
      last = result[index] ?? last
      result[index] = last
    }
    return result
  }

  /// Of few samples it is quicker to go through them than to ask for each column.
  private static func maxima(_ series: Series, _ edges: [Int]) -> [Double?] {
    guard let start = edges.first, let end = edges.last, edges.count > 1 else { return [] }
    let range = series.index(atOrAfter: start)..<series.index(atOrAfter: end)
    guard range.count <= 4 * edges.count else {
      return series.columns(edges: edges).map {
        $0.isEmpty ? nil : ($0.nonFiniteCount > 0 ? .infinity : $0.maximum)
      }
    }
    var maxima = [Double?](repeating: nil, count: edges.count - 1)
    let (steps, values) = series.samples(in: range)
    var column = 0
    for (step, value) in zip(steps, values) {
      while column + 2 < edges.count, edges[column + 1] <= step { column += 1 }
      let value = value.isFinite ? value : .infinity
      maxima[column] = maxima[column].map { max($0, value) } ?? value
    }
    return maxima
  }

  private func values(
    _ rows: [Row], _ time: TimeScale, _ context: PaneContext
  ) -> [Double?] {
    let all = rows.flatMap(\.series).map { values($0, time, context) }
    guard all.count != 1 else { return all[0] }
    return (0..<time.dotColumns).map { x in chosen(all.lazy.compactMap { $0[x] }) }
  }
}

extension HeatMap {
  private func color(_ value: Double, _ context: PaneContext) -> Color {
    if let role = alarm(of: value) { return context.style(role).foreground }
    if isAbsent(value) { return context.style(.track).foreground }
    let share = scale.share(of: value)
    return gradient.color(at: share == -.infinity ? 0 : share)
  }

  /// Where small values alarm, none at all is no alarm.
  private func isAbsent(_ value: Double) -> Bool { value == 0 && !floors.isEmpty }

  private func alarm(of value: Double) -> Role? {
    guard value.isFinite else { return .trouble }
    return value > 0 ? floors.first { value < $0.value }?.role : nil
  }

  private func drawPairs(
    _ values: [Double?], into grid: inout CellGrid, _ rect: Rect, _ context: PaneContext
  ) {
    for column in 0..<rect.columns where column * 2 + 1 < values.count {
      let (left, right) = (values[column * 2], values[column * 2 + 1])
      guard let present = Self.larger(left, right) else { continue }
      for row in rect.row..<rect.endRow {
        grid[rect.column + column, row] =
          context.theme.hasGradients && !context.symbols.isASCII
          ? pair(left, right, "▌", context) : digit(present, context)
      }
    }
  }

  private static func larger(_ one: Double?, _ other: Double?) -> Double? {
    guard let one, let other else { return one ?? other }
    return max(one, other)
  }

  private func drawHalves(
    _ upper: [Double?], _ lower: [Double?]?, into grid: inout CellGrid, _ rect: Rect,
    _ context: PaneContext
  ) {
    for column in 0..<rect.columns where column * 2 + 1 < upper.count {
      func value(_ row: [Double?]?) -> Double? {
        row.flatMap { chosen($0[column * 2...column * 2 + 1].lazy.compactMap { $0 }) }
      }
      let (top, bottom) = (value(upper), value(lower))
      guard let present = Self.larger(top, bottom) else { continue }
      grid[rect.column + column, rect.row] =
        context.theme.hasGradients && !context.symbols.isASCII
        ? pair(top, bottom, "▀", context) : digit(present, context)
    }
  }

  private func pair(
    _ first: Double?, _ second: Double?, _ half: Unicode.Scalar, _ context: PaneContext
  ) -> Cell {
    var style = context.style(.heat)
    if let second { style.background = color(second, context) }
    guard let first else { return Cell(half == "▌" ? "▐" : "▄", style: inverse(style, second)) }
    style.foreground = color(first, context)
    return Cell(half, style: style)
  }

  /// Only the second half is there: it is the one that is drawn.
  private func inverse(_ style: Style, _ second: Double?) -> Style {
    var style = style
    style.foreground = style.background
    style.background = .terminalDefault
    return style
  }

  /// The power of ten on a logarithmic scale, tenths on a linear one.
  private func digit(_ value: Double, _ context: PaneContext) -> Cell {
    guard value.isFinite else { return Cell("!", style: context.style(.trouble)) }
    guard !isAbsent(value) else { return Cell("·", style: context.style(.track)) }
    let share = min(max(scale.share(of: value), 0), 1)
    let level = scale.kind == .logarithmic ? max(0, log10(value / origin)) : share * 10
    let digit = UInt32(min(9, max(0, level.isFinite ? level + 1e-9 : 0)))
    let high: Role? = value >= limit ? .trouble : (share >= 0.75 && floors.isEmpty ? .warning : nil)
    let role = alarm(of: value) ?? high ?? .faint
    return Cell(scalar: 0x30 + digit, style: context.style(role))
  }

  private func drawNames(
    _ rows: [Row], into grid: inout CellGrid, _ line: Rect, _ context: PaneContext
  ) {
    guard gutter >= 4, let first = rows.first, let last = rows.last else { return }
    let middle = line.row + (max(1, line.rows) - 1) / 2
    let start = Point(column: line.column - gutter, row: middle)
    let isLayers = first.name.isLayer && last.name.isLayer
    let several =
      isLayers ? "\(first.name)–\(last.name.dropFirst())" : "\(first.name) +\(rows.count - 1)"
    let name = rows.count == 1 ? first.name : several
    let used = grid.write(name, at: start, style: context.style(.faint), maxColumns: gutter - 1)
    let room = gutter - 2 - used
    guard rows.count == 1, TextWidth.columns(of: first.text) <= room else { return }
    grid.writeRight(
      first.text, endColumn: line.column - 1, row: middle, style: context.style(first.role))
  }
}

extension String {
  /// `L12`.
  fileprivate var isLayer: Bool { first == "L" && dropFirst().allSatisfy(\.isNumber) }
}
