import Kernels

/// What a run's loss makes of windows whose bytes were redrawn.
public enum NoiseLoss: String, Sendable, Hashable, CaseIterable, Codable {
  /// That of the channel through which they came: the model is asked for the clean text.
  case corrected
  /// The cross-entropy of the bytes as they are.
  case plain
}

/// Noise in the data: in all windows but the clean ones each byte is redrawn uniformly with one
/// probability.
///
/// Which windows are clean, and what their bytes become, are pure functions of the window's number.
/// - Source: Daras et al. 2024 (2411.02780), for bytes.
package struct Corruption: Sendable {
  /// The probability with which a byte of a noisy window is redrawn; one in 256 stays what it is.
  package let share: Double
  /// The probability with which a window is clean.
  package let cleanShare: Double
  package let loss: NoiseLoss
  private let choice: CounterGenerator
  private let draw: CounterGenerator

  package init(share: Double, cleanShare: Double, loss: NoiseLoss = .corrected, seed: UInt64) {
    (self.share, self.cleanShare, self.loss) = (share, cleanShare, loss)
    choice = CounterGenerator(seed: seed, stream: "clean windows")
    draw = CounterGenerator(seed: seed, stream: "redrawn bytes")
  }

  package func isNoisy(window: Int) -> Bool {
    choice.fraction(at: UInt64(window)) >= cleanShare
  }

  /// Redraws bytes of the window of this number.
  func redraw(_ bytes: UnsafeMutableBufferPointer<Token>, window: Int) {
    guard isNoisy(window: window) else { return }
    let first = UInt64(window) &* UInt64(bytes.count)
    for place in bytes.indices {
      let counter = first &+ UInt64(place)
      guard draw.fraction(at: counter) < share else { continue }
      // A fraction has no part of the low bits.
      bytes[place] = Token(UInt8(truncatingIfNeeded: draw.bits(at: counter)))
    }
  }

  /// Has `noise` say what the loss is to take the bytes of `count` windows for, from number `first`
  /// on; empty where it takes all of them as they are.
  func tell(_ noise: inout [Float], from first: Int, count: Int) {
    noise.removeAll(keepingCapacity: true)
    guard loss == .corrected else { return }
    for row in 0..<count { noise.append(isNoisy(window: first + row) ? Float(share) : 0) }
  }
}

extension TrainingConfiguration {
  /// Refuses options of noise that is not there; a probability of 0 may be one of several.
  func checkNoiseExists(_ options: [String: String]) throws(ConfigurationError) {
    let names = ["clean", "noise-loss"]
    guard options["corrupt"] == nil, let name = names.first(where: { options[$0] != nil }) else {
      return
    }
    throw .idle(option: name, reason: "--\(name) needs noise in the data: add --corrupt 0.3")
  }

  /// The noise in the training windows; nil for none.
  var corruption: Corruption? {
    guard corrupt > 0, clean < 1 else { return nil }
    return Corruption(share: corrupt, cleanShare: clean, loss: noiseLoss, seed: seed)
  }
}
