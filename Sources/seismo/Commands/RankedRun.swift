import Foundation
import Glibc
import Ranks
import Runs
import Training

/// A run that this process conducts, alone or as the first of its ranks, or takes its part in.
struct RankedRun {
  let ranks: any RankGroup
  /// Headless, json and theme among it.
  var conduct: [String: String] = [:]

  /// - Parameter plan: what all ranks are to make, said by each of them.
  /// - Returns: the plan, with where rank 0 records.
  /// - Throws: What is wrong on any rank.
  @discardableResult
  func conduct(_ plan: () throws -> RunPlan) throws -> RunPlan {
    var plan = try ranks.together(plan)
    plan.agreeOnSession(ranks)
    guard ranks.isFirst else {
      try takePart(in: plan)
      return plan
    }
    let watcher = Watcher(conduct, data: plan.configuration.dataPath)
    try ConductedRun(plan: plan, ranks: ranks, watcher: watcher, theme: conduct["theme"])
      .conduct()
    return plan
  }

  /// The end comes from rank 0, whoever asks for it.
  private func takePart(in plan: RunPlan) throws {
    signal(SIGHUP, SIG_IGN)
    try ranks.together {}
    let part = try RankPart(plan: plan, ranks: ranks)
    let interrupts = Interrupts([SIGINT, SIGTERM]) { [ranks] _ in ranks.interrupt() }
    let end = part.conduct()
    withExtendedLifetime(interrupts) {}
    if case .failed(let reason) = end.outcome { throw Failure(.failed, reason) }
  }
}
