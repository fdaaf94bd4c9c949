internal import Dispatch
internal import Foundation
package import Kernels

/// Fills new parameters as their roles or their layers say: embedding N(0, 1/D), gains 1, biases 0,
/// matrices a normal truncated at two sigma with standard deviation 1/sqrt(fan-in) after truncation.
///
/// Each tensor has a random stream of its own, from the seed and its name, so that another tensor
/// more or less changes none of the others.
/// - Source: Wortsman et al. 2023, appendix
package func initialise(parameters: FloatBuffer, layout: ParameterLayout, seed: UInt64) {
  precondition(parameters.count == layout.count, "parameters of another layout")
  let tensors = layout.tensors
  DispatchQueue.concurrentPerform(iterations: tensors.count) { index in
    let tensor = tensors[index]
    var random = RandomStream(seed: seed, name: tensor.name)
    let deviation = 1 / Double(tensor.fanIn).squareRoot()
    for element in 0..<tensor.count {
      let value: Float
      switch tensor.initial {
      case .repeating(let values): value = values[element % values.count]
      case .uniform(let bound): value = bound * Float(2 * random.uniform() - 1)
      case .normal: value = Float(random.normal() * deviation)
      case .scaledNormal(let variance):
        value = Float(random.normal() * deviation * Double(variance).squareRoot())
      case .truncatedNormal:
        value = Float(random.truncatedNormal() * deviation / truncatedDeviation)
      }
      parameters[tensor.offset + element] = value
    }
  }
}

/// The standard deviation of a standard normal truncated at ±2.
private let truncatedDeviation = 0.879_625_66

/// xoshiro256** (Blackman and Vigna 2018), seeded by SplitMix64.
package struct RandomStream: Sendable {
  private var state: (UInt64, UInt64, UInt64, UInt64)
  private var spare: Double?

  package init(seed: UInt64) {
    var mixer = seed
    state = (splitMix(&mixer), splitMix(&mixer), splitMix(&mixer), splitMix(&mixer))
  }

  /// A stream of the seed's family; the name is hashed by FNV-1a.
  package init(seed: UInt64, name: String) {
    var mixer = seed
    self.init(seed: splitMix(&mixer) ^ FNV1a(name.utf8).value)
  }

  package mutating func next() -> UInt64 {
    let result = rotate(state.1 &* 5, by: 7) &* 9
    let shifted = state.1 << 17
    state.2 ^= state.0
    state.3 ^= state.1
    state.1 ^= state.2
    state.0 ^= state.3
    state.2 ^= shifted
    state.3 = rotate(state.3, by: 45)
    return result
  }

  /// Uniform in (0, 1].
  package mutating func uniform() -> Double {
    Double((next() >> 11) + 1) * 0x1p-53
  }

  /// Standard normal, by Box and Muller's transform.
  package mutating func normal() -> Double {
    if let value = spare {
      spare = nil
      return value
    }
    let radius = (-2 * log(uniform())).squareRoot()
    let angle = 2 * Double.pi * uniform()
    spare = radius * sin(angle)
    return radius * cos(angle)
  }

  /// Standard normal, drawn again until it lies within ±2.
  package mutating func truncatedNormal() -> Double {
    while true {
      let value = normal()
      if abs(value) <= 2 { return value }
    }
  }
}

private func splitMix(_ state: inout UInt64) -> UInt64 {
  defer { state &+= 0x9e37_79b9_7f4a_7c15 }
  return mix(state)
}

private func rotate(_ value: UInt64, by bits: UInt64) -> UInt64 {
  value << bits | value >> (64 - bits)
}
