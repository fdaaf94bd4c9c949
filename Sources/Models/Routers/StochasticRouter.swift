internal import Kernels

/// One expert for all tokens of a training pass, drawn anew in each layer and pass; without
/// gradients, one for each token.
///
/// A step takes two passes over its batch, whose outputs are held together by a divergence.
/// - Parameters: `draw` is the step's; `pass` is 0 or 1 in a step, nil without gradients, where
///   `first` is the number of the first token
/// - Source: Zuo et al. 2021 (2110.04260), THOR
func stochasticDeal(layer: Int, draw: UInt64, pass: Int?, first: Int) -> ExpertDeal {
  let place = draw &+ UInt64(layer + 1) &* 0xd1b5_4a32_d192_ed03
  guard let pass else { return ExpertDeal(unit: .token(first: first), seed: place) }
  return ExpertDeal(unit: .batch, seed: place &+ UInt64(pass + 1) &* 0xa24b_aed4_963e_e407)
}
