internal import Dispatch
package import Kernels

/// What is trained beside one frozen weight W: y = x·Wᵀ has what it makes of x added.
///
/// A conformer is a file in this folder and a line in `AdapterMethod`.
protocol LinearAdapter: Sendable {
  /// Its tensors take their places among what is trained, under the weight's name.
  init(
    _ configuration: AdapterConfiguration, weight: TensorPlace, name: String,
    plan: inout TensorPlan)

  /// - Shapes: `x` [M, in]; `y` [M, out], added to
  func forward(
    _ x: Matrix, addingTo y: Matrix, _ scratch: AdapterScratch, _ parameters: ParameterView)

  /// Of the same input as the forward pass: nothing is kept in between.
  ///
  /// - Shapes: `dY` [M, out]; `x` [M, in]; `dX` [M, in], added to
  func backward(
    _ dY: Matrix, input x: Matrix, addingTo dX: Matrix, _ scratch: AdapterScratch,
    _ gradients: PassGradients, _ parameters: ParameterView)

  /// Adds to W what makes it do the adapter's work too.
  ///
  /// - Shapes: `weight` [out, in]
  func merge(into weight: Matrix, _ parameters: ParameterView)

  /// Computes what it needs of the weight beside it, once the trunk is there.
  func derive(_ trunk: ParameterView)
}

extension LinearAdapter {
  func derive(_ trunk: ParameterView) {}
}

/// What an adapter needs for the length of one product: [M, r] each.
struct AdapterScratch: Sendable {
  let inner: Matrix
  let dInner: Matrix

  func prefix(_ rows: Int) -> AdapterScratch {
    AdapterScratch(
      inner: inner.rows(from: 0, count: rows), dInner: dInner.rows(from: 0, count: rows))
  }
}

/// A model's adapters beside its weights in the memory of one pass.
struct AdapterPass: Sendable {
  private let adapters: [any LinearAdapter]
  private let scratch: AdapterScratch

  /// Nil for a model without.
  init?(_ model: Transformer, _ plan: MemoryPlan) {
    guard let adapter = model.configuration.adapter, !model.adapters.isEmpty else { return nil }
    adapters = model.adapters
    scratch = AdapterScratch(
      inner: plan.matrix(columns: adapter.rank), dInner: plan.matrix(columns: adapter.rank))
  }

  func forward(
    _ x: Matrix, _ place: TensorPlace, addingTo y: Matrix, _ parameters: ParameterView
  ) {
    guard let number = place.adapter else { return }
    adapters[number].forward(x, addingTo: y, scratch.prefix(x.rows), parameters)
  }

  func backward(
    _ dY: Matrix, _ place: TensorPlace, input x: Matrix, addingTo dX: Matrix,
    _ gradients: PassGradients, _ parameters: ParameterView
  ) {
    guard let number = place.adapter else { return }
    adapters[number].backward(
      dY, input: x, addingTo: dX, scratch.prefix(x.rows), gradients, parameters)
  }
}

/// Fills what an adapter computes from the frozen weights into the trunk behind them: to be called
/// once these are read.
package func deriveAdapters(_ configuration: ModelConfiguration, trunk: FloatBuffer) {
  let adapters = Transformer(configuration).adapters
  let view = ParameterView(trunk, trunk: trunk)
  DispatchQueue.concurrentPerform(iterations: adapters.count) { adapters[$0].derive(view) }
}
