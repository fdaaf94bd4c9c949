/// p = softmax(W_r·x) over all experts; the top K, w = p/Σp over the chosen.
///
/// - Source: Lepikhin et al. 2020, with the gates of Mixtral 2024
struct TopKRouter: LinearRouter {
  static let name = "topk"
  let weight: TensorPlace
}

extension ExpertRouter {
  /// Softmax over all experts, the top few, gates renormalised.
  public static let topk = ExpertRouter(TopKRouter.self)
}
