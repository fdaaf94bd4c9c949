internal import Kernels

/// Memory that a pass needs for the length of one layer.
struct PassScratch: Sendable {
  /// The residual stream's gradient, [M, D]: the only one that lives through all layers.
  var dResidual: Matrix
  var dInput: Matrix
  var dQueryKeyValue: Matrix
  var dAttentionOutput: Matrix
  /// Of the dense layers, [M, F].
  var dHidden: Matrix
  var mixture: MixtureScratch?
  /// Queries and keys as attention sees them while qk-layernorm has a weight.
  var query: BlendedScratch
  var key: BlendedScratch
  let attention: AttentionScratch

  init(_ configuration: ModelConfiguration, rows: Int, arena: Arena) {
    let width = configuration.width
    dResidual = arena.matrix(rows: rows, columns: width)
    dInput = arena.matrix(rows: rows, columns: width)
    dQueryKeyValue = arena.matrix(rows: rows, columns: 3 * width)
    dAttentionOutput = arena.matrix(rows: rows, columns: width)
    let isDense = configuration.mixtureCount < configuration.layers
    dHidden = arena.matrix(
      rows: isDense ? rows : 0, columns: configuration.feedForwardWidth)
    mixture = configuration.experts.map {
      MixtureScratch(width, $0, rows: rows, arena: arena)
    }
    query = BlendedScratch(configuration, rows: rows, arena: arena)
    key = BlendedScratch(configuration, rows: rows, arena: arena)
    attention = AttentionScratch(arena: arena, positions: configuration.context)
  }

  func prefix(_ rows: Int) -> PassScratch {
    var result = self
    result.dResidual = dResidual.rows(from: 0, count: rows)
    result.dInput = dInput.rows(from: 0, count: rows)
    result.dQueryKeyValue = dQueryKeyValue.rows(from: 0, count: rows)
    result.dAttentionOutput = dAttentionOutput.rows(from: 0, count: rows)
    result.query = query.prefix(rows)
    result.key = key.prefix(rows)
    return result
  }
}

struct MixtureScratch: Sendable {
  /// By assignment, [M·active, F], and of the shared expert, [M, F].
  let dHidden: Matrix
  let dShared: Matrix
  let dOutputs: Matrix
  let dGathered: Matrix
  let dGates: Matrix
  let dLogits: Matrix
  let recurrent: RecurrentScratch?

  init(_ width: Int, _ experts: ExpertConfiguration, rows: Int, arena: Arena) {
    let assignments = rows * experts.active
    dHidden = arena.matrix(rows: assignments, columns: experts.width)
    dShared = arena.matrix(rows: rows, columns: experts.sharedWidth)
    dOutputs = arena.matrix(rows: assignments, columns: width)
    dGathered = arena.matrix(rows: assignments, columns: width)
    dGates = arena.matrix(rows: rows, columns: experts.active)
    dLogits = arena.matrix(rows: rows, columns: experts.count)
    recurrent =
      experts.router == .rmoe
      ? RecurrentScratch(rows: rows, width: experts.routerWidth, arena: arena) : nil
  }
}

/// Queries or keys beside their normalised selves: [M, H·2Dh], and what the LayerNorm keeps.
struct BlendedScratch: Sendable {
  var values: Matrix
  var gradients: Matrix
  /// [M, D] seen as [M·H, Dh]
  var normalised: Matrix
  var output: Matrix
  let reciprocal: Matrix

  init(_ configuration: ModelConfiguration, rows: Int, arena: Arena) {
    values = arena.matrix(rows: rows, columns: 2 * configuration.width)
    gradients = arena.matrix(rows: rows, columns: 2 * configuration.width)
    normalised = arena.matrix(rows: rows, columns: configuration.width)
    output = arena.matrix(rows: rows, columns: configuration.width)
    reciprocal = arena.matrix(rows: 1, columns: rows * configuration.heads)
  }

  func prefix(_ rows: Int) -> BlendedScratch {
    var result = self
    result.values = values.rows(from: 0, count: rows)
    result.gradients = gradients.rows(from: 0, count: rows)
    result.normalised = normalised.rows(from: 0, count: rows)
    result.output = output.rows(from: 0, count: rows)
    return result
  }
}
