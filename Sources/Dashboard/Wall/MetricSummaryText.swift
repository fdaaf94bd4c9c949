import Signals
import Telemetry

/// What of a metric's values the run itself sums it up by, up to the playhead: `min 0.21`.
enum MetricSummaryText {
  static func parts(of metric: MetricName, _ context: PaneContext) -> [String] {
    let wanted = context.history.definitions.summary(of: metric)
    guard !wanted.isEmpty, let series = context.history[metric], let first = series.firstStep,
      first <= context.playhead,
      let column = series.columns(edges: [first, context.playhead + 1]).first,
      column.finiteCount > 0
    else { return [] }
    return wanted.compactMap { word in
      let value: Double? =
        switch word {
        case "min": column.minimum
        case "max": column.maximum
        case "mean": column.mean
        case "first": series.value(atIndex: 0)
        default: nil
        }
      return value.map { "\(word) \(NumberText.compact($0))" }
    }
  }
}
