package import Telemetry

extension RunTraits {
  /// The traits of a session; of one that cannot be read those of its line in the list.
  package init(_ summary: SessionSummary) {
    self.init(summary, try? SessionOutline(summary))
  }

  package init(_ summary: SessionSummary, _ outline: SessionOutline?) {
    self.init()
    name = summary.name
    state = summary.word
    alarms = summary.alarms
    options = summary.options
    environment = summary.environment
    figures[.steps] = Double(summary.steps)
    figures[.alarms] = Double(summary.alarms)
    figures[.loss] = summary.judgedLoss
    figures[.best] = summary.best?.value
    guard let outline else { return }
    (notes, metrics, tags) = (outline.notes, outline.metrics, outline.tags)
  }
}
