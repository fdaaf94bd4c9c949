internal import Kernels

/// A linear layer behind two others, one of which is the other's gate: y = W_down·(silu(W_gate·x)∘W_up·x).
///
/// - Source: Shazeer 2020 (2002.05202); the names are those of Llama
package struct SwiGLUFeedForward: Layer {
  package static let name = "swiglu"
  /// [F, D]
  fileprivate let gate: Linear
  fileprivate let up: Linear
  /// [D, F]
  fileprivate let down: Linear

  package init(_ configuration: ModelConfiguration, layer: Int, plan: inout TensorPlan) {
    let (width, hidden) = (configuration.width, configuration.feedForwardWidth)
    let hasBias = configuration.architecture.hasBiases
    gate = plan.addLinear("mlp.gate_proj", [hidden, width], hasBias: hasBias)
    up = plan.addLinear("mlp.up_proj", [hidden, width], hasBias: hasBias)
    down = plan.addLinear("mlp.down_proj", [width, hidden], hasBias: hasBias)
  }

  package static func weightsPerToken(_ configuration: ModelConfiguration) -> Int {
    3 * configuration.width * configuration.feedForwardWidth
  }

  package static func keptPerToken(_ configuration: ModelConfiguration) -> Int {
    3 * configuration.feedForwardWidth
  }

  package func memory(_ plan: inout MemoryPlan) -> any LayerPass { SwiGLUPass(self, &plan) }
}

extension LayerKind {
  /// A linear layer behind two others, one of which is the other's gate.
  public static let swiglu = LayerKind(SwiGLUFeedForward.self)
}

private struct SwiGLUPass: LayerPass {
  private let layer: SwiGLUFeedForward
  /// [M, F] each
  private var gate: Matrix
  private var value: Matrix
  private var hidden: Matrix
  private let scratch: Scratch

  /// [M, F] each
  private struct Scratch: Sendable {
    let dHidden: Matrix
    let dValue: Matrix
  }

  init(_ layer: SwiGLUFeedForward, _ plan: inout MemoryPlan) {
    self.layer = layer
    let columns = layer.up.weight.rows
    gate = plan.matrix(columns: columns)
    value = plan.matrix(columns: columns)
    hidden = plan.matrix(columns: columns)
    scratch = plan.scratch {
      Scratch(dHidden: $0.matrix(columns: columns), dValue: $0.matrix(columns: columns))
    }
  }

  func prefix(_ rows: Int) -> SwiGLUPass {
    var result = self
    result.gate = gate.rows(from: 0, count: rows)
    result.value = value.rows(from: 0, count: rows)
    result.hidden = hidden.rows(from: 0, count: rows)
    return result
  }

  func forward(_ input: Matrix, addingTo residual: Matrix, in pass: PassInputs) {
    pass.multiply(input, by: layer.gate, into: gate)
    pass.multiply(input, by: layer.up, into: value)
    swiGLU(gate: gate, value: value, output: hidden)
    pass.multiply(hidden, by: layer.down, into: residual, adding: true)
  }

  func backward(
    _ dOutput: Matrix, input: Matrix, dInput: Matrix, gradients: PassGradients, in pass: PassInputs
  ) {
    // It becomes the gate's gradient.
    let dHidden = scratch.dHidden.rows(from: 0, count: input.rows)
    let dValue = scratch.dValue.rows(from: 0, count: input.rows)
    pass.multiplyBackward(
      dOutput, by: layer.down, input: hidden, dInput: dHidden, gradients: gradients)
    swiGLUBackward(dHidden, gate: gate, value: value, dGate: dHidden, dValue: dValue)
    pass.multiplyBackward(
      dHidden, by: layer.gate, input: input, dInput: dInput, gradients: gradients)
    pass.multiplyBackward(
      dValue, by: layer.up, input: input, dInput: dInput, adding: true, gradients: gradients)
  }
}
