import Dispatch
import Foundation
package import Sweeps
import Synchronization
package import Telemetry

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
  let tell: @Sendable (SweepNews) -> Void
  let claims: CellClaims?
  let corpora = CorpusShelf()
  let content: Mutex<Content>
  private let wake = DispatchSemaphore(value: 0)
  private let busy = DispatchGroup()

  struct Content {
    var plan: SweepPlan
    /// Places of cells, in the order in which they begin.
    var waiting: [Int]
    /// Those that other processes have.
    var deferred: [Int] = []
    var running: [Int: CellRun] = [:]
    var claims: [Int: CellClaims.Claim] = [:]
    var halving: Halving?
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
    var content = Content(plan: plan, waiting: plan.order)
    content.halving = plan.halving.map {
      Halving(costs: plan.costs, places: plan.order, divisor: $0)
    }
    self.content = Mutex(content)
  }

  var plan: SweepPlan { content.withLock { $0.plan } }

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
}
