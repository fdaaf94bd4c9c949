internal import Kernels

/// One expert for all tokens of a training pass, drawn anew in each layer and pass; without
/// gradients, one for each token.
///
/// A step takes two passes over its batch, whose outputs are held together by a divergence.
/// - Source: Zuo et al. 2021 (2110.04260), THOR
struct StochasticRouter: DealingRouter {
  static let name = "thor"
  static let sendsToOne = true
  static let hasCapacity = false
  static let passes = 2
  let layer: Int

  func deal(_ pass: PassInputs) -> ExpertDeal {
    let place = pass.settings.draw &+ UInt64(layer + 1) &* 0xd1b5_4a32_d192_ed03
    guard let number = pass.number else {
      return ExpertDeal(unit: pass.tokenPlaces, seed: place)
    }
    return ExpertDeal(unit: .batch, seed: place &+ UInt64(number + 1) &* 0xa24b_aed4_963e_e407)
  }
}

extension ExpertRouter {
  /// One random expert for a whole batch, two passes a step.
  public static let thor = ExpertRouter(StochasticRouter.self)
}
