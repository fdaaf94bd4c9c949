import Screen
import Signals
import Telemetry

/// The loss's curvature over time, below what the rate in force can bear of it.
enum SharpnessChart {
  /// Nil where none has been measured yet.
  static func chart(_ context: PaneContext) -> TitledChart? {
    guard context.has(MetricCatalog.sharpness),
      let sharpness = context.history[MetricCatalog.sharpness]
    else { return nil }
    var chart = LineChart()
    chart.lines = context.older(MetricCatalog.sharpness)
    if let limit = context.history[MetricCatalog.sharpnessLimit] {
      chart.lines.append(ChartLine(series: limit, shape: .range, role: .learningRateFaint))
    }
    chart.lines.append(ChartLine(series: sharpness, shape: .points, role: .learningRate))
    // Where the rate is low at the start and the end it can bear a thousand times as much.
    chart.kind = .logarithmic
    chart.overlaid = [MetricCatalog.sharpness]
    chart.marks = context.marks(on: .learningRate)
    chart.namesMarks = false
    return TitledChart(title: title(context), chart: chart)
  }

  private static func title(_ context: PaneContext) -> [Span] {
    guard let sharpness = context.reading(MetricCatalog.sharpness) else { return [] }
    let words = "sharpness \(RoundNumber.groupedOrPower(sharpness))"
    guard let limit = context.reading(MetricCatalog.sharpnessLimit) else {
      return [Span(words, .learningRate)]
    }
    return [
      Span(words, sharpness > limit ? .warning : .learningRate),
      Span(" of \(RoundNumber.groupedOrPower(limit))", .learningRateFaint),
      Span(" that the rate bears (\(limitWords(context)))", .faint),
    ]
  }

  /// What the limit is by the run's optimiser: momentum that adds up bears a tenth of what one that
  /// averages bears.
  static func limitWords(_ context: PaneContext) -> String {
    context.description?.options["optimizer"] == "sgd" ? "3.8/lr" : "38/lr"
  }
}
