internal import Kernels

/// p = softmax(W_r·x); the top one with w = p.
///
/// A gate divided by itself would be 1, and the router would learn nothing from the loss.
/// - Source: Fedus et al. 2021
let switchForm = RouterForm(scores: .softmax, normalisesGates: false)
