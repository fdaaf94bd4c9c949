import Foundation
import Kernels
import Testing

@Suite(.timeLimit(.minutes(15)))
struct CrossEntropyTests {
  @Test(arguments: [256, 259])
  func `loss, log Z and mean logit are those of the definition`(vocabulary: Int) {
    let (logits, tokens) = sample(vocabulary)
    let arena = Arena()
    let sums = tokens.withUnsafeBufferPointer {
      crossEntropy(
        logits.matrix(arena), tokens: TokenRows($0, rows: 2, positions: 3), zLoss: 0, weight: nil)
    }
    let reference = definition(logits, tokens, zLoss: 0)
    #expect(abs(sums.loss - reference.loss) < 1e-5)
    #expect(abs(sums.logZ - reference.logZ) < 1e-5)
    #expect(abs(sums.logitMean - logits.values.reduce(0, +) / Double(vocabulary)) < 1e-5)
  }

  @Test(arguments: [0, 0.01], [0, 1.5])
  func `the gradient is that of loss and z-loss, capped or not`(zLoss: Double, cap: Double) {
    let (logits, tokens) = sample(256)
    let arena = Arena()
    let found = logits.matrix(arena)
    tokens.withUnsafeBufferPointer {
      _ = crossEntropy(
        found, tokens: TokenRows($0, rows: 2, positions: 3), zLoss: Float(zLoss), cap: Float(cap),
        weight: 0.25)
    }
    for element in stride(from: 0, to: logits.values.count, by: 7) {
      let value = { (step: Double) -> Double in
        var moved = logits
        moved.values[element] += step
        let result = definition(moved, tokens, zLoss: zLoss, cap: cap)
        return 0.25 * (result.loss + result.zLoss)
      }
      let expected = (value(1e-5) - value(-1e-5)) / 2e-5
      #expect(abs(Numbers(found).values[element] - expected) < 1e-6)
    }
  }

  @Test(arguments: [0, 0.01], [0, 1.5])
  func `of a noisy channel loss and gradient are those of the definition`(
    zLoss: Double, cap: Double
  ) {
    let (logits, tokens) = sample(256)
    let noise = [0.3, 0]
    func value(_ logits: Numbers) -> (loss: Double, all: Double) {
      (0..<6).reduce((0, 0)) { sum, row in
        let y = (0..<256).map { column -> Double in
          let y = logits[row, column]
          return cap > 0 ? cap * tanh(y / cap) : y
        }
        let logZ = log(y.reduce(0) { $0 + exp($1) })
        let q = exp(y[Int(tokens[row / 3 * 4 + row % 3 + 1])] - logZ)
        let loss = -log((1 - noise[row / 3]) * q + noise[row / 3] / 256)
        return (sum.0 + loss, sum.1 + 0.25 * (loss + zLoss * logZ * logZ))
      }
    }
    let arena = Arena()
    let found = logits.matrix(arena)
    let rows = TokenRows(rows: 2, positions: 3)
    tokens.withUnsafeBufferPointer { rows.fill(from: $0, noise: noise.map(Float.init)) }
    let sums = crossEntropy(
      found, tokens: rows, zLoss: Float(zLoss), cap: Float(cap), weight: 0.25)
    #expect(abs(sums.loss - value(logits).loss) < 1e-5)
    for element in stride(from: 0, to: logits.values.count, by: 7) {
      var (up, down) = (logits, logits)
      up.values[element] += 1e-5
      down.values[element] -= 1e-5
      let expected = (value(up).all - value(down).all) / 2e-5
      #expect(abs(Numbers(found).values[element] - expected) < 1e-6)
    }
  }

  private func sample(_ vocabulary: Int) -> (Numbers, [Token]) {
    var random = SeededRandom(seed: 3)
    return (Numbers.random(Shape(6, vocabulary), &random), [9, 0, 255, 255, 3, 17, 200, 1])
  }

  private func definition(
    _ raw: Numbers, _ tokens: [Token], zLoss: Double, cap: Double = 0
  ) -> (loss: Double, logZ: Double, zLoss: Double) {
    var logits = raw
    if cap > 0 { logits.values = raw.values.map { cap * tanh($0 / cap) } }
    var result = (loss: 0.0, logZ: 0.0, zLoss: 0.0)
    for row in 0..<6 {
      let logZ = log((0..<logits.columns).reduce(0) { $0 + exp(logits[row, $1]) })
      result.loss += logZ - logits[row, Int(tokens[row / 3 * 4 + row % 3 + 1])]
      result.logZ += logZ
      result.zLoss += zLoss * logZ * logZ
    }
    return result
  }
}
