package import Ranks
package import Training

/// A rank's part in a run that rank 0 conducts: it computes, and records and decides nothing.
package final class RankPart: Sendable {
  private let trainer: Trainer
  private let over = Promise<TrainingEnd>()

  /// - Throws: What is wrong on any rank, before anything starts.
  package init(plan: RunPlan, ranks: any RankGroup) throws {
    trainer = Trainer(
      try plan.trainingRun(ranks: ranks),
      brancher: { name, _ in throw RunError.noBranchName(name) }, emit: { _ in })
    try ranks.together {}
  }

  /// Takes part until the run is over.
  package func conduct() -> TrainingEnd {
    trainer.start { [over] in over.set($0) }
    return over.wait()
  }
}

extension RunPlan {
  /// Has every rank know where rank 0 records, so that all find its checkpoints.
  package mutating func agreeOnSession(_ ranks: any RankGroup) {
    sessionPath = String(decoding: ranks.told(Array(sessionPath.utf8)), as: UTF8.self)
  }
}
