internal import Kernels

/// h_i = GRU(Proj_i·x, h_{i−1}), logits = G_i·h_i: a router that remembers, token by token, what
/// the layers before it saw. Then softmax, the top K, w = p/Σp over the chosen.
///
/// Every layer with experts has a Proj and a G of its own; the cell is one for all of them, and
/// h_0 = 0. A dense layer passes the state on as it is. The gradient flows through h_{i−1}: without
/// that the state is worse than none.
/// - Source: Qiu et al. 2024 (2408.06793)
struct RecurrentRouter {
  let cell: CellTensors
  /// Proj_i, [p, D]
  let projection: Matrix
  let activations: RecurrentActivations
  /// h_{i−1}, [M, p]; nil in the first layer with experts.
  let previous: Matrix?

  /// - Shapes: `input` [M, D]
  /// - Returns: h_i, [M, p].
  func forward(_ input: Matrix) -> Matrix {
    let width = projection.rows
    let gates = activations.gates
    multiply(input, transposed: projection, into: activations.projected)
    multiply(
      activations.projected, transposed: cell.input,
      into: gates.columns(from: 0, count: 3 * width))
    let recurrent = gates.columns(from: 3 * width, count: width)
    if let previous {
      multiply(
        previous, transposed: cell.state.rows(from: 0, count: 2 * width),
        into: gates.columns(from: 0, count: 2 * width), adding: true)
      multiply(
        previous, transposed: cell.state.rows(from: 2 * width, count: width), into: recurrent)
    } else {
      recurrent.clear()
    }
    recurrentCell(
      gates, inputBias: cell.inputBias, stateBias: cell.stateBias, state: previous,
      next: activations.state)
    return activations.state
  }

  /// - Shapes: `dState` [M, p] is h_i's gradient and becomes h_{i−1}'s; `dInput` [M, D], added to
  func backward(
    _ input: Matrix, gradients: CellTensors, dProjection: Matrix, scratch: RecurrentScratch,
    dInput: Matrix
  ) {
    let width = projection.rows
    let (dState, dGates) = (scratch.dState, scratch.dGates)
    recurrentCellBackward(
      dState, gates: activations.gates, state: previous, dGates: dGates,
      dInputBias: gradients.inputBias, dStateBias: gradients.stateBias)
    let dInputGates = dGates.columns(from: 0, count: 3 * width)
    multiply(transposed: dInputGates, activations.projected, into: gradients.input, adding: true)
    multiply(dInputGates, cell.input, into: scratch.dProjected)
    multiply(transposed: scratch.dProjected, input, into: dProjection, adding: true)
    multiply(scratch.dProjected, projection, into: dInput, adding: true)
    guard let previous else { return }
    let parts = [
      (dGates.columns(from: 0, count: 2 * width), 0..<2 * width),
      (dGates.columns(from: 3 * width, count: width), 2 * width..<3 * width),
    ]
    for (gradient, rows) in parts {
      multiply(
        transposed: gradient, previous,
        into: gradients.state.rows(from: rows.lowerBound, count: rows.count), adding: true)
      multiply(
        gradient, cell.state.rows(from: rows.lowerBound, count: rows.count), into: dState,
        adding: true)
    }
  }
}

/// The one cell of all layers; rows in the order r, z, n.
struct CellTensors: Sendable {
  /// W and U, [3p, p]
  let input: Matrix
  let state: Matrix
  /// [1, 3p]
  let inputBias: Matrix
  let stateBias: Matrix

  func clear() {
    input.clear()
    state.clear()
    inputBias.clear()
    stateBias.clear()
  }
}

/// What a layer's recurrent router keeps between forward and backward.
struct RecurrentActivations: Sendable {
  /// Proj·x, [M, p]
  let projected: Matrix
  /// r, z, n and U_n·h + c_n, [M, 4p]
  let gates: Matrix
  /// h, [M, p]
  let state: Matrix

  init(rows: Int, width: Int, arena: Arena) {
    self.init(
      projected: arena.matrix(rows: rows, columns: width),
      gates: arena.matrix(rows: rows, columns: 4 * width),
      state: arena.matrix(rows: rows, columns: width))
  }

  private init(projected: Matrix, gates: Matrix, state: Matrix) {
    self.projected = projected
    self.gates = gates
    self.state = state
  }

  func prefix(_ rows: Int) -> RecurrentActivations {
    RecurrentActivations(
      projected: projected.rows(from: 0, count: rows), gates: gates.rows(from: 0, count: rows),
      state: state.rows(from: 0, count: rows))
  }
}

struct RecurrentScratch: Sendable {
  /// The state's gradient, [M, p], carried from the last layer with experts to the first.
  let dState: Matrix
  let dGates: Matrix
  let dProjected: Matrix

  init(rows: Int, width: Int, arena: Arena) {
    dState = arena.matrix(rows: rows, columns: width)
    dGates = arena.matrix(rows: rows, columns: 4 * width)
    dProjected = arena.matrix(rows: rows, columns: width)
  }
}
