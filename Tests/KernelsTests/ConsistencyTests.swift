import Foundation
import Kernels
import Testing

@Suite(.timeLimit(.minutes(15)))
struct ConsistencyTests {
  private static let tokens: [Token] = [3, 0, 4, 2, 1, 4]

  private func withTokens(_ body: (TokenRows) -> Void) {
    Self.tokens.withUnsafeBufferPointer { body(TokenRows($0, rows: 2, positions: 2)) }
  }

  private func logits(_ seed: UInt64) -> Numbers {
    var random = SeededRandom(seed: seed)
    return Numbers.random(Shape(4, 5), &random)
  }

  @Test(arguments: [Float(0), 1.5], [Float(0), 0.1])
  func `two equal passes have each the gradients of one`(cap: Float, zLoss: Float) {
    let arena = Arena()
    withTokens { tokens in
      let (first, second, alone) = (
        logits(1).matrix(arena), logits(1).matrix(arena), logits(1).matrix(arena)
      )
      for pass in [first, second] {
        _ = crossEntropy(pass, tokens: tokens, zLoss: zLoss, cap: cap, weight: nil)
      }
      _ = crossEntropy(alone, tokens: tokens, zLoss: zLoss, cap: cap, weight: 0.25)
      let divergence = consistencyGradients(
        first: first, second: second, tokens: tokens, zLoss: zLoss, cap: cap, consistency: 3,
        weight: 0.25)
      #expect(divergence == 0)
      for (own, other) in [(first, alone), (second, alone)] {
        let distance = zip(own.values, other.values).map { abs($0 - $1) }.max() ?? 9
        #expect(distance < 1e-6)
      }
    }
  }

  @Test
  func `the divergence is the mean of both Kullback-Leibler divergences`() {
    let arena = Arena()
    let (one, two) = (logits(1), logits(2))
    var expected = 0.0
    for row in 0..<4 {
      let p = softmax(one, row)
      let q = softmax(two, row)
      for column in 0..<5 {
        expected += (p[column] - q[column]) * (log(p[column]) - log(q[column])) / 2
      }
    }
    withTokens { tokens in
      let divergence = consistencyGradients(
        first: one.matrix(arena), second: two.matrix(arena), tokens: tokens, zLoss: 0, cap: 0,
        consistency: 1, weight: 1)
      #expect(abs(divergence - expected) < 1e-5 * expected && expected > 1)
    }
  }

  private func softmax(_ logits: Numbers, _ row: Int) -> [Double] {
    let e = (0..<5).map { exp(logits[row, $0]) }
    let sum = e.reduce(0, +)
    return e.map { $0 / sum }
  }
}
