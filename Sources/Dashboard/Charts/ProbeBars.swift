import Foundation
import Screen
import Signals
import Telemetry

/// The live probe's curve: the loss after the present update scaled by m, as bars.
///
/// Bars count from the lowest loss on an axis of powers of ten: one update's gain and a cliff lie
/// decades apart. What is no more than noise is grey.
struct ProbeBars: Sendable {
  let trend: ProbeTrend

  /// Of the axis' numbers.
  private static let gutter = 5
  private static let mostDecades = 4

  /// The columns that its bars need at least, and those that it can use.
  static func width(bars: Int, in columns: Int) -> Int? {
    let count = max(1, bars)
    let pitch = min(4, max(columns / count, 0))
    guard pitch >= 2 else { return nil }
    let withAxis = min(4, (columns - gutter) / count)
    return withAxis >= 2 ? gutter + withAxis * bars : pitch * bars
  }

  func draw(into grid: inout CellGrid, _ rect: Rect, _ context: PaneContext) {
    let count = trend.multipliers.count
    guard rect.rows >= 3, let width = Self.width(bars: count, in: rect.columns) else { return }
    let area = rect.left(width)
    let gutter = width >= Self.gutter + 2 * count ? Self.gutter : 0
    let hasTitle = rect.rows >= 5
    let bars = area.droppingLeft(gutter).droppingTop(hasTitle ? 1 : 0).droppingBottom(1)
    if hasTitle { drawTitle(into: &grid, rect.top(1), hasAxis: gutter > 0, context) }
    if gutter > 0 { drawAxis(into: &grid, bars, context) }
    let pitch = bars.columns / count
    for (index, multiplier) in trend.multipliers.enumerated() {
      let place = Rect(
        column: bars.column + index * pitch, row: bars.row, columns: pitch - 1, rows: bars.rows)
      let role = role(index)
      drawBar(share(index), role, into: &grid, place, context)
      if multiplier == 1 { drawGuide(into: &grid, place, context) }
      let isNews = role == .good || role == .trouble
      drawLabel(
        multiplier, into: &grid,
        Rect(column: place.column, row: place.endRow, columns: pitch, rows: 1),
        context, context.style(isNews ? role : .faint))
    }
  }

  private func drawTitle(
    into grid: inout CellGrid, _ rect: Rect, hasAxis: Bool, _ context: PaneContext
  ) {
    let decades = decades
    let dash = context.symbols.isASCII ? "-" : "–"
    let ends = Self.power(decades.lowerBound) + dash + Self.power(decades.upperBound)
    // Where there is no room for the axis' numbers its ends stand here.
    let bare = ["loss at ×m, log \(ends) nats", "×m: \(ends) nats", "×m: \(ends)", "loss at ×m"]
    let texts = hasAxis ? Self.titles : bare
    guard let text = texts.first(where: { TextWidth.columns(of: $0) <= rect.columns }) else {
      return
    }
    grid.write(text, at: rect.origin, style: context.style(.faint))
  }

  private static let titles = [
    "loss at update ×m, nats above the lowest", "loss at ×m, nats above the lowest",
    "loss at ×m above lowest", "loss at ×m",
  ]

  /// Powers of ten at the rows where bars of that height end; of one decade alone what lies between.
  private func drawAxis(into grid: inout CellGrid, _ bars: Rect, _ context: PaneContext) {
    let decades = decades
    var last = Int.max
    for tick in ticks {
      let share = (tick.place - Double(decades.lowerBound)) / Double(decades.count - 1)
      let row = bars.endRow - 1 - Int((share * Double(bars.rows - 1)).rounded())
      guard last == .max || row - last >= 2 else { continue }
      last = row
      grid.writeRight(
        tick.text, endColumn: bars.column - 1, row: row,
        style: context.style(.faint), maxColumns: Self.gutter - 1)
    }
  }

  /// From the top: the decades of each, and its label.
  private var ticks: [(place: Double, text: String)] {
    let decades = decades
    guard decades.count == 2 else { return decades.reversed().map { (Double($0), Self.power($0)) } }
    let (low, high) = (decades.lowerBound, decades.upperBound)
    let between = [5.0, 2].map { factor in
      (Double(low) + log10(factor), RoundNumber.exponentText(factor * pow(10, Double(low))))
    }
    return [(Double(high), Self.power(high))] + between + [(Double(low), Self.power(low))]
  }

  private static func power(_ exponent: Int) -> String {
    (-2...2).contains(exponent) ? RoundNumber.plain(pow(10, Double(exponent))) : "1e\(exponent)"
  }

  private var lowest: Double { trend.rises.filter(\.isFinite).min() ?? 0 }

  /// Nats above the lowest loss.
  private func height(_ index: Int) -> Double { trend.rises[index] - lowest }

  /// The exponents of the axis' ends and what lies between: up to the highest bar, down to the noise
  /// where it is known.
  private var decades: ClosedRange<Int> {
    let heights = trend.rises.indices.map(height).filter { $0.isFinite && $0 > 0 }
    let floors = trend.floors.filter { $0 > 0 && $0.isFinite }
    guard let top = (heights.max() ?? floors.max()).map({ Int(log10($0).rounded(.up)) }) else {
      return -2...0
    }
    let noise = floors.min().map { Int(log10($0).rounded(.down)) } ?? top - Self.mostDecades
    return max(top - Self.mostDecades, min(noise, top - 1))...top
  }

  private func share(_ index: Int) -> Double {
    let height = height(index)
    guard height.isFinite else { return 1 }
    guard height > 0 else { return 0 }
    let decades = decades
    return (log10(height) - Double(decades.lowerBound)) / Double(decades.count - 1)
  }

  private func role(_ index: Int) -> Role {
    let multiplier = trend.multipliers[index]
    if trend.best?.contains(multiplier) == true { return .good }
    // No update is the measure of all others.
    if index == 0 { return trend.best == nil ? .faint : .learningRate }
    guard trend.isAboveFloor(index) else { return .faint }
    guard let cliff = trend.cliff, multiplier >= cliff.lowerBound else { return .learningRate }
    return .trouble
  }

  private func drawBar(
    _ share: Double, _ role: Role, into grid: inout CellGrid, _ rect: Rect, _ context: PaneContext
  ) {
    let eighths = max(1, Int((min(share, 1) * Double(rect.rows * 8)).rounded()))
    var style = context.style(role)
    style.attributes.remove(.bold)
    for row in 0..<rect.rows {
      let filled = min(8, eighths - row * 8)
      guard filled > 0 else { return }
      let line = Rect(
        column: rect.column, row: rect.endRow - 1 - row, columns: rect.columns, rows: 1)
      grid.fill(line, context.symbols.bars[filled], style: style)
    }
  }

  /// The present update's place, through the free cells above its bar and through a red one.
  private func drawGuide(into grid: inout CellGrid, _ rect: Rect, _ context: PaneContext) {
    let column = rect.column + rect.columns / 2
    for row in rect.row..<rect.endRow {
      let cell = grid[column, row]
      let isRed = cell.style.role == Role.trouble.rawValue && rect.columns >= 3
      guard cell.isBlank || isRed else { continue }
      grid[column, row] = Cell(
        context.symbols.verticalDashed,
        style: cell.isBlank ? context.style(.track) : context.guideStyle(on: cell.style))
    }
  }

  private func drawLabel(
    _ multiplier: Double, into grid: inout CellGrid, _ rect: Rect, _ context: PaneContext,
    _ style: Style
  ) {
    var text = ProbeWords(symbols: context.symbols).number(multiplier)
    if context.symbols.isASCII, multiplier > 0, multiplier < 1 {
      if rect.columns < 4 { text = String(text.dropFirst()) }
      guard text.count < rect.columns else { return }
    }
    let shift = max(0, (rect.columns - 1 - TextWidth.columns(of: text)) / 2)
    grid.write(
      text, at: rect.origin.offset(columns: shift), style: style, maxColumns: rect.columns - shift)
  }
}

extension PaneContext {
  /// A guide that goes through what is filled.
  func guideStyle(on filled: Style) -> Style {
    var style = filled
    style.foreground = theme.style(.title).foreground
    style.background = filled.foreground
    return style
  }
}
