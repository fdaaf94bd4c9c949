import Kernels
import Testing

@Suite(.timeLimit(.minutes(15)))
struct HadamardTests {
  private func buffer(_ count: Int) -> FloatBuffer {
    let buffer = FloatBuffer(count: count)
    var random = SeededRandom(seed: 9)
    for index in 0..<count { buffer[index] = Float(random.next()) }
    return buffer
  }

  @Test(arguments: [1, 2, 4, 8, 16, 64, 512])
  func `it is the matrix of signs by common bits`(count: Int) {
    let x = buffer(count)
    let before = (0..<count).map { Double(x[$0]) }
    hadamard(x, count: count, pool: WorkerPool(workers: 1))
    for row in 0..<count {
      let expected = before.indices.reduce(0.0) {
        $0 + ((row & $1).nonzeroBitCount % 2 == 0 ? before[$1] : -before[$1])
      }
      #expect(abs(Double(x[row]) - expected) < 1e-4 * Double(count).squareRoot())
    }
  }

  @Test(arguments: [1 << 12, 1 << 13, 1 << 17])
  func `twice it is the identity times the length, whoever works`(count: Int) {
    let (x, y) = (buffer(count), buffer(count))
    let first = buffer(count)
    for _ in 0..<2 {
      hadamard(x, count: count, pool: WorkerPool(workers: 1))
      hadamard(y, count: count, pool: WorkerPool(workers: 2))
    }
    #expect((0..<count).allSatisfy { x[$0].bitPattern == y[$0].bitPattern })
    #expect((0..<count).allSatisfy { abs(x[$0] / Float(count) - first[$0]) < 1e-5 })
  }

  /// To the last bit, but for the sign of a zero.
  @Test(arguments: [8, 1 << 12, 1 << 17], [1, 5, 8, 1000, 1 << 17])
  func `what begins or ends with few numbers is the same for less`(count: Int, few: Int) {
    let kept = min(few, count)
    for workers in [1, 2] {
      let pool = WorkerPool(workers: workers)
      let (all, some) = (buffer(count), buffer(count))
      for index in kept..<count { (all[index], some[index]) = (0, 0) }
      hadamard(all, count: count, pool: pool)
      hadamard(some, count: count, ofFirst: kept, pool: pool)
      #expect((0..<count).allSatisfy { all[$0] == some[$0] })
      let (whole, first) = (buffer(count), buffer(count))
      hadamard(whole, count: count, pool: pool)
      hadamard(first, count: count, first: kept, pool: pool)
      #expect((0..<kept).allSatisfy { whole[$0] == first[$0] })
    }
  }
}
