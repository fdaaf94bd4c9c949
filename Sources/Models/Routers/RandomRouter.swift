/// As the top few of a softmax, with a matrix that stays as it was drawn: what a router is worth
/// that learns nothing and yet sends what is alike to the same experts.
struct RandomRouter: LinearRouter {
  static let name = "random"
  static let role = TensorRole.fixed
  let weight: TensorPlace
}

extension ExpertRouter {
  /// As `topk`, with a matrix that stays as it was drawn.
  public static let random = ExpertRouter(RandomRouter.self)
}
