/// What a run made of a command.
public struct CommandAnswer: Sendable, Hashable {
  /// Whether it was done.
  public var isApplied: Bool
  /// The step before which it was applied or refused; nil where it never reached the run.
  public var step: Int?
  /// What was done, or why not.
  public var text: String

  package init(isApplied: Bool, step: Int?, text: String) {
    self.isApplied = isApplied
    self.step = step
    self.text = text
  }

  /// What `events`, recorded while a command was carried out, answer to it.
  package init(_ events: [RunEvent], step: Int) {
    guard let trouble = events.first(where: { $0.kind == .refused || $0.kind == .fault }) else {
      self.init(isApplied: true, step: step, text: events.last?.text ?? "done")
      return
    }
    self.init(isApplied: false, step: step, text: trouble.reason)
  }
}
