internal import Dispatch
internal import Synchronization

/// Runs the jobs of one step side by side and returns when all have ended.
///
/// What a job computes may not depend on which worker takes it: a worker only lends its scratch.
package final class WorkerPool: Sendable {
  package let workers: Int

  package init(workers: Int) {
    precondition(workers > 0, "a pool of \(workers) workers")
    self.workers = workers
    _ = BLAS.isSerial
  }

  /// Calls `body` once for every job in 0..<jobs; `worker` is below both `workers` and `jobs`.
  package func run(jobs: Int, _ body: @Sendable (_ job: Int, _ worker: Int) -> Void) {
    guard workers > 1, jobs > 1 else {
      for job in 0..<jobs { body(job, 0) }
      return
    }
    let next = Atomic<Int>(0)
    DispatchQueue.concurrentPerform(iterations: min(workers, jobs)) { worker in
      while true {
        let job = next.add(1, ordering: .relaxed).oldValue
        guard job < jobs else { return }
        body(job, worker)
      }
    }
  }
}
