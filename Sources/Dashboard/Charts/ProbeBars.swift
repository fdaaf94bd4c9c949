import Foundation
import Screen
import Signals
import Telemetry

/// The live probe's curve: the loss after the present update scaled by m, as bars.
///
/// Bars stand on the lowest loss. Those that rise far above the loss of no update would press the
/// rest flat: they fill the height and are red.
struct ProbeBars: Sendable {
  let probe: LearningRateSensitivity

  /// The columns that its bars need at least, and those that it can use.
  static func width(bars: Int, in columns: Int) -> Int? {
    let pitch = min(4, columns / max(1, bars))
    return pitch >= 2 ? pitch * bars : nil
  }

  func draw(into grid: inout CellGrid, _ rect: Rect, _ context: PaneContext) {
    let count = probe.multipliers.count
    guard rect.rows >= 3, let width = Self.width(bars: count, in: rect.columns) else { return }
    let area = rect.left(width)
    let hasTitle = rect.rows >= 5
    let bars = area.droppingTop(hasTitle ? 1 : 0).droppingBottom(1)
    if hasTitle { drawTitle(into: &grid, rect.top(1), context) }
    let pitch = width / count
    for (index, multiplier) in probe.multipliers.enumerated() {
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

  private func drawTitle(into grid: inout CellGrid, _ rect: Rect, _ context: PaneContext) {
    let top = NumberText.compact(reach, digits: 2)
    let texts = [
      "loss at update ×m, up to +\(top) nats", "loss at ×m, up to +\(top) nats",
      "loss at ×m: +\(top) nats", "loss at ×m: +\(top)",
      "loss at ×m",
    ]
    guard let text = texts.first(where: { TextWidth.columns(of: $0) <= rect.columns }) else {
      return
    }
    grid.write(text, at: rect.origin, style: context.style(.faint))
  }

  private var lowest: Double { probe.losses.filter(\.isFinite).min() ?? 0 }

  /// How far up the axis goes above the lowest loss.
  private var reach: Double {
    let finite = probe.losses.filter(\.isFinite)
    let highest = (finite.max() ?? 0) - lowest
    guard let zero = probe.losses.first, zero.isFinite, zero > lowest else { return highest }
    return min(highest, (zero - lowest) * 4)
  }

  private func share(_ index: Int) -> Double {
    let loss = probe.losses[index]
    let height = (loss - lowest) / reach
    guard loss.isFinite, !height.isNaN else { return loss == lowest ? 0 : 1 }
    return min(1, height)
  }

  private func role(_ index: Int) -> Role {
    let multiplier = probe.multipliers[index]
    if multiplier == probe.bestMultiplier { return .good }
    guard let cliff = probe.steepCliff, multiplier >= cliff else { return .learningRate }
    return .trouble
  }

  private func drawBar(
    _ share: Double, _ role: Role, into grid: inout CellGrid, _ rect: Rect, _ context: PaneContext
  ) {
    let eighths = max(1, Int((share * Double(rect.rows * 8)).rounded()))
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
    let fractions: [Double: String] = [0.125: "⅛", 0.25: "¼", 0.5: "½"]
    var text = fractions[multiplier] ?? RoundNumber.plain(multiplier)
    if context.symbols.isASCII, fractions[multiplier] != nil {
      text = rect.columns >= 4 ? "1/\(Int(1 / multiplier))" : "/\(Int(1 / multiplier))"
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

extension LearningRateSensitivity {
  /// A rise above the lowest loss, in nats a token, below which a cliff is none.
  private static let leastRise = 0.01

  /// The first scale from the cliff on whose loss is more than noise above the lowest.
  var steepCliff: Double? {
    guard let cliff, let lowest = losses.filter(\.isFinite).min() else { return nil }
    return zip(multipliers, losses).first { multiplier, loss in
      multiplier >= cliff && !(loss - lowest < Self.leastRise)
    }?.0
  }
}
