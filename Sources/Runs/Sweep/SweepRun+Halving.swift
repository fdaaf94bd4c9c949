import Sessions
import Signals
import Sweeps
import Synchronization
import Telemetry
import Training

extension SweepRun {
  /// Has the halving take what became of a cell, and does what it decides. Where there is none,
  /// nothing is done.
  func settle(_ take: @Sendable (inout Halving) -> Halving.Decision) {
    let decision = content.withLock { content -> Halving.Decision? in
      guard content.halving != nil, !content.isStopping else { return nil }
      return content.halving.map { halving in
        var halving = halving
        let decision = take(&halving)
        content.halving = halving
        return decision
      }
    }
    guard let decision else { return }
    for leaver in decision.leave { leave(out: leaver) }
    guard !decision.goOn.isEmpty else { return }
    content.withLock { content in
      if !content.isStopping { content.waiting += decision.goOn }
    }
    start()
  }

  private func leave(out leaver: Halving.Leaver) {
    let cell = plan.cells[leaver.place]
    do {
      var tally = CellTally(warmup: try cell.configuration().warmup)
      tally.take(try SessionReader(path: plan.folder.session(of: cell)).history())
      try end(
        leaver.place, .stopped, tally, seconds: tally.stepSeconds, reason: leaver.reason)
    } catch {
      tell(.left(cell, reason: "\(error)"))
    }
  }

  /// The held-out loss at the rung that a recorded cell has come to already; nil where it has not.
  func lossAtRung(of place: Int, _ session: String) throws -> Double? {
    guard let step = content.withLock({ $0.halving?.pause(of: place) }) else { return nil }
    let history = try SessionReader(path: session).history()
    return history[MetricCatalog.evalLoss]?.value(at: step)
  }
}
