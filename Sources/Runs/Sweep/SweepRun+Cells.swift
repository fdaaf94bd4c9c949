import Formats
import Foundation
import Sessions
import Sweeps
import Synchronization
import Telemetry
import Training

extension SweepRun {
  func attempt(_ place: Int) {
    let cell = plan.cells[place]
    if let result = plan.folder.result(of: cell) {
      tell(.ended(cell, result, isOwn: false))
      return settle { $0.ended(place) }
    }
    do {
      guard let claims else { return try begin(place, cell) }
      guard let claim = try claims.take(cell) else { return put(off: place) }
      content.withLock { $0.claims[place] = claim }
      defer { drop(claim, of: place) }
      try begin(place, cell)
    } catch {
      var result = CellResult(
        session: plan.folder.session(of: cell), options: cell.options, state: .failed)
      result.reason = Self.words(error)
      result.parameters = plan.costs[place].parameters
      tell(.ended(cell, result, isOwn: true))
      settle { $0.ended(place) }
    }
  }

  /// A run is recorded elsewhere with --session, a cell with its sweep's folder.
  private static func words(_ error: any Error) -> String {
    "\(error)".replacing("name another file with --session", with: "give another --folder")
  }

  private func drop(_ claim: CellClaims.Claim, of place: Int) {
    content.withLock { $0.claims[place] = nil }
    let hasResult = plan.folder.result(of: plan.cells[place]) != nil
    hasResult ? claims?.forget(claim) : claims?.release(claim)
  }

  private func put(off place: Int) {
    content.withLock { content in
      if !content.isStopping { content.deferred.append(place) }
    }
  }

  private func begin(_ place: Int, _ cell: SweepCell) throws {
    // Whoever had the claim before may have come to the end meanwhile.
    if let result = plan.folder.result(of: cell) {
      return tell(.ended(cell, result, isOwn: false))
    }
    let session = plan.folder.session(of: cell)
    let configuration = try cell.configuration()
    switch try CellStart(cell, session: session, configuration: configuration) {
    case .busy:
      guard claims == nil else { return put(off: place) }
      let words = "\(ShownPath.text(session)) is being written by another process"
      tell(.left(cell, reason: "\(words): run the sweep again later, or both with --claim"))
      settle { $0.ended(place) }
    case .ended(let state, let tally):
      try end(place, state, tally, seconds: tally.stepSeconds, reason: nil)
    case .fresh:
      try Self.clear(session)
      try run(place, from: nil, CellTally(warmup: configuration.warmup), configuration)
    case .resumed(let checkpoint, let tally):
      if let loss = try lossAtRung(of: place, session) {
        return settle { $0.reached(place, loss: loss) }
      }
      try run(place, from: checkpoint, tally, configuration)
    }
  }

  /// Takes away what a killed run left that cannot be gone on with.
  private static func clear(_ session: String) throws {
    guard FileSystem.exists(session) else { return }
    guard FileSystem.size(session) == 0 else {
      return try SessionFiles(path: session).remove(withCheckpoints: true)
    }
    // Nothing was written yet: it is no session that could be removed as one.
    for ending in ["-wal", "-shm", "-journal", ""] { unlink(session + ending) }
  }

  private func run(
    _ place: Int, from checkpoint: String?, _ tally: CellTally,
    _ configuration: TrainingConfiguration
  ) throws {
    let cell = plan.cells[place]
    let corpus = try corpora.corpus(of: configuration)
    let run = try CellRun(
      cell, session: plan.folder.session(of: cell), checkpoint: checkpoint, tally: tally,
      corpus: corpus, configuration: configuration,
      pause: content.withLock { $0.halving?.pause(of: place) }
    ) { [tell] in tell(.record(cell, $0)) }
    let isStopping = content.withLock { content in
      content.running[place] = run
      return content.isStopping
    }
    tell(.began(cell))
    if isStopping { run.stop(by: CellRun.author) }
    let outcome = try runToEnd(run, at: place)
    guard let (state, tally, seconds, reason) = outcome else { return put(aside: place, run) }
    try end(place, state, tally, seconds: seconds, reason: reason)
  }

  /// Once it returns the cell may run again.
  private func runToEnd(
    _ run: CellRun, at place: Int
  ) throws -> (CellState, CellTally, seconds: Double, String?)? {
    defer { content.withLock { $0.running[place] = nil } }
    return try run.runToEnd { [self] in isLeft(place) }
  }

  /// A cell that has not come to its end.
  private func put(aside place: Int, _ run: CellRun) {
    guard !isLeft(place) else { return }
    if let loss = run.lossAtPause { return settle { $0.reached(place, loss: loss) } }
    tell(.left(run.cell, reason: "it was detached: run the sweep again to go on with it"))
    settle { $0.ended(place) }
  }

  /// Whether a cell that was stopped goes on another time, or is another process's.
  private func isLeft(_ place: Int) -> Bool {
    content.withLock { content in
      content.isStopping || (claims != nil && content.claims[place] == nil)
    }
  }

  func end(
    _ place: Int, _ state: CellState, _ tally: CellTally, seconds: Double, reason: String?
  ) throws {
    let cell = plan.cells[place]
    let cost = plan.costs[place]
    var result = CellResult(
      session: plan.folder.session(of: cell), options: cell.options, state: state)
    result.take(tally)
    result.parameters = cost.parameters
    result.tokens = tally.steps * cost.tokensPerStep
    result.seconds = (seconds * 1000).rounded() / 1000
    result.reason = reason
    // A cell that failed is tried again another time.
    if state != .failed { try plan.folder.write(result, of: cell) }
    tell(.ended(cell, result, isOwn: true))
    settle { $0.ended(place) }
  }
}

extension CellResult {
  fileprivate mutating func take(_ tally: CellTally) {
    // The step whose numbers are not finite has no update.
    steps = tally.steps - (state == .diverged && !tally.isLost ? 1 : 0)
    finalLoss = tally.finalLoss
    evalLoss = tally.finalEvalLoss ?? (state == .finished ? tally.evalLoss : nil)
    initialLoss = tally.initialLoss
    attentionLogitMax = tally.attentionLogitMax
    gradRMS = tally.gradRMS
  }
}
