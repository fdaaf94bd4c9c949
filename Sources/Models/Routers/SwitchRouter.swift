internal import Kernels

/// p = softmax(W_r·x); the top one with w = p.
///
/// A gate divided by itself would be 1, and the router would learn nothing from the loss.
/// - Source: Fedus et al. 2021
struct SwitchRouter: LinearRouter {
  static let name = "switch"
  static let form = RouterForm(scores: .softmax, normalisesGates: false)
  static let sendsToOne = true
  let weight: TensorPlace
}

extension ExpertRouter {
  /// Softmax over all experts, the top one, its probability the gate.
  public static let `switch` = ExpertRouter(SwitchRouter.self)
}
