import Signals
package import Telemetry

/// Runs on one axis: a chart a metric, a line a run; runs of several seeds are one line, their
/// mean, in a band that reaches from the lowest of them to the highest.
package struct ComparisonCharts {
  private let comparison: Comparison
  private let steps: ClosedRange<Int>
  /// Columns that can be told apart.
  private let columns: Int

  package init(_ comparison: Comparison, columns: Int = 370) {
    self.comparison = comparison
    self.columns = columns
    let all = comparison.runs.flatMap(\.history.series.values)
    let first = all.compactMap(\.firstStep).min() ?? 0
    steps = first...max(first, all.compactMap(\.lastStep).max() ?? 0)
  }

  /// The metrics that say how runs compare, of those any of them has.
  package var story: [MetricName] {
    let wanted: [MetricName] = [
      MetricCatalog.loss, MetricCatalog.evalLoss, MetricCatalog.learningRate,
      MetricCatalog.attentionLogitMax, MetricCatalog.gradNorm,
    ]
    let present = Set(comparison.runs.flatMap(\.history.names))
    let story = wanted.filter(present.contains)
    return story.isEmpty ? Array(present.sorted().prefix(6)) : story
  }

  package func sheet(_ metrics: [MetricName]) -> ChartSheet {
    let runs = "\(comparison.runs.count) runs"
    let differing = comparison.differences.map(\.option).joined(separator: ", ")
    return ChartSheet(
      title: runs + " on one axis",
      subtitle: differing.isEmpty ? "the settings are the same" : "they differ in \(differing)",
      charts: metrics.map { .lines(chart($0)) })
  }

  /// Where the runs count in different units none is named.
  private func unit(of metric: MetricName) -> String {
    let units = Set(
      comparison.runs.map {
        $0.history.description?.unit(of: metric) ?? MetricCatalog.family(of: metric)?.unit ?? ""
      })
    return units.count == 1 ? units.first ?? "" : ""
  }

  package func chart(_ metric: MetricName) -> VectorChart {
    let family = MetricCatalog.family(of: metric)
    let kind = AxisScale.kind(of: comparison.runs.compactMap { $0.history[metric] }, family)
    let making = LineMaking(
      steps: steps, columns: columns, smoothing: RunCharts.smoothing(family?.reduction),
      isLogarithmic: kind == .logarithmic)
    var chart = VectorChart(
      title: metric.path, unit: unit(of: metric), meaning: family?.meaning ?? "", steps: steps,
      lines: [])
    chart.kind = kind
    for (hue, group) in comparison.groups.enumerated() {
      let series = group.members.compactMap { comparison.runs[$0].history[metric] }
      guard !series.isEmpty else { continue }
      chart.lines.append(line(series, group, making, hue: hue % Palette.lines.count))
    }
    chart.marks = marks
    if comparison.groups.count == 1 { chart.figure = comparison.groups[0].name }
    return chart
  }

  private func line(
    _ series: [Series], _ group: Comparison.Group, _ making: LineMaking, hue: Int
  ) -> PlotLine {
    guard series.count > 1 else { return making.line(series[0], label: group.name, hue: hue) }
    return making.mean(series, label: group.name, hue: hue)
  }

  /// What was changed by hand, with the run's name.
  private var marks: [PlotMark] {
    comparison.runs.flatMap { run in
      run.changes.compactMap { event -> PlotMark? in
        guard var mark = PlotMark(event) else { return nil }
        mark.texts = mark.texts.map { "\(run.name): \($0)" } + mark.texts
        return mark
      }
    }
  }
}

extension LineMaking {
  /// The mean of several series, each smoothed, in a band of the lowest and highest of them.
  ///
  /// It ends where the first of them ends: beyond, it would be the mean of others.
  func mean(_ series: [Series], label: String, hue: Int) -> PlotLine {
    var line = PlotLine(label: label, hue: hue)
    let all = series.map { columnValues($0) }
    let edges = edges
    for column in edges.indices.dropLast() {
      let values = all.compactMap { $0[column] }
      guard values.count == series.count, let low = values.min(), let high = values.max() else {
        continue
      }
      let step = (edges[column] + edges[column + 1] - 1) / 2
      let mean = values.reduce(0, +) / Double(values.count)
      line.points.append(.init(step: step, value: mean))
      line.envelope.append(.init(step: step, low: low, high: high))
    }
    line.hasDots = line.points.count <= 40
    line.last = line.points.last?.value
    return line
  }

  /// The line's value in each column; nil where the series has no finite one.
  private func columnValues(_ series: Series) -> [Double?] {
    let edges = edges
    let smooth = smoothing.flatMap { series.count > 60 ? smoothed(series, weight: $0) : nil }
    return edges.indices.dropLast().map { column in
      guard let index = series.index(atOrBefore: edges[column + 1] - 1),
        series.steps[index] >= edges[column]
      else { return nil }
      let value = smooth?[index] ?? series.values[index]
      return value.isFinite ? value : nil
    }
  }
}
