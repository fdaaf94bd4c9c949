/// In what order each worker takes the jobs that are its own.
package enum JobOrder: Sendable {
  case forwards
  /// The last one first: what a round before left in the worker's cache is its last job's.
  case backwards
}

/// Runs the jobs of one step side by side and returns when all have ended.
///
/// What a job computes may not depend on which worker takes it: a worker only lends its scratch.
/// The caller is worker 0; the others are threads of the pool's own, because waking a sleeping one
/// costs as much as a small model's whole update. One run at a time: a second caller waits, and a
/// job may not run jobs.
package final class WorkerPool: Sendable {
  package typealias Jobs = @Sendable (_ job: Int, _ worker: Int) -> Void

  package let workers: Int
  private let crew: Crew

  package init(workers: Int) {
    precondition(workers > 0, "a pool of \(workers) workers")
    self.workers = workers
    crew = Crew(helpers: workers - 1)
    _ = BLAS.isSerial
  }

  deinit { crew.dismiss() }

  /// Calls `body` once for every job in 0..<jobs; `worker` is below both `workers` and `jobs`.
  package func run(
    jobs: Int, order: JobOrder = .forwards, _ body: @Sendable (_ job: Int, _ worker: Int) -> Void
  ) {
    guard workers > 1, jobs > 1 else { return runAlone(jobs: jobs, order: order, body) }
    withoutActuallyEscaping(body) { crew.run(jobs: jobs, order: order, $0) }
  }

  /// The same of a body that is kept from one run to the next.
  func run(jobs: Int, order: JobOrder, kept body: @escaping Jobs) {
    guard workers > 1, jobs > 1 else { return runAlone(jobs: jobs, order: order, body) }
    crew.run(jobs: jobs, order: order, body)
  }

  private func runAlone(
    jobs: Int, order: JobOrder, _ body: @Sendable (_ job: Int, _ worker: Int) -> Void
  ) {
    for job in 0..<jobs { body(order == .forwards ? job : jobs - 1 - job, 0) }
  }
}
