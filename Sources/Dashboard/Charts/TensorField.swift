import Screen
import Signals
import Telemetry

/// Each tensor's gradient RMS over time as colour, beside it the present one and the update's.
struct TensorField: Sendable {
  private let map: HeatMap
  /// The present update's RMS of each row; empty where there is no room or none is recorded.
  private let updates: [String]
  /// Cells at the left for names and numbers.
  var gutter: Int { map.gutter }
  /// Cells at the right for the updates.
  let margin: Int
  /// Rows of cells.
  let height: Int

  private static let updateColumns = 9

  /// `chartRows` are left above it at least.
  init(_ metrics: [MetricName], in rect: Rect, chartRows: Int, _ context: PaneContext) {
    let most = max(1, rect.rows - max(chartRows, rect.rows / 3) - 1)
    let rows = TensorRows(metrics, atMost: most).rows
    let series = rows.map { $0.metrics.compactMap { context.history[$0] } }
    let step = context.readingStep
    let values = series.map { tensors in
      HeatMap.Chosen.smallestAboveZero(tensors.compactMap { $0.value(atOrBefore: step) }) ?? .nan
    }
    let names = rows.map { TextWidth.columns(of: $0.name) }.max() ?? 0
    height =
      rows.count > most
      ? min(most, (rows.count + 1) / 2) : max(1, min(3, most / rows.count)) * rows.count
    let epsilon = GradientsPane.epsilon(context)
    let high = values.filter(\.isFinite).max() ?? 1
    let floor = (epsilon ?? 0) * Self.nearness(context)
    let top = RoundNumber.power(atLeast: max(high, floor * 100, 1e-30))
    let bottom = floor > 0 ? floor : top / 1e6
    map = HeatMap(
      rows: zip(zip(rows, series), values).map { row, value in
        HeatMap.Row(
          name: row.0.name, series: row.1,
          text: value == 0 ? "none" : RoundNumber.twoDigits(value),
          role: GradientsPane.role(of: value, context) ?? (value == 0 ? .faint : .text))
      },
      scale: ValueScale(from: bottom, to: top, kind: .logarithmic),
      gradient: Self.gradient(context.theme), limit: .infinity,
      gutter: min(max(10, names + 9), rect.columns / 2), floors: Self.floors(epsilon, context),
      chosen: .smallestAboveZero, origin: epsilon ?? RoundNumber.power(atMost: top / 1e6))
    let updates =
      rect.columns >= 90 && rows.count <= height ? rows.map { Self.update(of: $0, context) } : []
    let hasUpdates = updates.contains { $0 != "" }
    self.updates = hasUpdates ? updates : []
    margin = hasUpdates ? Self.updateColumns + 2 : 0
  }

  /// Within so many times Adam's ε a gradient is near it, as the run's alarm has it.
  private static func nearness(_ context: PaneContext) -> Double {
    context.thresholds.level(.gradientNearEpsilon)
  }

  private static func floors(_ epsilon: Double?, _ context: PaneContext) -> [HeatMap.Floor] {
    guard let epsilon else { return [] }
    let near = nearness(context)
    let word = context.symbols.isASCII ? "eps" : "ε"
    return [
      HeatMap.Floor(
        value: epsilon, role: .trouble, name: "below \(word) \(RoundNumber.rate(epsilon))"),
      HeatMap.Floor(
        value: near * epsilon, role: .warning,
        name: "below \(SettingValue.number(near)) \(word)"),
    ]
  }

  /// Calm, so that an alarm's colour stands out: from near the paper to the pane's own hue.
  private static func gradient(_ theme: Theme) -> Gradient {
    let faint = theme.style(.gradientsFaint).foreground
    let bright = theme.style(.gradients).foreground
    return Gradient(
      low: faint.blended(with: theme.paper, amount: 0.7),
      middle: faint.blended(with: bright, amount: 0.25), high: bright)
  }

  /// The largest update among a row's tensors.
  private static func update(of row: TensorRows.Row, _ context: PaneContext) -> String {
    let values = row.metrics.compactMap { metric in
      context.reading(MetricCatalog.updateRMS(besides: metric))
    }
    return values.max().map { RoundNumber.twoDigits($0) } ?? ""
  }

  func draw(
    into grid: inout CellGrid, _ rect: Rect, legend: Rect, _ context: PaneContext
  ) {
    map.draw(into: &grid, rect.droppingRight(margin), context)
    let each = max(1, height / max(1, map.rows.count))
    for (index, text) in updates.enumerated() {
      grid.writeRight(
        text, endColumn: rect.endColumn - 1, row: rect.row + index * each,
        style: context.style(.faint))
    }
    // Of tensors that share a row the one nearest to ε is what matters.
    let isFolded = map.rows.contains { $0.series.count > 1 } && gutter >= 20
    grid.write(
      isFolded ? "least gradient RMS" : "gradient RMS", at: legend.origin,
      style: context.style(.faint),
      maxColumns: min(legend.columns, gutter - 2))
    map.drawLegend(into: &grid, legend.droppingLeft(gutter).droppingRight(margin), context)
    guard margin > 0 else { return }
    grid.writeRight(
      "update RMS", endColumn: legend.endColumn - 1, row: legend.row, style: context.style(.faint),
      maxColumns: margin - 1)
  }
}
