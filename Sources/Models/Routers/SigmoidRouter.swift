internal import Kernels

/// s = σ(W_r·x) for each expert; the top K of s + b, w = s/Σs over the chosen.
///
/// - Source: DeepSeek-V3 2024, without its factor of 2.5
struct SigmoidRouter: LinearRouter {
  static let name = "sigmoid"
  static let form = RouterForm(scores: .sigmoid, normalisesGates: true)
  let weight: TensorPlace

  /// The sign of the lack of load, 0 where there is none.
  ///
  /// - Source: Wang et al. 2024 (2408.15664), algorithm 1
  static func biasStep(load: Float) -> Float { load < 1 ? 1 : load > 1 ? -1 : 0 }
}

extension ExpertRouter {
  /// A sigmoid for each expert, the top few, gates normalised.
  public static let sigmoid = ExpertRouter(SigmoidRouter.self)
}
