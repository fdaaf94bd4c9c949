internal import Kernels

/// Two linear layers with GELU between them.
package struct GELUFeedForward: Layer {
  package static let name = "gelu"
  let network: GELUNetwork
  /// F of the widest layer.
  private let widest: Int

  package init(_ configuration: ModelConfiguration, layer: Int, plan: inout TensorPlan) {
    let (names, hasBias) = (configuration.architecture.names, configuration.architecture.hasBiases)
    let (width, hidden) = (configuration.width, configuration.feedForwardWidth)
    var network = GELUNetwork(
      up: plan.addLinear(names.up, [hidden, width], hasBias: hasBias),
      down: plan.addLinear(names.down, [width, hidden], hasBias: hasBias))
    if configuration.isMasked {
      network.mask = plan.addTrained(
        "mlp.channel_mask", [configuration.feedForwardWidth], .coefficients,
        initial: .repeating([1]))
    }
    self.network = network
    widest = configuration.widestFeedForward
  }

  package static func weightsPerToken(_ configuration: ModelConfiguration) -> Int {
    2 * configuration.width * configuration.feedForwardWidth
  }

  package static func keptPerToken(_ configuration: ModelConfiguration) -> Int {
    2 * configuration.feedForwardWidth
  }

  package func memory(_ plan: inout MemoryPlan) -> any LayerPass {
    var kept = GELUActivations(rows: plan.rows, columns: network.up.weight.rows, plan.arena)
    if network.mask != nil { kept.masked = plan.matrix(columns: network.up.weight.rows) }
    return Pass(
      network: network, kept: kept,
      scratch: plan.scratch { Scratch(dHidden: $0.matrix(columns: widest)) })
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
        dHidden: scratch.dHidden.reshaped(rows: input.rows, columns: network.up.weight.rows),
        dInput: dInput,
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
  let up: Linear
  let down: Linear
  /// [1, F], a factor of each hidden channel behind GELU; nil for none.
  var mask: TensorPlace?

  init(up: Linear, down: Linear) {
    self.up = up
    self.down = down
  }

  /// An expert's, which has no biases.
  init(_ name: String, width: Int, hidden: Int, plan: inout TensorPlan) {
    self.init(
      up: plan.addLinear(name + ".up", [hidden, width], hasBias: false),
      down: plan.addLinear(name + ".down", [width, hidden], hasBias: false))
  }

  /// Without biases.
  init(up: TensorPlace, down: TensorPlace) {
    self.init(up: Linear(weight: up), down: Linear(weight: down))
  }

  /// - Shapes: `input` [M, D]; `residual` [M, D], added to
  func forward(
    _ input: Matrix, addingTo residual: Matrix, kept: GELUActivations, in pass: PassInputs
  ) {
    pass.multiply(input, by: up, into: kept.slope)
    gelu(kept.slope, output: kept.activated)
    pass.multiply(masked(kept, in: pass), by: down, into: residual, adding: true)
  }

  private func masked(_ kept: GELUActivations, in pass: PassInputs) -> Matrix {
    guard let mask, let masked = kept.masked else { return kept.activated }
    copyRows(kept.activated, into: masked)
    scaleColumns(masked, by: pass.parameters[mask])
    return masked
  }

  /// - Shapes: `dOutput` [M, D]; `dInput` [M, D], overwritten or added to; `dHidden` [M, F],
  ///   scratch
  func backward(
    _ dOutput: Matrix, input: Matrix, kept: GELUActivations, dHidden: Matrix, dInput: Matrix,
    adding: Bool = false, gradients: PassGradients, in pass: PassInputs
  ) {
    pass.multiplyBackward(
      dOutput, by: down, input: kept.masked ?? kept.activated, dInput: dHidden, gradients: gradients
    )
    if let mask {
      addColumnProducts(dHidden, kept.activated, to: gradients.tensors[mask])
      scaleColumns(dHidden, by: pass.parameters[mask])
    }
    geluBackward(dHidden, slope: kept.slope)
    pass.multiplyBackward(
      dHidden, by: up, input: input, dInput: dInput, adding: adding, gradients: gradients)
  }
}

/// What such a network keeps.
struct GELUActivations: Sendable {
  /// The hidden layer before GELU, then GELU's derivative there.
  var slope: Matrix
  var activated: Matrix
  /// It times the channels' masks; nil without.
  var masked: Matrix?

  init(rows: Int, columns: Int, _ arena: Arena) {
    slope = arena.matrix(rows: rows, columns: columns)
    activated = arena.matrix(rows: rows, columns: columns)
  }

  func prefix(_ rows: Int) -> GELUActivations {
    var result = self
    result.slope = slope.rows(from: 0, count: rows)
    result.activated = activated.rows(from: 0, count: rows)
    result.masked = masked?.rows(from: 0, count: rows)
    return result
  }
}
