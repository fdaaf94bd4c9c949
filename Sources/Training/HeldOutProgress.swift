/// How the held-out loss came on, from one scheduled evaluation to the next.
package struct HeldOutProgress: Sendable, Equatable, Codable {
  /// The lowest loss so far, and its step.
  package private(set) var best: Double?
  package private(set) var bestStep: Int?
  /// Evaluations since, none of which was lower.
  package private(set) var evaluationsSince = 0

  package init() {}

  mutating func evaluated(_ loss: Double, at step: Int) {
    guard !loss.isNaN, loss < best ?? .infinity else {
      evaluationsSince += 1
      return
    }
    (best, bestStep, evaluationsSince) = (loss, step, 0)
  }

  /// Whether it stayed without a lower loss for `patience` evaluations; never for 0.
  package func isExhausted(_ patience: Int) -> Bool {
    patience > 0 && evaluationsSince >= patience
  }
}
