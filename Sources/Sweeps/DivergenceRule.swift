/// When a run that still has finite numbers is as good as lost: its loss has stayed above the one
/// it began with for a hundred steps, none of them of the warm-up.
package struct DivergenceRule: Sendable, Equatable {
  private static let steps = 100

  private let warmup: Int
  private var initialLoss: Double?
  private var count = 0

  package init(warmup: Int) {
    self.warmup = warmup
  }

  /// Takes the training loss of the next step.
  /// - Returns: whether the run is lost.
  package mutating func take(_ loss: Double, at step: Int) -> Bool {
    guard let initialLoss else {
      initialLoss = loss
      return false
    }
    count = step >= warmup && !(loss <= initialLoss) ? count + 1 : 0
    return count >= Self.steps
  }
}
