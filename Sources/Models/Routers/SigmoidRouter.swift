internal import Kernels

/// s = σ(W_r·x) for each expert; the top K of s + b, w = s/Σs over the chosen.
///
/// - Source: DeepSeek-V3 2024, without its factor of 2.5
let sigmoidForm = RouterForm(scores: .sigmoid, normalisesGates: true)

/// The sign of the lack of load, 0 where there is none.
///
/// - Source: Wang et al. 2024 (2408.15664), algorithm 1
func sigmoidBiasStep(load: Float) -> Float { load < 1 ? 1 : load > 1 ? -1 : 0 }
