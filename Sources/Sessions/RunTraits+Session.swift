package import Telemetry

extension RunTraits {
  /// The traits of a session; of one that cannot be read, and has no outline, those of its line in
  /// the list.
  package init(_ summary: SessionSummary, _ outline: SessionOutline?) {
    self.init()
    name = summary.name
    state = summary.word
    alarms = summary.alarms
    options = summary.options
    environment = summary.environment
    if summary.flaw == nil {
      numbers = [
        .steps: Double(summary.steps), .alarms: Double(summary.alarms), .length: summary.seconds,
      ]
      numbers[.loss] = summary.judgedLoss
      numbers[.best] = summary.best?.value
    }
    numbers[.size] = Double(summary.bytes)
    guard let outline else { return }
    (notes, metrics, tags) = (outline.notes, outline.metrics, outline.tags)
  }
}
