internal import Kernels

/// A router whose logits are one product, W_r·x.
protocol LinearRouter: Router {
  /// What the matrix [E, D] is to an optimiser.
  static var role: TensorRole { get }
  var weight: TensorPlace { get }
  init(weight: TensorPlace)
}

extension LinearRouter {
  static var role: TensorRole { .router }

  init(
    _ configuration: ModelConfiguration, _ experts: ExpertConfiguration, layer: Int,
    plan: inout TensorPlan
  ) {
    self.init(
      weight: plan.add("mlp.router.weight", [experts.count, configuration.width], Self.role))
  }

  func memory(_ plan: inout MemoryPlan) -> any RouterPass {
    LinearRouterPass(weight: weight, learns: Self.role != .fixed, &plan)
  }
}

private struct LinearRouterPass: RouterPass {
  let weight: TensorPlace
  let learns: Bool
  var scores: RouterScores

  init(weight: TensorPlace, learns: Bool, _ plan: inout MemoryPlan) {
    self.weight = weight
    self.learns = learns
    scores = RouterScores(experts: weight.rows, &plan)
  }

  func prefix(_ rows: Int) -> LinearRouterPass {
    var result = self
    result.scores = scores.prefix(rows)
    return result
  }

  func forward(_ input: Matrix, into choices: ExpertChoices, in pass: PassInputs) -> RouterSums {
    pass.multiply(input, transposed: weight, into: scores.values)
    return choices.route(scores.values)
  }

  func backward(
    _ choices: ExpertChoiceGradients, input: Matrix, dInput: Matrix, gradients: PassGradients,
    in pass: PassInputs
  ) {
    let dLogits = scores.dLogits
    choices.logits(of: scores.values, into: dLogits)
    if learns {
      multiply(transposed: dLogits, input, into: gradients.tensors[weight], adding: true)
    }
    multiply(dLogits, pass.parameters[weight], into: dInput, adding: true)
  }
}

/// A router's scores, kept, and their gradients, scratch.
struct RouterScores: Sendable {
  /// [M, E]
  private(set) var values: Matrix
  let dLogits: Matrix

  init(experts: Int, _ plan: inout MemoryPlan) {
    values = plan.matrix(columns: experts)
    dLogits = plan.scratch { Scratch(dLogits: $0.matrix(columns: experts)) }.dLogits
  }

  func prefix(_ rows: Int) -> RouterScores {
    var result = self
    result.values = values.rows(from: 0, count: rows)
    return result
  }

  private struct Scratch: Sendable {
    let dLogits: Matrix
  }
}
