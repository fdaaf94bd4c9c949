import Signals
import Telemetry

extension DashboardState {
  /// The axes that the run defines for some of its metrics. One that does not grow is none.
  var definedAxes: Set<AxisKind> {
    let kinds = history.definitions.axisMetrics.map(AxisKind.init(defined:))
    return Set(
      kinds.filter { kind in
        guard case .metric(let name) = kind else { return true }
        return history[name]?.grows ?? false
      })
  }

  /// The metric whose axis a pane has: the first of its own that there is.
  func leadingMetric(of pane: PaneID) -> MetricName? {
    if pane == .wall {
      return wall.place(of: wall.zoomed).map { wall.tiles[$0].metrics[0] }
    }
    if let globs = pane.globs { return PinnedPane.names(matching: globs, in: history).first }
    let own = PaneCatalog.pane(pane)?.ownMetrics(in: history) ?? []
    return own.first { history[$0]?.isEmpty == false }
  }
}

extension AxisKind {
  /// The axis that a run means by the name of a metric, or of what W&B counts by itself.
  init(defined name: MetricName) {
    switch name.path {
    case "_step": self = .step
    case "_runtime": self = .time
    case "_timestamp": self = .clock
    default: self = .metric(name)
    }
  }
}

extension PaneContext {
  /// The axis that the run defines for a metric; nil where a person chose one for all, or there is
  /// none.
  func definedAxis(of metric: MetricName) -> AxisKind? {
    guard !definedAxes.isEmpty, let name = history.definitions.axis(of: metric) else { return nil }
    let kind = AxisKind(defined: name)
    return definedAxes.contains(kind) ? kind : nil
  }

  /// The context with the axis that is the metric's own.
  func over(axisOf metric: MetricName) -> PaneContext {
    guard !definedAxes.isEmpty else { return self }
    var context = self
    context.axis = definedAxis(of: metric) ?? .step
    return context
  }
}
