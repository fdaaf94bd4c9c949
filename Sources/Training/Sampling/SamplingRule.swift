package import Kernels

/// How the next token is chosen from its logits.
///
/// In this order: the temperature, the `topK` largest, the largest that `topP` of the probability
/// takes, then a draw among what is left in proportion to its probabilities.
package struct SamplingRule: Sendable, Hashable {
  /// What logits are divided by; 0 for the largest one, the lowest token of equals.
  package var temperature: Double
  /// Logits below so many largest are dropped; ties at the last one stay.
  package var topK: Int?
  /// The least likely are dropped as long as no more than 1 − p of the probability goes; one at
  /// least stays.
  package var topP: Double?

  package init(temperature: Double = 1, topK: Int? = nil, topP: Double? = nil) {
    self.temperature = temperature
    self.topK = topK
    self.topP = topP
  }

  /// The token that `draw`, uniform in [0, 1), falls on, in the order of the tokens.
  ///
  /// - Parameters: `scratch` [V]
  package func choose(
    _ logits: UnsafeBufferPointer<Float>, draw: Double, scratch: FloatBuffer
  ) -> Token {
    guard temperature > 0 else { return largest(logits) }
    _ = exponentials(of: logits, temperature: Float(temperature), into: scratch)
    let weights = UnsafeMutableBufferPointer(start: scratch.base, count: logits.count)
    if let topK, topK < weights.count { keepLargest(topK, weights) }
    if let topP, topP < 1 { keepShare(topP, weights) }
    return chosen(weights, draw: draw)
  }

  private func largest(_ logits: UnsafeBufferPointer<Float>) -> Token {
    var best = 0
    for index in logits.indices where logits[index] > logits[best] { best = index }
    return Token(best)
  }

  private func keepLargest(_ count: Int, _ weights: UnsafeMutableBufferPointer<Float>) {
    let least = weights.sorted(by: >)[count - 1]
    for index in weights.indices where weights[index] < least { weights[index] = 0 }
  }

  /// - Source: Holtzman et al. 2019, in transformers' form
  private func keepShare(_ share: Double, _ weights: UnsafeMutableBufferPointer<Float>) {
    let total = weights.reduce(0.0) { $0 + Double($1) }
    let order = weights.indices.sorted {
      weights[$0] == weights[$1] ? $0 > $1 : weights[$0] < weights[$1]
    }
    var sum = 0.0
    for index in order.dropLast() {
      sum += Double(weights[index])
      guard sum <= (1 - share) * total else { return }
      weights[index] = 0
    }
  }

  private func chosen(_ weights: UnsafeMutableBufferPointer<Float>, draw: Double) -> Token {
    let target = draw * weights.reduce(0.0) { $0 + Double($1) }
    var (sum, last) = (0.0, 0)
    for index in weights.indices where weights[index] > 0 {
      sum += Double(weights[index])
      last = index
      if sum > target { break }
    }
    return Token(last)
  }
}
