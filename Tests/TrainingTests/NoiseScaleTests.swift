import Models
import Testing

@testable import Training

@Suite(.timeLimit(.minutes(15)))
struct NoiseScaleTests {
  /// Gradients of sequences that are `mean` plus noise of variance `variance` in each of 64 parts.
  private func measured(mean: Double, variance: Double, batch: Int) -> Double? {
    var scale = NoiseScale()
    var random = RandomStream(seed: 11)
    for _ in 0..<600 {
      var shares = Array(repeating: Array(repeating: 0.0, count: 64), count: 4)
      for sequence in 0..<batch {
        for part in 0..<64 {
          let gradient = mean + random.normal() * variance.squareRoot()
          shares[sequence % 4][part] += gradient / Double(batch)
        }
      }
      let sum = (0..<64).map { part in shares.reduce(0) { $0 + $1[part] } }
      scale.add(
        slices: shares.map { $0.reduce(0) { $0 + $1 * $1 } },
        norm: sum.reduce(0) { $0 + $1 * $1 }.squareRoot(), batch: batch)
    }
    return scale.sequences
  }

  @Test(arguments: [4, 8, 32])
  func `it is the variance over the mean's square, whatever the batch`(batch: Int) throws {
    let found = try #require(measured(mean: 1, variance: 20, batch: batch))
    #expect(abs(found - 20) < 3, "\(found)")
  }

  @Test func `one slice says nothing`() {
    var scale = NoiseScale()
    scale.add(slices: [1], norm: 1, batch: 1)
    #expect(scale.sequences == nil)
  }
}
