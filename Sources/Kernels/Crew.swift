internal import Dispatch
internal import Foundation
internal import Synchronization

/// The threads behind a `WorkerPool`.
///
/// Between two runs a helper watches the round's number for a fifth of a millisecond, which covers
/// the pauses within a step, then sleeps until it is woken.
///
/// A round's work is set before its number is released and taken back when `busy` says that every
/// helper has finished.
final class Crew: Sendable {
  private struct Work {
    let jobs: Int
    let order: JobOrder
    let body: WorkerPool.Jobs
  }

  private static let patience: UInt64 = 200_000

  private let helpers: Int
  private let shares: [Share]
  private let round = Atomic<Int>(0)
  private let busy = Atomic<Int>(0)
  private let isDismissed = Atomic<Bool>(false)
  private let entry = NSLock()
  private let bell = NSCondition()
  private let work = Mutex<Work?>(nil)

  init(helpers: Int) {
    self.helpers = helpers
    shares = (0...helpers).map { _ in Share() }
    for helper in 0..<helpers {
      let thread = Thread { [self] in serve(worker: helper + 1) }
      thread.name = "seismo worker \(helper + 1)"
      thread.start()
    }
  }

  /// Lets the threads end, and with them the last references to this.
  func dismiss() {
    isDismissed.store(true, ordering: .releasing)
    ring()
  }

  func run(jobs: Int, order: JobOrder, _ body: @escaping WorkerPool.Jobs) {
    entry.lock()
    defer { entry.unlock() }
    let round = Work(jobs: jobs, order: order, body: body)
    work.withLock { $0 = round }
    let takers = min(jobs, helpers + 1)
    for taker in 0..<takers {
      shares[taker].deal(taker * jobs / takers..<(taker + 1) * jobs / takers)
    }
    busy.store(helpers, ordering: .relaxed)
    ring()
    take(round, worker: 0)
    wait { busy.load(ordering: .acquiring) == 0 }
    work.withLock { $0 = nil }
  }

  /// First the worker's own share, which is the same in every step and warm in its cache, then what
  /// others have left.
  private func take(_ work: Work, worker: Int) {
    // With fewer jobs than workers, the last workers' scratch does not exist.
    let takers = min(work.jobs, helpers + 1)
    guard worker < takers else { return }
    for offset in 0..<takers {
      let share = shares[(worker + offset) % takers]
      while let job = share.next(work.order) { work.body(job, worker) }
    }
  }

  private func serve(worker: Int) {
    var seen = 0
    while true {
      wait { round.load(ordering: .acquiring) != seen }
      seen = round.load(ordering: .acquiring)
      guard !isDismissed.load(ordering: .acquiring) else { return }
      if let work = work.withLock({ $0 }) { take(work, worker: worker) }
      guard busy.subtract(1, ordering: .acquiringAndReleasing).newValue == 0 else { continue }
      bell.lock()
      bell.broadcast()
      bell.unlock()
    }
  }

  private func ring() {
    bell.lock()
    round.add(1, ordering: .releasing)
    bell.broadcast()
    bell.unlock()
  }

  /// Returns as soon as the condition holds; whoever makes it true rings the bell afterwards.
  private func wait(until isMet: () -> Bool) {
    let start = DispatchTime.now().uptimeNanoseconds
    while DispatchTime.now().uptimeNanoseconds &- start < Self.patience {
      for _ in 0..<32 where isMet() { return }
    }
    bell.lock()
    while !isMet() { bell.wait() }
    bell.unlock()
  }
}

/// The jobs dealt to one worker. Dealt before a round begins, taken by anyone during it.
///
/// Two counters on one cache line would travel between the workers with every job.
private final class Share: Sendable {
  private let before: InlineArray<16, Int> = .init(repeating: 0)
  private let first = Atomic<Int>(0)
  private let end = Atomic<Int>(0)
  private let taken = Atomic<Int>(0)
  private let after: InlineArray<16, Int> = .init(repeating: 0)

  func deal(_ jobs: Range<Int>) {
    first.store(jobs.lowerBound, ordering: .relaxed)
    end.store(jobs.upperBound, ordering: .relaxed)
    taken.store(0, ordering: .relaxed)
  }

  func next(_ order: JobOrder) -> Int? {
    let (first, end) = (first.load(ordering: .relaxed), end.load(ordering: .relaxed))
    let number = taken.add(1, ordering: .relaxed).oldValue
    guard first + number < end else { return nil }
    return order == .forwards ? first + number : end - 1 - number
  }
}
