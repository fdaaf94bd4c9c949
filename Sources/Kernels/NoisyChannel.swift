internal import Foundation

/// A channel that replaces a byte, with a probability, by one drawn uniformly.
///
/// What it makes of a model's probability q of the byte that came out is r = (1 − p)·q + p/V: the
/// loss is −ln r, and the gradient that of −ln q times w = (1 − p)·q/r, the probability that the
/// byte is the one that went in.
/// - Source: Daras et al. 2024 (2411.02780) train on noisy beside clean data; the likelihood of a
///   byte is worked out for Seismo.
struct NoisyChannel {
  /// p; 0 changes nothing.
  let noise: Float

  /// What a cross-entropy of `loss` nats without the channel becomes, and the factor of its
  /// gradient.
  @inline(__always)
  func corrected(_ loss: Double, vocabulary: Int) -> (loss: Double, weight: Float) {
    guard noise > 0 else { return (loss, 1) }
    let kept = (1 - Double(noise)) * exp(-loss)
    let all = kept + Double(noise) / Double(vocabulary)
    return (-log(all), Float(kept / all))
  }
}
