internal import Kernels

/// What the texts of a lane have left in a layer of state spaces: as much after a million bytes as
/// after three.
struct StateSpaceTexts: Sendable {
  let rows: TextRows
  /// [slots, D]
  let states: Matrix
  /// [2·slots, D]: the two rows before the convolution, the last one first
  let tails: Matrix
  /// [slots, D]: the sums of the layer's inputs
  let sums: Matrix
}

/// State spaces over texts that grow: the training pass's own steps, from what a text has left.
struct StateSpaceInference: LayerInference {
  private var pass: StateSpacePass
  private let states: Matrix
  private let tails: Matrix
  private let sums: Matrix

  init(_ layer: GroupedStateSpace, _ plan: inout InferencePlan) {
    pass = StateSpacePass(layer, &plan.memory)
    let arena = plan.memory.arena
    states = arena.matrix(rows: plan.slots, columns: layer.width)
    tails = arena.matrix(rows: 2 * plan.slots, columns: layer.width)
    sums = arena.matrix(rows: plan.slots, columns: layer.width)
  }

  func prefix(_ rows: Int) -> StateSpaceInference {
    var result = self
    result.pass = pass.prefix(rows)
    return result
  }

  func forward(
    _ input: Matrix, addingTo residual: Matrix, of texts: TextRows, in pass: PassInputs
  ) {
    self.pass.forward(
      input, addingTo: residual,
      texts: StateSpaceTexts(rows: texts, states: states, tails: tails, sums: sums), in: pass)
  }

  /// The text of `slot` has come to just these positions: what it left is not told by position.
  func copy(_ positions: Int, from slot: Int, to other: Int) {
    for (matrix, rows) in [(states, 1), (tails, 2), (sums, 1)] {
      matrix.rows(from: rows * other, count: rows)
        .copy(from: matrix.rows(from: rows * slot, count: rows))
    }
  }
}
