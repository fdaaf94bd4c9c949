import Screen
import Signals
import Telemetry

/// What texts are worth that a model writes, and how far it goes for it.
enum RewardPane {
  static let pane = Pane(
    id: .reward, title: "reward", minimumRows: 4, weight: 3,
    explanation: """
      The mean reward of the texts that each step drew: raw values faint, their average bright, that \
      of the greedy texts white. Below, the divergence from the model that the run began with, in \
      nats a byte. Healthy is a reward that climbs while the divergence levels off. When the \
      divergence runs away, the model gives its language up for the reward: halve the rate with {, \
      or begin again with a larger --reward-divergence. When texts shrink or swell with the reward, \
      it is their length that is rewarded.
      """,
    metrics: [MetricCatalog.rewardBaseline],
    headline: headline, draw: draw, chart: chart)

  private static func headline(_ context: PaneContext) -> [Span] {
    guard let reward = context.value(MetricCatalog.reward) else { return [] }
    var parts = [Span("mean \(digits(reward))", .learningRate)]
    func add(_ words: String, _ role: Role) {
      parts += [Span(" · ", .faint), Span(words, role)]
    }
    if let greedy = context.value(MetricCatalog.rewardBaseline) {
      add("greedy \(digits(greedy))", .title)
    }
    if let divergence = context.value(MetricCatalog.rewardDivergence) {
      add("KL \(digits(divergence))", .outputs)
    }
    if let length = context.value(MetricCatalog.rewardLength) {
      add("\(NumberText.compact(length, digits: 2)) bytes", .faint)
    }
    if context.isZoomed, let spread = context.value(MetricCatalog.advantageVariance) {
      add("variance of r − r' \(digits(spread))", .learningRate)
    }
    return parts
  }

  private static func digits(_ value: Double) -> String { NumberText.compact(value, digits: 3) }

  private static func draw(_ grid: inout CellGrid, _ rect: Rect, _ context: PaneContext) {
    guard context.has(MetricCatalog.reward) else {
      return context.drawWaiting(into: &grid, rect, "no text judged yet")
    }
    TitledChart.draw(
      chart(context), over: divergence(context), into: &grid, rect, context)
  }

  private static func chart(_ context: PaneContext) -> LineChart {
    var chart = LineChart()
    chart.lines = context.lines(
      MetricCatalog.reward, role: .learningRate, faint: .learningRateFaint, label: "mean")
    chart.lines += context.lines(
      MetricCatalog.rewardBaseline, role: .title, faint: .track, label: "greedy")
    chart.kind = context.isLogY ? .logarithmic : .linear
    chart.overlaid = [MetricCatalog.reward]
    chart.clipsOutliers = true
    chart.role = .learningRate
    chart.format = { NumberText.compact($0, digits: 3) }
    chart.marks = context.marks(on: .reward)
    return chart
  }

  /// Nil for a run that nothing holds near its start.
  private static func divergence(_ context: PaneContext) -> TitledChart? {
    guard let divergence = context.reading(MetricCatalog.rewardDivergence) else { return nil }
    var chart = LineChart()
    chart.lines = context.lines(
      MetricCatalog.rewardDivergence, role: .outputs, faint: .outputsFaint, label: "KL")
    chart.holds = [0]
    chart.clipsOutliers = true
    chart.format = { NumberText.compact($0, digits: 2) }
    chart.marks = context.marks(on: .reward)
    chart.namesMarks = false
    let title = [
      Span("KL from the start \(digits(divergence))", .outputs), Span(" nats a byte", .faint),
    ]
    return TitledChart(title: title, chart: chart)
  }
}

extension PaneID {
  package static let reward = PaneID("reward")
}
