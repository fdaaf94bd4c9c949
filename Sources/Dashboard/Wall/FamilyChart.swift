import Foundation
import Screen
import Signals
import Telemetry

/// A family of metrics as a field, index by time in colour; with two numbers, as of experts, as a
/// table of the present values. Where there is room the smallest, the median and the largest are
/// lines below it.
struct FamilyChart: Sendable {
  let tile: WallTile
  private let members: [Int]
  private let scale: ValueScale
  private let context: PaneContext

  /// More members than these cannot be told apart in a chart.
  private static let mostMembers = 200
  private static let linesFrom = 16

  init(_ tile: WallTile, isLog: Bool, _ context: PaneContext) {
    self.tile = tile
    self.context = context
    members = Self.shown(tile, context)
    scale = Self.scale(tile, members, isLog: isLog, context)
  }

  /// All members, or of very many every so many and those whose values are the smallest and the
  /// largest where it is read.
  private static func shown(_ tile: WallTile, _ context: PaneContext) -> [Int] {
    let all = tile.metrics.indices
    guard all.count > mostMembers else { return Array(all) }
    let finite = all.compactMap { index -> (index: Int, value: Double)? in
      guard let value = context.reading(tile.metrics[index]), value.isFinite else { return nil }
      return (index, value)
    }
    let ends = [finite.min { $0.value < $1.value }, finite.max { $0.value < $1.value }]
    let every = (all.count + mostMembers - 1) / mostMembers
    let some = stride(from: 0, to: all.count, by: every)
    return Set(some).union(ends.compactMap { $0?.index }).sorted()
  }

  /// What the colours mean: attention logits and loads have a scale of their own, others theirs.
  private static func scale(
    _ tile: WallTile, _ members: [Int], isLog: Bool, _ context: PaneContext
  ) -> ValueScale {
    if tile.isAttentionLogits { return ValueScale(from: 10, to: 1e4, kind: .logarithmic) }
    let window = context.window.steps
    let end = min(window.upperBound, context.playhead + 1)
    let width = max(1, (end - window.lowerBound + 7) / 8)
    let edges = (0...8).map { min(window.lowerBound + $0 * width, max(end, window.lowerBound)) }
    let parts = members.flatMap { index in
      context.history[tile.metrics[index]]?.columns(edges: edges).filter { $0.finiteCount > 0 }
        ?? []
    }
    let (low, high) = ValueZoom.usualRange(lows: parts.map(\.minimum), highs: parts.map(\.maximum))
    let isWide = low > 0 && high / low > 30
    return ValueScale(fitting: low, high, kind: isLog || isWide ? .logarithmic : .linear)
  }

  private var gradient: Gradient {
    if tile.isAttentionLogits { return context.theme.logitsGradient }
    if tile.letters.last == "E" { return context.theme.expertsGradient }
    let (faint, bright) = (
      context.style(tile.hue.faint).foreground, context.style(tile.hue.role).foreground
    )
    return Gradient(
      low: faint.blended(with: context.theme.paper, amount: 0.7),
      middle: faint.blended(with: bright, amount: 0.25), high: bright)
  }

  func draw(into grid: inout CellGrid, _ rect: Rect) {
    guard !rect.isEmpty else { return }
    let lineRows = rect.rows >= Self.linesFrom ? rect.rows * 2 / 5 : 0
    let upper = rect.droppingBottom(lineRows)
    let hasLegend = upper.rows >= 4
    let field = upper.droppingBottom(hasLegend ? 1 : 0)
    let map = map(columns: rect.columns, rows: field.rows)
    if let table = FamilyTable(tile, context) {
      table.draw(into: &grid, field, color: color)
    } else {
      map.draw(into: &grid, field, context)
    }
    if hasLegend {
      map.drawLegend(into: &grid, upper.bottom(1).droppingLeft(map.gutter), context)
    }
    guard lineRows > 0 else { return }
    spread(gutter: max(map.gutter, 7)).draw(into: &grid, rect.bottom(lineRows), context)
  }

  private func color(_ value: Double) -> Color {
    guard value.isFinite else { return context.style(.trouble).foreground }
    return gradient.color(at: max(0, scale.share(of: value)))
  }

  private func map(columns: Int, rows: Int) -> HeatMap {
    // A number stands beside its own row, or not at all.
    let isEach = members.count <= rows
    let hasValues = columns >= 60 && isEach
    let lines = members.map { index in
      let value = context.reading(tile.metrics[index]) ?? .nan
      return HeatMap.Row(
        name: tile.label(of: index),
        series: context.history[tile.metrics[index]].map { [$0] } ?? [],
        text: hasValues ? NumberText.compact(value) : "", role: value.isFinite ? .text : .trouble)
    }
    let names = lines.map { TextWidth.columns(of: $0.name) }.max() ?? 0
    let least = hasValues ? names + 8 : max(4, names + 1)
    return HeatMap(
      rows: lines, scale: scale, gradient: gradient, limit: .infinity,
      gutter: columns < 24 ? 0 : min(least, columns / 3),
      origin: scale.kind == .logarithmic ? scale.low : 1, fills: true)
  }

  /// The smallest, the median and the largest member over time.
  private func spread(gutter: Int) -> LineChart {
    let spread = FamilySpread(tile, members, context)
    var chart = LineChart()
    let hue = tile.hue
    chart.lines = [
      ChartLine(series: spread.smallest, shape: .range, role: hue.faint, name: "smallest"),
      ChartLine(series: spread.largest, shape: .range, role: hue.faint, name: "largest"),
      ChartLine(
        series: spread.median, shape: .range, role: hue.role, name: "median", isInFront: true),
    ]
    chart.kind = scale.kind
    chart.gutter = gutter
    chart.role = hue.role
    chart.namesMarks = false
    return chart
  }

  /// What the lower border says: `median 0.31 · least 0.05`, or when logits pass what no run bears.
  static func note(_ tile: WallTile, _ context: PaneContext) -> String {
    let reading = TileReading(tile, context)
    if tile.isAttentionLogits, let member = reading.member,
      let growth = AttentionLogitsPane.forecast(context, of: tile.metrics[member])
    {
      return AttentionLogitsPane.words(of: growth, context)
    }
    let finite = tile.metrics.compactMap { context.reading($0) }.filter(\.isFinite).sorted()
    guard !finite.isEmpty else { return "" }
    let median = "median \(NumberText.compact(finite[finite.count / 2]))"
    guard reading.isFinite, finite[0] < finite[finite.count - 1] else { return median }
    let other = tile.isLoad ? finite[finite.count - 1] : finite[0]
    return "\(median) · \(tile.isLoad ? "largest" : "least") \(NumberText.compact(other))"
  }
}

/// The smallest, the median and the largest of a family in each part of what is seen.
struct FamilySpread: Sendable {
  private(set) var smallest = Series()
  private(set) var median = Series()
  private(set) var largest = Series()

  private static let parts = 160

  init(_ tile: WallTile, _ members: [Int], _ context: PaneContext) {
    let window = context.window.steps
    let end = min(window.upperBound, context.playhead + 1)
    let width = max(1, (end - window.lowerBound + Self.parts - 1) / Self.parts)
    let edges = Array(stride(from: window.lowerBound, to: end, by: width)) + [max(end, 0)]
    guard edges.count > 1 else { return }
    let columns = members.compactMap { context.history[tile.metrics[$0]]?.columns(edges: edges) }
    for part in 0..<edges.count - 1 {
      let here = columns.map { $0[part] }.filter { $0.finiteCount > 0 }
      guard !here.isEmpty else { continue }
      let means = here.map(\.mean).sorted()
      smallest.append(step: edges[part], value: here.map(\.minimum).min() ?? .nan)
      median.append(step: edges[part], value: means[means.count / 2])
      largest.append(step: edges[part], value: here.map(\.maximum).max() ?? .nan)
    }
  }
}

/// A family with two numbers as a table: the first down, the second across, each value a colour.
struct FamilyTable {
  private let down: [Int]
  private let across: [Int]
  private let values: [[Double?]]
  private let tile: WallTile
  private let context: PaneContext

  private static let nameColumns = 5

  /// Nil where the names have no two numbers that differ.
  init?(_ tile: WallTile, _ context: PaneContext) {
    guard tile.letters.count == 2 else { return nil }
    (self.tile, self.context) = (tile, context)
    down = Set(tile.numbers.map { $0[0] }).sorted()
    across = Set(tile.numbers.map { $0[1] }).sorted()
    guard down.count > 1, across.count > 1 else { return nil }
    let places = Dictionary(uniqueKeysWithValues: across.enumerated().map { ($1, $0) })
    let rows = Dictionary(uniqueKeysWithValues: down.enumerated().map { ($1, $0) })
    var values = [[Double?]](
      repeating: [Double?](repeating: nil, count: across.count), count: down.count)
    for (name, numbers) in zip(tile.metrics, tile.numbers) {
      guard let row = rows[numbers[0]], let column = places[numbers[1]] else { continue }
      values[row][column] = context.reading(name)
    }
    self.values = values
  }

  func draw(into grid: inout CellGrid, _ rect: Rect, color: (Double) -> Color) {
    let room = rect.droppingLeft(Self.nameColumns)
    guard !room.isEmpty else { return }
    let hasNames = rect.rows > down.count
    let field = room.droppingBottom(hasNames ? 1 : 0)
    let widths = Layout.shares(
      of: field.columns, weights: Array(repeating: 1, count: across.count))
    for line in 0..<min(field.rows, max(down.count, field.rows)) {
      let row = line * down.count / max(1, field.rows)
      draw(values[row], widths, at: field.row + line, field, into: &grid, color)
      let isFirst = line == 0 || (line - 1) * down.count / max(1, field.rows) != row
      guard isFirst else { continue }
      grid.write(
        tile.letters[0] + "\(down[row])", at: Point(column: rect.column, row: field.row + line),
        style: context.style(.faint), maxColumns: Self.nameColumns - 1)
    }
    guard hasNames else { return }
    drawNames(widths, in: room.bottom(1), into: &grid)
  }

  private func draw(
    _ values: [Double?], _ widths: [Int], at row: Int, _ field: Rect, into grid: inout CellGrid,
    _ color: (Double) -> Color
  ) {
    var column = field.column
    for (value, width) in zip(values, widths) {
      defer { column += width }
      guard let value, width > 0 else { continue }
      let cell = Rect(
        column: column, row: row, columns: width >= 3 ? width - 1 : width, rows: 1)
      guard context.theme.hasGradients, !context.symbols.isASCII else {
        grid.write(
          NumberText.compact(value, digits: 2), at: cell.origin,
          style: context.style(value.isFinite ? tile.hue.role : .trouble), maxColumns: cell.columns)
        continue
      }
      var style = context.style(.heat)
      style.background = color(value)
      grid.fill(cell, " ", style: style)
    }
  }

  private func drawNames(_ widths: [Int], in row: Rect, into grid: inout CellGrid) {
    var (column, free) = (row.column, row.column)
    for (number, width) in zip(across, widths) {
      let name = tile.letters[1] + "\(number)"
      if column >= free, column + name.count <= row.endColumn {
        free =
          column + 1
          + grid.write(
            name, at: Point(column: column, row: row.row), style: context.style(.faint))
      }
      column += width
    }
  }
}
