import Screen
import Signals
import Telemetry

/// The gradient noise scale over time, with the present batch as a guide.
enum NoiseScaleChart {
  /// Nil where none has been measured yet.
  static func chart(_ context: PaneContext) -> TitledChart? {
    guard context.has(MetricCatalog.noiseScale),
      let noise = context.history[MetricCatalog.noiseScale]
    else { return nil }
    var chart = LineChart()
    chart.lines =
      context.older(MetricCatalog.noiseScale)
      + [ChartLine(series: noise, shape: .range, role: .gradients)]
    chart.kind = context.isLogY ? .logarithmic : .linear
    chart.overlaid = [MetricCatalog.noiseScale]
    chart.clipsOutliers = true
    chart.format = { NumberText.compact($0, digits: 2) }
    if let batch = batch(context) {
      chart.guides = [LineChart.Guide(value: batch, role: .track)]
      chart.holds = [batch]
    }
    chart.marks = context.marks(on: .gradients)
    chart.namesMarks = false
    return TitledChart(title: title(context), chart: chart)
  }

  private static func batch(_ context: PaneContext) -> Double? {
    let sizes = [
      context.setting(SettingCatalog.batch)?.number,
      context.description?.model.map { Double($0.batch) },
    ]
    return sizes.compactMap(\.self).first { $0 > 0 }
  }

  private static func title(_ context: PaneContext) -> [Span] {
    guard let noise = context.reading(MetricCatalog.noiseScale) else { return [] }
    let words = "noise scale \(NumberText.compact(noise, digits: 2)) sequences"
    let batch = batch(context).map { " · the batch has \(NumberText.grouped($0))" } ?? ""
    return [Span(words, .gradients), Span(batch, .faint)]
  }
}
