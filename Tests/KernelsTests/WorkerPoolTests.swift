import Kernels
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(15)))
struct WorkerPoolTests {
  @Test(arguments: [1, 2, 3, 7], [0, 1, 2, 5, 64])
  func `every job runs once, on a worker that exists`(workers: Int, jobs: Int) {
    everyJobRunsOnce(workers: workers, jobs: jobs, order: .forwards)
    everyJobRunsOnce(workers: workers, jobs: jobs, order: .backwards)
  }

  private func everyJobRunsOnce(workers: Int, jobs: Int, order: JobOrder) {
    let pool = WorkerPool(workers: workers)
    let counts = Buffer<Int>(count: max(jobs, 1))
    let highest = Atomic<Int>(-1)
    for _ in 0..<200 {
      pool.run(jobs: jobs, order: order) { job, worker in
        counts[job] += 1
        highest.max(worker, ordering: .relaxed)
      }
    }
    #expect((0..<jobs).allSatisfy { counts[$0] == 200 })
    #expect(highest.load(ordering: .relaxed) < min(workers, max(jobs, 1)))
  }

  @Test
  func `a worker on its own takes its jobs from the last to the first if told so`() {
    let order = Buffer<Int>(count: 5)
    let next = Atomic<Int>(0)
    WorkerPool(workers: 1).run(jobs: 5, order: .backwards) { job, _ in
      order[next.add(1, ordering: .relaxed).oldValue] = job
    }
    #expect((0..<5).map { order[$0] } == [4, 3, 2, 1, 0])
  }

  @Test
  func `what the jobs wrote is there when the run returns`() {
    let pool = WorkerPool(workers: 4)
    let numbers = FloatBuffer(count: 1000)
    for round in 1...300 {
      pool.run(jobs: 10) { job, _ in
        for index in job * 100..<(job + 1) * 100 { numbers[index] += Float(index) }
      }
      let sum = (0..<1000).reduce(0.0) { $0 + Double(numbers[$1]) }
      #expect(sum == 499_500 * Double(round))
    }
  }
}
