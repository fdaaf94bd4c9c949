import Kernels
import Testing

@Suite(.timeLimit(.minutes(15)))
struct MeanCosineTests {
  @Test(arguments: [2, 3, 7], [1, 5, 8, 19])
  func `it is the mean over all pairs`(count: Int, width: Int) {
    let arena = Arena()
    var random = SeededRandom(seed: UInt64(count * width))
    let vectors = (0..<count).map { _ in
      [Shape(3, width), Shape(width, 2)].map { Numbers.random($0, &random) }
    }
    let flat = vectors.map { $0.flatMap(\.values) }
    var sum = 0.0
    for first in 0..<count {
      for second in 0..<first { sum += cosine(flat[first], flat[second]) }
    }
    let expected = sum / Double(count * (count - 1) / 2)
    let measured = meanCosine(
      vectors.map { $0.map { $0.matrix(arena) } }, sum: FloatBuffer(count: 5 * width))
    #expect(abs(measured - expected) < 1e-5)
  }

  @Test
  func `equal vectors have 1, opposite ones minus 1, one alone none`() {
    let arena = Arena()
    let ones = arena.matrix(rows: 2, columns: 3)
    let opposite = arena.matrix(rows: 2, columns: 3)
    for row in 0..<2 {
      for column in 0..<3 {
        ones[row, column] = 1
        opposite[row, column] = -3
      }
    }
    let sum = FloatBuffer(count: 6)
    #expect(abs(meanCosine([[ones], [ones]], sum: sum) - 1) < 1e-6)
    #expect(abs(meanCosine([[ones], [opposite]], sum: sum) + 1) < 1e-6)
    #expect(meanCosine([[ones]], sum: sum).isNaN)
  }

  private func cosine(_ a: [Double], _ b: [Double]) -> Double {
    let products = zip(a, b).reduce(0) { $0 + $1.0 * $1.1 }
    let squares = [a, b].map { $0.reduce(0) { $0 + $1 * $1 }.squareRoot() }
    return products / (squares[0] * squares[1])
  }
}
