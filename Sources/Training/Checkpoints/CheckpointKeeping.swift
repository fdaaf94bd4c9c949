/// Which of a run's periodic checkpoints are there, and which of them need not stay.
///
/// Those that a person asked for, that the run went back to or was resumed from, and its last one
/// are not among them: they always stay.
struct CheckpointKeeping: Sendable, Equatable, Codable {
  struct Periodic: Sendable, Equatable, Codable {
    let step: Int
    /// The held-out loss of its weights; of the last evaluation before where its own step has none.
    var loss: Double?
  }

  private(set) var periodic: [Periodic] = []
  private var lastLoss: Double?

  /// Takes the held-out loss of the weights that the checkpoint of `step`, if any, holds.
  mutating func evaluated(_ loss: Double, at step: Int) {
    lastLoss = loss
    if let last = periodic.indices.last, periodic[last].step == step { periodic[last].loss = loss }
  }

  mutating func add(step: Int) {
    forget(step: step)
    periodic.append(Periodic(step: step, loss: lastLoss))
  }

  /// The checkpoint of `step` is there for another reason, or not there.
  mutating func forget(step: Int) {
    periodic.removeAll { $0.step == step }
  }

  /// Keeps in mind those alone of which `isKnown` is true.
  mutating func filter(_ isKnown: (Int) -> Bool) {
    periodic.removeAll { !isKnown($0.step) }
  }

  /// The one with the lowest held-out loss; of equal ones the first, which was itself evaluated.
  var best: Periodic? {
    periodic.filter { $0.loss?.isNaN == false }
      .min { ($0.loss ?? .infinity) < ($1.loss ?? .infinity) }
  }

  /// The steps of those that are neither among the last `count` nor, where it counts, the best, nor
  /// the newest from before the trouble that the run is in.
  func superfluous(
    keepingLast count: Int, andBest keepsBest: Bool, troubleSince trouble: Int? = nil
  ) -> [Int] {
    guard count > 0 else { return [] }
    let best = keepsBest ? best?.step : nil
    let good = trouble.flatMap { since in periodic.last { $0.step < since }?.step }
    return periodic.dropLast(count).map(\.step).filter { $0 != best && $0 != good }
  }
}
