package import Kernels

/// How a mixture chooses a token's experts; a file each in this folder.
public enum ExpertRouter: String, Sendable, Hashable, Codable, CaseIterable {
  /// Softmax over all experts, the top few, gates renormalised.
  case topk
  /// Softmax over all experts, the top one, its probability the gate.
  case `switch`
  /// A sigmoid for each expert, the top few, gates normalised.
  case sigmoid
  /// A GRU over the layers, then as `topk`.
  case rmoe
  /// As `topk`, with a matrix that stays as it was drawn.
  case random
  /// A hash of the last two bytes, gates even.
  case hash
  /// One random expert for a whole batch, two passes a step.
  case thor

  /// Whether experts are chosen by scores, and not dealt out.
  package var hasScores: Bool { self != .hash && self != .thor }
  /// Whether each token has one expert, and no more.
  package var sendsToOne: Bool { self == .switch || self == .thor }

  package var form: RouterForm {
    switch self {
    case .topk, .rmoe, .random, .hash, .thor: topKForm
    case .switch: switchForm
    case .sigmoid: sigmoidForm
    }
  }

  /// How much an expert's bias moves after a step, for a rate of 1.
  ///
  /// - Parameters: `load` is the expert's over the mean load: 1 is its even share
  func biasStep(load: Float) -> Float {
    switch form.scores {
    case .softmax: softmaxBiasStep(load: load)
    case .sigmoid: sigmoidBiasStep(load: load)
    }
  }
}
