internal import Kernels

/// Two linear layers with GELU between them.
package struct GELUFeedForward: Layer {
  package static let name = "gelu"
  private let network: GELUNetwork

  package init(_ configuration: ModelConfiguration, layer: Int, plan: inout TensorPlan) {
    network = GELUNetwork(
      up: "mlp.dense_h_to_4h", down: "mlp.dense_4h_to_h", width: configuration.width,
      hidden: configuration.feedForwardWidth, plan: &plan)
  }

  package static func weightsPerToken(_ configuration: ModelConfiguration) -> Int {
    2 * configuration.width * configuration.feedForwardWidth
  }

  package static func keptPerToken(_ configuration: ModelConfiguration) -> Int {
    2 * configuration.feedForwardWidth
  }

  package func memory(_ plan: inout MemoryPlan) -> any LayerPass {
    let columns = network.up.rows
    return Pass(
      network: network, kept: GELUActivations(rows: plan.rows, columns: columns, plan.arena),
      scratch: plan.scratch { Scratch(dHidden: $0.matrix(columns: columns)) })
  }

  /// [M, F]
  private struct Scratch: Sendable {
    let dHidden: Matrix
  }

  private struct Pass: LayerPass {
    let network: GELUNetwork
    var kept: GELUActivations
    let scratch: Scratch

    func prefix(_ rows: Int) -> Pass {
      var result = self
      result.kept = kept.prefix(rows)
      return result
    }

    func forward(_ input: Matrix, addingTo residual: Matrix, in pass: PassInputs) {
      network.forward(input, addingTo: residual, kept: kept, in: pass)
    }

    func backward(
      _ dOutput: Matrix, input: Matrix, dInput: Matrix, gradients: PassGradients,
      in pass: PassInputs
    ) {
      network.backward(
        dOutput, input: input, kept: kept,
        dHidden: scratch.dHidden.rows(from: 0, count: input.rows), dInput: dInput,
        gradients: gradients, in: pass)
    }
  }
}

extension LayerKind {
  /// Two linear layers with GELU between them.
  public static let gelu = LayerKind(GELUFeedForward.self)
}

/// The tensors of two linear layers with GELU between them, and their two ways.
struct GELUNetwork: Sendable {
  /// [F, D] and [D, F]
  let up: TensorPlace
  let down: TensorPlace

  init(up: String, down: String, width: Int, hidden: Int, plan: inout TensorPlan) {
    self.up = plan.add(up + ".weight", [hidden, width], .matrix)
    self.down = plan.add(down + ".weight", [width, hidden], .matrix)
  }

  init(up: TensorPlace, down: TensorPlace) {
    self.up = up
    self.down = down
  }

  /// - Shapes: `input` [M, D]; `residual` [M, D], added to
  func forward(
    _ input: Matrix, addingTo residual: Matrix, kept: GELUActivations, in pass: PassInputs
  ) {
    pass.multiply(input, transposed: up, into: kept.slope)
    gelu(kept.slope, output: kept.activated)
    pass.multiply(kept.activated, transposed: down, into: residual, adding: true)
  }

  /// - Shapes: `dOutput` [M, D]; `dInput` [M, D], overwritten or added to; `dHidden` [M, F],
  ///   scratch
  func backward(
    _ dOutput: Matrix, input: Matrix, kept: GELUActivations, dHidden: Matrix, dInput: Matrix,
    adding: Bool = false, gradients: PassGradients, in pass: PassInputs
  ) {
    pass.multiplyBackward(
      dOutput, down, input: kept.activated, dInput: dHidden, gradients: gradients)
    geluBackward(dHidden, slope: kept.slope)
    pass.multiplyBackward(
      dHidden, up, input: input, dInput: dInput, adding: adding, gradients: gradients)
  }
}

/// What such a network keeps.
struct GELUActivations: Sendable {
  /// The hidden layer before GELU, then GELU's derivative there.
  var slope: Matrix
  var activated: Matrix

  init(rows: Int, columns: Int, _ arena: Arena) {
    slope = arena.matrix(rows: rows, columns: columns)
    activated = arena.matrix(rows: rows, columns: columns)
  }

  func prefix(_ rows: Int) -> GELUActivations {
    var result = self
    result.slope = slope.rows(from: 0, count: rows)
    result.activated = activated.rows(from: 0, count: rows)
    return result
  }
}
