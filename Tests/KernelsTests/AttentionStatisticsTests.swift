import Foundation
import Kernels
import Testing

@Suite(.timeLimit(.minutes(15)))
struct AttentionStatisticsTests {
  @Test(arguments: [1, 3, 64, 65])
  func `largest logit and entropy are those of the unmasked rows`(positions: Int) {
    let arena = Arena()
    var random = SeededRandom(seed: UInt64(positions))
    let inputs = (0..<3).map { _ in Numbers.random(Shape(positions, 6), &random) }
    let run = AttentionRun(inputs.map { $0.matrix(arena) }, arena)
    let scale = Double(AttentionRun.scale)
    let (_, probabilities) = attentionReference(inputs, scale: scale)
    let entropies = probabilities.map { row in row.reduce(0) { $0 - ($1 > 0 ? $1 * log($1) : 0) } }
    let largest = (0..<positions).flatMap { row in
      (0...row).map { other in
        scale * (0..<6).reduce(0) { $0 + inputs[0][row, $1] * inputs[1][other, $1] }
      }
    }.max()
    #expect(abs(Double(run.statistics.logitMax) - (largest ?? 0)) < 1e-4)
    #expect(abs(run.statistics.entropy - entropies.reduce(0, +)) < 1e-4 * Double(positions))
    let shares = entropies.enumerated().dropFirst().map { $1 / log(Double($0 + 1)) }
    #expect(abs(run.statistics.entropyShare - shares.reduce(0, +)) < 1e-4 * Double(positions))
  }

  @Test
  func `what a later key holds changes no earlier row`() {
    let arena = Arena()
    var random = SeededRandom(seed: 9)
    let inputs = (0..<3).map { _ in Numbers.random(Shape(70, 8), &random) }
    let before = Numbers(AttentionRun(inputs.map { $0.matrix(arena) }, arena).output)
    var changed = inputs
    for column in 0..<8 {
      changed[1][66, column] = 100
      changed[2][66, column] = -100
    }
    let after = Numbers(AttentionRun(changed.map { $0.matrix(arena) }, arena).output)
    #expect(before.values[..<(66 * 8)] == after.values[..<(66 * 8)])
    #expect(before.values[(66 * 8)...] != after.values[(66 * 8)...])
  }
}
