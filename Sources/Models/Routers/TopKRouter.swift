internal import Kernels

/// p = softmax(W_r·x) over all experts; the top K, w = p/Σp over the chosen.
///
/// - Source: Lepikhin et al. 2020, with the gates of Mixtral 2024
let topKForm = RouterForm(scores: .softmax, normalisesGates: true)

/// In proportion to the lack of load: with softmax gates a step of the sign is too coarse.
///
/// - Source: Wang et al. 2024, table of variants; their unit of load is not stated, this one is the
///   mean load
func softmaxBiasStep(load: Float) -> Float { 1 - load }
