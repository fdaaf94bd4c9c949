import Dispatch
import Formats
import Foundation
import Sessions
package import Sweeps
import Synchronization
package import Telemetry
import Training

/// What a sweep tells while it runs.
package enum SweepNews: Sendable {
  case began(SweepCell)
  case record(SweepCell, RunRecord)
  /// A cell has its result; `isOwn` says whether this process ran it just now.
  case ended(SweepCell, CellResult, isOwn: Bool)
  /// A cell that this process leaves as it is, and why.
  case left(SweepCell, reason: String)
}

/// Runs cells of a sweep, a core each, the longest first, until none is left.
package final class SweepRun: Sendable {
  private let tell: @Sendable (SweepNews) -> Void
  private let claims: CellClaims?
  private let corpora = CorpusShelf()
  private let content: Mutex<Content>
  private let wake = DispatchSemaphore(value: 0)
  private let busy = DispatchGroup()

  private struct Content {
    var plan: SweepPlan
    /// Places of cells, in the order in which they begin.
    var waiting: [Int]
    /// Those that other processes have.
    var deferred: [Int] = []
    var running: [Int: CellRun] = [:]
    var claims: [Int: CellClaims.Claim] = [:]
    var isStopping = false
    /// Threads that take cells.
    var workers = 0
    var ticker: (any DispatchSourceTimer)?
    var lastRenewal = DispatchTime.now()
  }

  private static let tick = 0.25
  /// Seconds between two looks at what others do.
  private static let lookEvery = 0.5

  /// - Parameters:
  ///   - plan: what is run.
  ///   - tell: is told what happens, on any thread; must not wait long.
  package init(_ plan: SweepPlan, tell: @escaping @Sendable (SweepNews) -> Void) {
    self.tell = tell
    claims = plan.stale.map { CellClaims(folder: plan.folder.path, stale: $0) }
    content = Mutex(Content(plan: plan, waiting: plan.order))
  }

  private var plan: SweepPlan { content.withLock { $0.plan } }

  /// Has the cells that `plan` has beyond the present one run too.
  package func extend(to plan: SweepPlan) {
    content.withLock { content in
      let count = content.plan.cells.count
      content.plan = plan
      guard !content.isStopping else { return }
      content.waiting += plan.order.filter { $0 >= count }
    }
    start()
  }

  /// Whether cells wait or run.
  package var isAtWork: Bool {
    content.withLock { $0.workers > 0 }
  }

  /// Runs all, and returns once no cell of this process is left. Blocks.
  package func run() {
    start()
    wait()
  }

  /// Begins to run the cells that wait, and returns.
  package func start() {
    let missing = content.withLock { content in
      let wanted = min(content.plan.jobs, content.workers + content.waiting.count)
      defer { content.workers = max(content.workers, wanted) }
      return wanted - content.workers
    }
    if missing > 0 { startTicking() }
    for _ in 0..<max(0, missing) {
      busy.enter()
      let thread = Thread { [self] in
        work()
        busy.leave()
      }
      thread.name = "seismo sweep"
      thread.start()
    }
  }

  /// Returns once no cell of this process is left. Blocks.
  package func wait() {
    busy.wait()
    content.withLock { content in
      content.ticker?.cancel()
      content.ticker = nil
    }
  }

  private func startTicking() {
    content.withLock { content in
      guard content.ticker == nil else { return }
      let ticker = DispatchSource.makeTimerSource(
        queue: DispatchQueue(label: "seismo.sweep.tick", qos: .utility))
      ticker.schedule(deadline: .now() + Self.tick, repeating: Self.tick)
      ticker.setEventHandler { [weak self] in self?.tend() }
      ticker.resume()
      content.ticker = ticker
    }
  }

  /// Begins no further cell and ends those that run, with checkpoints, from any thread.
  package func stop(by author: String) {
    let running = content.withLock { content in
      content.isStopping = true
      content.waiting = []
      content.deferred = []
      return Array(content.running.values)
    }
    for cell in running { cell.stop(by: author) }
    wake.signal()
  }

  /// Ends a cell for good: it is stopped, and does not run again.
  package func end(_ cell: SweepCell, by author: String) {
    let place = cell.number - 1
    let run = content.withLock { content in
      content.waiting.removeAll { $0 == place }
      return content.running[place]
    }
    run?.stop(by: author)
  }

  package var isStopping: Bool { content.withLock { $0.isStopping } }

  /// Cells that run in this process now.
  package var running: [SweepCell] {
    content.withLock { $0.running.keys.sorted() }.map { plan.cells[$0] }
  }

  private func tend() {
    let (running, claimed) = content.withLock { (Array($0.running.values), $0.claims) }
    for cell in running { cell.checkpointIfDue(seconds: plan.checkpointSeconds) }
    guard let claims, isRenewalDue(claims) else { return }
    for (place, claim) in claimed where !claims.renew(claim) {
      // Another process took this one for dead: the cell is that one's now.
      content.withLock { $0.claims[place] = nil }
      content.withLock { $0.running[place] }?.stop(by: CellRun.author)
    }
  }

  /// Several times before another process would take this one for dead.
  private func isRenewalDue(_ claims: CellClaims) -> Bool {
    content.withLock { content in
      guard DispatchTime.now() >= content.lastRenewal + claims.stale / 8 else { return false }
      content.lastRenewal = .now()
      return true
    }
  }

  private func work() {
    while let place = next() { attempt(place) }
    wake.signal()
  }

  /// The next cell; waits for those that others have.
  private func next() -> Int? {
    while true {
      let (place, isOver) = content.withLock { content -> (Int?, Bool) in
        if !content.waiting.isEmpty {
          return (content.waiting.removeFirst(), false)
        }
        guard content.deferred.isEmpty else { return (nil, false) }
        content.workers -= 1
        return (nil, true)
      }
      if place != nil || isOver { return place }
      _ = wake.wait(timeout: .now() + Self.lookEvery)
      content.withLock { content in
        content.waiting += content.deferred
        content.deferred = []
      }
    }
  }

  private func attempt(_ place: Int) {
    let cell = plan.cells[place]
    if let result = plan.folder.result(of: cell) {
      return tell(.ended(cell, result, isOwn: false))
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
      result.reason = "\(error)"
      result.parameters = plan.costs[place].parameters
      tell(.ended(cell, result, isOwn: true))
    }
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
      tell(.left(cell, reason: "\(ShownPath.text(session)) is being written by another process"))
    case .ended(let state, let tally):
      try end(place, state, tally, seconds: tally.stepSeconds, reason: nil)
    case .fresh:
      try Self.clear(session)
      try run(place, from: nil, CellTally(warmup: configuration.warmup), configuration)
    case .resumed(let checkpoint, let tally):
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
    let corpus = try corpora.corpus(configuration.dataPath)
    let run = try CellRun(
      cell, session: plan.folder.session(of: cell), checkpoint: checkpoint, tally: tally,
      corpus: corpus, configuration: configuration
    ) { [tell] in tell(.record(cell, $0)) }
    let isStopping = content.withLock { content in
      content.running[place] = run
      return content.isStopping
    }
    tell(.began(cell))
    if isStopping { run.stop(by: CellRun.author) }
    defer { content.withLock { $0.running[place] = nil } }
    let outcome = try run.runToEnd { [self] in isLeft(place) }
    guard let (state, tally, seconds, reason) = outcome else {
      guard !isLeft(place) else { return }
      return tell(.left(cell, reason: "it was detached: run the sweep again to go on with it"))
    }
    try end(place, state, tally, seconds: seconds, reason: reason)
  }

  /// Whether a cell that was stopped goes on another time, or is another process's.
  private func isLeft(_ place: Int) -> Bool {
    content.withLock { content in
      content.isStopping || (claims != nil && content.claims[place] == nil)
    }
  }

  private func end(
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

/// What cells are trained on, opened once however many cells there are.
private final class CorpusShelf: Sendable {
  private let known = Mutex<[String?: Corpus]>([:])

  func corpus(_ path: String?) throws -> Corpus {
    try known.withLock { known in
      if let corpus = known[path] { return corpus }
      let corpus = try path.map { try Corpus.open(path: $0) } ?? .synthetic()
      known[path] = corpus
      return corpus
    }
  }
}
