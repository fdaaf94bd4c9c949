internal import Kernels

/// h_i = GRU(Proj_i·x, h_{i−1}), logits = G_i·h_i: a router that remembers, token by token, what
/// the layers before it saw. Then softmax, the top K, w = p/Σp over the chosen.
///
/// Every layer with experts has a Proj and a G of its own; the cell is one for all of them, and
/// h_0 = 0. A dense layer passes the state on as it is. The gradient flows through h_{i−1}: without
/// that the state is worse than none.
/// - Source: Qiu et al. 2024 (2408.06793)
struct RecurrentRouter: Router {
  static let name = "rmoe"
  static let hasState = true

  private let stateWidth: Int
  private let isLast: Bool
  /// Proj_i, [p, D]
  private let projection: TensorPlace
  /// G_i, [E, p]
  private let weight: TensorPlace
  private var cell: RecurrentCell?

  init(
    _ configuration: ModelConfiguration, _ experts: ExpertConfiguration, layer: Int,
    plan: inout TensorPlan
  ) {
    stateWidth = experts.routerWidth
    isLast = layer == configuration.mixtureLayers.last
    projection = plan.add(
      "mlp.router.projection.weight", [stateWidth, configuration.width], .router)
    weight = plan.add("mlp.router.weight", [experts.count, stateWidth], .router)
  }

  mutating func planShared(_ plan: inout TensorPlan) {
    cell = RecurrentCell(width: stateWidth, plan: &plan)
  }

  static func weightsPerToken(_ experts: ExpertConfiguration, width: Int) -> Int {
    experts.routerWidth * (width + 6 * experts.routerWidth + experts.count)
  }

  func memory(_ plan: inout MemoryPlan) -> any RouterPass {
    guard let cell else { preconditionFailure("memory for a plan that has not ended") }
    return RecurrentRouterPass(
      cell: cell, projection: projection, weight: weight, isLast: isLast, &plan)
  }
}

extension ExpertRouter {
  /// A GRU over the layers, then as `topk`.
  public static let rmoe = ExpertRouter(RecurrentRouter.self)
}

/// The one cell of all layers; rows in the order r, z, n.
private struct RecurrentCell: Sendable {
  /// W and U, [3p, p]
  let input: TensorPlace
  let state: TensorPlace
  /// [1, 3p]
  let inputBias: TensorPlace
  let stateBias: TensorPlace

  init(width: Int, plan: inout TensorPlan) {
    input = plan.add("router.input.weight", [3 * width, width], .router)
    state = plan.add("router.state.weight", [3 * width, width], .router)
    inputBias = plan.add("router.input.bias", [3 * width], .bias)
    stateBias = plan.add("router.state.bias", [3 * width], .bias)
  }
}

private struct RecurrentRouterPass: RouterPass {
  let cell: RecurrentCell
  let projection: TensorPlace
  let weight: TensorPlace
  let isLast: Bool
  /// Proj·x, [M, p]
  var projected: Matrix
  /// r, z, n and U_n·h + c_n, [M, 4p]
  var gates: Matrix
  var state: State
  /// h_{i−1}; nil in the first layer with experts.
  var previous: State?
  var scores: RouterScores
  let scratch: Scratch

  /// h, [M, p]
  struct State: Sendable {
    var values: Matrix

    func prefix(_ rows: Int) -> State { State(values: values.rows(from: 0, count: rows)) }
  }

  struct Scratch: Sendable {
    /// The state's gradient, [M, p], carried from the last layer with experts to the first.
    let dState: Matrix
    let dGates: Matrix
    let dProjected: Matrix
  }

  init(
    cell: RecurrentCell, projection: TensorPlace, weight: TensorPlace, isLast: Bool,
    _ plan: inout MemoryPlan
  ) {
    let width = projection.rows
    self.cell = cell
    self.projection = projection
    self.weight = weight
    self.isLast = isLast
    projected = plan.matrix(columns: width)
    gates = plan.matrix(columns: 4 * width)
    previous = plan[State.self]
    state = State(values: plan.matrix(columns: width))
    plan[State.self] = state
    scores = RouterScores(experts: weight.rows, &plan)
    scratch = plan.scratch {
      Scratch(
        dState: $0.matrix(columns: width), dGates: $0.matrix(columns: 4 * width),
        dProjected: $0.matrix(columns: width))
    }
  }

  func prefix(_ rows: Int) -> RecurrentRouterPass {
    var result = self
    result.projected = projected.rows(from: 0, count: rows)
    result.gates = gates.rows(from: 0, count: rows)
    result.state = state.prefix(rows)
    result.previous = previous?.prefix(rows)
    result.scores = scores.prefix(rows)
    return result
  }

  func forward(_ input: Matrix, into choices: ExpertChoices, in pass: PassInputs) -> RouterSums {
    let width = projection.rows
    let parameters = pass.parameters
    let cellState = parameters[cell.state]
    pass.multiply(input, transposed: projection, into: projected)
    pass.multiply(
      projected, transposed: cell.input,
      into: gates.columns(from: 0, count: 3 * width))
    let recurrent = gates.columns(from: 3 * width, count: width)
    if let previous {
      multiply(
        previous.values, transposed: cellState.rows(from: 0, count: 2 * width),
        into: gates.columns(from: 0, count: 2 * width), adding: true)
      multiply(
        previous.values, transposed: cellState.rows(from: 2 * width, count: width),
        into: recurrent)
    } else {
      recurrent.clear()
    }
    recurrentCell(
      gates, inputBias: parameters[cell.inputBias], stateBias: parameters[cell.stateBias],
      state: previous?.values, next: state.values)
    pass.multiply(state.values, transposed: weight, into: scores.values)
    return choices.route(scores.values)
  }

  func backward(
    _ choices: ExpertChoiceGradients, input: Matrix, dInput: Matrix, gradients: PassGradients,
    in pass: PassInputs
  ) {
    let tensors = gradients.tensors
    choices.logits(of: scores.values, into: scores.dLogits)
    multiply(transposed: scores.dLogits, state.values, into: tensors[weight], adding: true)
    if isLast { scratch.dState.clear() }
    multiply(scores.dLogits, pass.parameters[weight], into: scratch.dState, adding: true)
    cellBackward(tensors, pass.parameters)
    multiply(transposed: scratch.dProjected, input, into: tensors[projection], adding: true)
    multiply(scratch.dProjected, pass.parameters[projection], into: dInput, adding: true)
    if let previous { stateBackward(previous.values, tensors, pass.parameters) }
  }

  /// From h_i's gradient to the projection's, and to what of h_{i−1}'s does not pass through U.
  private func cellBackward(_ tensors: ParameterView, _ parameters: ParameterView) {
    recurrentCellBackward(
      scratch.dState, gates: gates, state: previous?.values, dGates: scratch.dGates,
      dInputBias: tensors[cell.inputBias], dStateBias: tensors[cell.stateBias])
    let dInputGates = scratch.dGates.columns(from: 0, count: 3 * projection.rows)
    multiply(transposed: dInputGates, projected, into: tensors[cell.input], adding: true)
    multiply(dInputGates, parameters[cell.input], into: scratch.dProjected)
  }

  /// U's gradient, and through U the rest of h_{i−1}'s.
  private func stateBackward(
    _ previous: Matrix, _ tensors: ParameterView, _ parameters: ParameterView
  ) {
    let width = projection.rows
    let parts = [
      (scratch.dGates.columns(from: 0, count: 2 * width), 0..<2 * width),
      (scratch.dGates.columns(from: 3 * width, count: width), 2 * width..<3 * width),
    ]
    for (gradient, rows) in parts {
      multiply(
        transposed: gradient, previous,
        into: tensors[cell.state].rows(from: rows.lowerBound, count: rows.count), adding: true)
      multiply(
        gradient, parameters[cell.state].rows(from: rows.lowerBound, count: rows.count),
        into: scratch.dState, adding: true)
    }
  }
}
