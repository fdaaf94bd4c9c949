import Foundation
package import Kernels
package import Models

/// What the loss becomes when weights are rounded to a format.
package struct RoundedLoss: Sendable {
  package struct Entry: Sendable {
    package let format: NumberFormat
    package let scale: ScaleGroup
    /// Nats a token with all matrices so rounded.
    package let loss: Double
  }

  /// A matrix rounded by itself.
  package struct Sensitivity: Sendable {
    package let tensor: String
    package let format: NumberFormat
    package let scale: ScaleGroup
    /// What the loss rises by, nats a token.
    package let rise: Double
  }

  /// With the weights as they are.
  package let loss: Double
  package let tokens: Int
  package let entries: [Entry]
  package let sensitivities: [Sensitivity]

  /// What each matrix is tried in by itself: the usual one of eight bits and of four.
  private static let usual: [(NumberFormat, ScaleGroup)] = [(.int8, .tensor), (.nf4, .block64)]

  /// - Parameters: `alone` is how many windows matrices are tried on by themselves
  package init(_ trial: ModelTrial, alone: Int) {
    loss = trial.loss()
    tokens = trial.windows * trial.context
    entries = NumberFormat.allCases.flatMap { format in
      ScaleGroup.allCases.map { scale in
        let loss = trial.loss { weights in
          for tensor in trial.matrices { weights.round(tensor, to: format, scale) }
        }
        return Entry(format: format, scale: scale, loss: loss)
      }
    }
    let base = trial.loss(limit: alone)
    sensitivities = trial.matrices.flatMap { tensor in
      Self.usual.map { format, scale in
        let loss = trial.loss(limit: alone) { $0.round(tensor, to: format, scale) }
        return Sensitivity(tensor: tensor.name, format: format, scale: scale, rise: loss - base)
      }
    }
  }
}

extension FloatBuffer {
  /// Rounds one tensor in its place.
  package func round(_ tensor: ParameterTensor, to format: NumberFormat, _ scale: ScaleGroup) {
    let group =
      switch scale {
      case .tensor: tensor.count
      case .row: tensor.fanIn
      case .block64: TensorSurvey.block
      }
    let peaks = FloatBuffer(count: (tensor.count + group - 1) / group)
    groupPeaks(self, from: tensor.offset, count: tensor.count, group: group, into: peaks)
    Kernels.round(
      self, from: tensor.offset, count: tensor.count, group: group, peaks: peaks, to: format)
  }
}

/// What four bits cost at temperatures that one samples with.
///
/// At temperature T the model draws from softmax(z/T); a rounded one from another distribution. A low
/// temperature stretches the differences of both.
/// - Source: the divergence is what a sampler sees; that 4-bit models depend more on temperature is
///   the finding on NF4 and FP4 (abstract).
package struct TemperatureCurve: Sendable {
  package struct Point: Sendable {
    package let temperature: Double
    /// Cross-entropy of the text under softmax(z/T), nats a token.
    package let loss: Double
    /// The same of the rounded models, by ``formats``.
    package let rounded: [Double]
    /// KL(p_T ‖ q_T) between the model and the rounded one, mean over tokens, nats.
    package let divergence: [Double]
  }

  package static let formats: [NumberFormat] = [.int4, .nf4, .fp4]
  package static let temperatures = [0.25, 0.5, 0.7, 1, 1.5, 2]

  package let points: [Point]

  /// In blocks of 64, the matrices all together.
  package init(_ trial: ModelTrial, windows: Int) {
    let windows = min(windows, trial.windows)
    let own = trial.logits(trial.parameters, windows: windows)
    let targets = trial.targets(windows: windows)
    let rounded = Self.formats.map { format in
      trial.trial.copy(from: trial.parameters)
      for tensor in trial.matrices { trial.trial.round(tensor, to: format, .block64) }
      return trial.logits(trial.trial, windows: windows)
    }
    points = Self.temperatures.map { temperature in
      let costs = rounded.map {
        Self.compare(own, $0, targets, vocabulary: own.count / targets.count, temperature)
      }
      return Point(
        temperature: temperature, loss: costs[0].own, rounded: costs.map(\.other),
        divergence: costs.map(\.divergence))
    }
  }

  private static func compare(
    _ own: [Float], _ other: [Float], _ targets: [Int], vocabulary: Int, _ temperature: Double
  ) -> (own: Double, other: Double, divergence: Double) {
    var (first, second, divergence) = (0.0, 0.0, 0.0)
    for (row, target) in targets.enumerated() {
      let range = row * vocabulary..<(row + 1) * vocabulary
      let p = logSoftmax(own[range], temperature)
      let q = logSoftmax(other[range], temperature)
      first -= p[target]
      second -= q[target]
      for index in p.indices { divergence += exp(p[index]) * (p[index] - q[index]) }
    }
    let count = Double(targets.count)
    return (first / count, second / count, divergence / count)
  }

  private static func logSoftmax(_ logits: ArraySlice<Float>, _ temperature: Double) -> [Double] {
    let scaled = logits.map { Double($0) / temperature }
    let peak = scaled.max() ?? 0
    let logZ = peak + log(scaled.reduce(0) { $0 + exp($1 - peak) })
    return scaled.map { $0 - logZ }
  }
}
