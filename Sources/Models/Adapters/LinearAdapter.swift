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

  /// r, the width of what it needs for a product.
  var rank: Int { get }

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

  func part(rows: Int, rank: Int) -> AdapterScratch {
    AdapterScratch(
      inner: inner.reshaped(rows: rows, columns: rank),
      dInner: dInner.reshaped(rows: rows, columns: rank))
  }
}

/// What a masked model needs for one product to tell what an adapter adds to it: [M, out] each.
struct ShareScratch: Sendable {
  let frozen: Matrix
  let own: Matrix

  init(_ model: Transformer, _ plan: MemoryPlan) {
    let columns = model.layout.trunk.reduce(0) { widest, tensor in
      tensor.adapter == nil ? widest : max(widest, tensor.place.rows)
    }
    frozen = plan.matrix(columns: columns)
    own = plan.matrix(columns: columns)
  }
}

/// A model's adapters beside its weights in the memory of one pass.
struct AdapterPass: Sendable {
  private let adapters: [any LinearAdapter]
  private let scratch: AdapterScratch
  /// Nil where nothing is told of what they add.
  private let shares: ShareScratch?

  /// Nil for a model without.
  init?(_ model: Transformer, _ plan: MemoryPlan) {
    guard let rank = model.adapters.map({ $0.rank }).max() else { return nil }
    adapters = model.adapters
    scratch = AdapterScratch(
      inner: plan.matrix(columns: rank), dInner: plan.matrix(columns: rank))
    shares = model.configuration.isMasked ? ShareScratch(model, plan) : nil
  }

  /// y = x·Wᵀ with what stands beside W, or y += it, and how much of it is the adapter's.
  /// - Returns: whether it was done: false where nothing is told.
  func multiply(
    _ x: Matrix, transposed place: TensorPlace, into y: Matrix, adding: Bool, in pass: PassInputs
  ) -> Bool {
    guard let shares, let number = place.adapter else { return false }
    let frozen = shares.frozen.reshaped(rows: x.rows, columns: place.rows)
    let own = shares.own.reshaped(rows: x.rows, columns: place.rows)
    Kernels.multiply(x, transposed: pass.parameters[place], into: frozen)
    own.clear()
    forward(x, place, addingTo: own, pass.parameters)
    pass.sums.adapterShares[number] = sumOfShares(own, of: frozen)
    if adding { addRows(frozen, to: y) } else { copyRows(frozen, into: y) }
    addRows(own, to: y)
    return true
  }

  func forward(
    _ x: Matrix, _ place: TensorPlace, addingTo y: Matrix, _ parameters: ParameterView
  ) {
    guard let number = place.adapter else { return }
    let adapter = adapters[number]
    adapter.forward(
      x, addingTo: y, scratch.part(rows: x.rows, rank: adapter.rank), parameters)
  }

  func backward(
    _ dY: Matrix, _ place: TensorPlace, input x: Matrix, addingTo dX: Matrix,
    _ gradients: PassGradients, _ parameters: ParameterView
  ) {
    guard let number = place.adapter else { return }
    let adapter = adapters[number]
    adapter.backward(
      dY, input: x, addingTo: dX, scratch.part(rows: x.rows, rank: adapter.rank), gradients,
      parameters)
  }
}

/// Fills what an adapter computes from the frozen weights into the trunk behind them: to be called
/// once these are read.
package func deriveAdapters(_ configuration: ModelConfiguration, trunk: FloatBuffer) {
  let adapters = Transformer(configuration).adapters
  let view = ParameterView(trunk, trunk: trunk)
  DispatchQueue.concurrentPerform(iterations: adapters.count) { adapters[$0].derive(view) }
}
