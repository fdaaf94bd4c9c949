internal import Kernels

/// A router that deals experts out without a weight: it learns nothing.
protocol DealingRouter: Router {
  /// By the number of the block.
  var layer: Int { get }
  init(layer: Int)
  func deal(_ pass: PassInputs) -> ExpertDeal
}

extension DealingRouter {
  static var hasScores: Bool { false }

  init(
    _ configuration: ModelConfiguration, _ experts: ExpertConfiguration, layer: Int,
    plan: inout TensorPlan
  ) {
    self.init(layer: layer)
  }

  func memory(_ plan: inout MemoryPlan) -> any RouterPass {
    DealingRouterPass(router: self)
  }
}

extension PassInputs {
  /// Each token together with the one before it.
  var pairs: ExpertDeal.Unit { texts.map { .textPairs($0) } ?? .pairs(tokens) }
  /// Each token by its number, which is its place in a text that grows.
  var tokenPlaces: ExpertDeal.Unit {
    texts.map { .textPositions($0) } ?? .token(first: firstToken)
  }
}

private struct DealingRouterPass<Dealer: DealingRouter>: RouterPass {
  let router: Dealer

  func prefix(_ rows: Int) -> DealingRouterPass { self }

  func forward(_ input: Matrix, into choices: ExpertChoices, in pass: PassInputs) -> RouterSums {
    choices.deal(router.deal(pass), rows: input.rows)
  }

  func backward(
    _ choices: ExpertChoiceGradients, input: Matrix, dInput: Matrix, gradients: PassGradients,
    in pass: PassInputs
  ) {}
}
