internal import Synchronization

/// Jobs that are done again and again, each time with another input: a run of them allocates
/// nothing, where a closure that captures the input would.
package final class Round<Input: Sendable>: Sendable {
  private final class Place: Sendable {
    let input = Mutex<Input?>(nil)
  }

  private let pool: WorkerPool
  private let place: Place
  private let jobs: WorkerPool.Jobs

  package init(
    on pool: WorkerPool,
    _ body: @escaping @Sendable (_ input: Input, _ job: Int, _ worker: Int) -> Void
  ) {
    let place = Place()
    self.pool = pool
    self.place = place
    jobs = { job, worker in
      guard let input = place.input.withLock({ $0 }) else { return }
      body(input, job, worker)
    }
  }

  /// Calls the body once for every job in 0..<jobs and returns when all have ended.
  package func run(jobs count: Int, order: JobOrder = .forwards, _ input: Input) {
    place.input.withLock { $0 = input }
    pool.run(jobs: count, order: order, kept: jobs)
    place.input.withLock { $0 = nil }
  }
}
