internal import Kernels

/// Two linear layers, each behind a group-rational function whose coefficients are trained: the
/// feed-forward layer of the Kolmogorov–Arnold transformer.
///
/// y = W₂·F₂(W₁·F₁(x)). F₁ begins as the identity and F₂ as swish; the variance of the matrices'
/// first values is Var(x)/E[F(x)²] over the fan-in, so that that of their outputs is 1 where x is
/// normal. There are eight groups, or as many of 4, 2 and 1 as divide the columns.
/// - Source: Yang and Wang 2024 (2409.10594)
package struct KANFeedForward: Layer {
  package static let name = "kat"
  fileprivate let first: RationalPlaces
  fileprivate let up: TensorPlace
  fileprivate let second: RationalPlaces
  fileprivate let down: TensorPlace

  package init(_ configuration: ModelConfiguration, layer: Int, plan: inout TensorPlan) {
    let (width, hidden) = (configuration.width, configuration.feedForwardWidth)
    first = RationalPlaces("mlp.act1", .identity, columns: width, plan: &plan)
    up = plan.add(
      "mlp.dense_h_to_4h.weight", [hidden, width], .matrix,
      initial: .scaledNormal(variance: RationalStart.identity.variance))
    second = RationalPlaces("mlp.act2", .swish, columns: hidden, plan: &plan)
    down = plan.add(
      "mlp.dense_4h_to_h.weight", [width, hidden], .matrix,
      initial: .scaledNormal(variance: RationalStart.swish.variance))
  }

  package static func weightsPerToken(_ configuration: ModelConfiguration) -> Int {
    2 * configuration.width * configuration.feedForwardWidth
  }

  package static func keptPerToken(_ configuration: ModelConfiguration) -> Int {
    configuration.width + 2 * configuration.feedForwardWidth
  }

  package static func signals(_ configuration: ModelConfiguration) -> [LayerSignal] {
    [
      LayerSignal(name: "kat_beyond_first", reduction: .mean),
      LayerSignal(name: "kat_beyond_second", reduction: .mean),
      LayerSignal(name: "kat_reciprocal_max", reduction: .largest),
    ]
  }

  package var functions: [RationalPlaces] { [first, second] }

  package func memory(_ plan: inout MemoryPlan) -> any LayerPass { KANPass(self, &plan) }
}

extension LayerKind {
  /// Two linear layers behind group-rational functions that are trained.
  public static let kat = LayerKind(KANFeedForward.self)
}

private struct KANPass: LayerPass {
  private let layer: KANFeedForward
  private let signals: Range<Int>
  /// F₁ of the input, [M, D].
  private var input: Matrix
  /// W₁ of that and F₂ of the product, [M, F].
  private var hidden: Matrix
  private var activated: Matrix
  private let scratch: Scratch

  /// [M, F]
  private struct Scratch: Sendable {
    let dHidden: Matrix
  }

  init(_ layer: KANFeedForward, _ plan: inout MemoryPlan) {
    self.layer = layer
    signals = plan.signals(3)
    let columns = layer.up.rows
    input = plan.matrix(columns: layer.up.columns)
    hidden = plan.matrix(columns: columns)
    activated = plan.matrix(columns: columns)
    scratch = plan.scratch { Scratch(dHidden: $0.matrix(columns: columns)) }
  }

  func prefix(_ rows: Int) -> KANPass {
    var result = self
    result.input = input.rows(from: 0, count: rows)
    result.hidden = hidden.rows(from: 0, count: rows)
    result.activated = activated.rows(from: 0, count: rows)
    return result
  }

  func forward(_ input: Matrix, addingTo residual: Matrix, in pass: PassInputs) {
    let first = layer.first.functions(pass.parameters).apply(input, output: self.input)
    pass.multiply(self.input, transposed: layer.up, into: hidden)
    let second = layer.second.functions(pass.parameters).apply(hidden, output: activated)
    pass.multiply(activated, transposed: layer.down, into: residual, adding: true)
    let least = min(first.leastDenominator, second.leastDenominator)
    let start = signals.lowerBound
    pass.measure(Double(first.beyond) / Double(input.columns), as: start)
    pass.measure(Double(second.beyond) / Double(hidden.columns), as: start + 1)
    pass.measure(1 / Double(least), as: start + 2)
  }

  func backward(
    _ dOutput: Matrix, input: Matrix, dInput: Matrix, gradients: PassGradients, in pass: PassInputs
  ) {
    let dHidden = scratch.dHidden.rows(from: 0, count: input.rows)
    pass.multiplyBackward(
      dOutput, layer.down, input: activated, dInput: dHidden, gradients: gradients)
    layer.second.backward(dHidden, x: hidden, gradients: gradients, pass.parameters)
    pass.multiplyBackward(
      dHidden, layer.up, input: self.input, dInput: dInput, gradients: gradients)
    layer.first.backward(dInput, x: input, gradients: gradients, pass.parameters)
  }
}
