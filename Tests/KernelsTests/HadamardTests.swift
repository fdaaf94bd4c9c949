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
}
