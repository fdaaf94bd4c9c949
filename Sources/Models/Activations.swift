internal import Kernels

/// What one slice's pass keeps between forward and backward, and the scratch of both.
struct Activations: Sendable {
  var layers: [LayerActivations]
  /// The residual stream: every block adds to it in place.
  var residual: Matrix
  var final: NormActivations
  var logits: Matrix
  var scratch: PassScratch

  init(_ configuration: ModelConfiguration, rows: Int, arena: Arena) {
    let width = configuration.width
    residual = arena.matrix(rows: rows, columns: width)
    layers = (0..<configuration.layers).map { layer in
      LayerActivations(
        configuration, experts: configuration.experts(inLayer: layer), rows: rows, arena: arena)
    }
    final = NormActivations(rows: rows, columns: width, arena: arena)
    logits = arena.matrix(rows: rows, columns: configuration.vocabulary)
    scratch = PassScratch(configuration, rows: rows, arena: arena)
  }

  /// The same memory for fewer rows.
  func prefix(_ rows: Int) -> Activations {
    guard rows < residual.rows else { return self }
    var result = self
    result.residual = residual.rows(from: 0, count: rows)
    result.layers = layers.map { $0.prefix(rows) }
    result.final = final.prefix(rows)
    result.logits = logits.rows(from: 0, count: rows)
    result.scratch = scratch.prefix(rows)
    return result
  }
}

/// What a LayerNorm keeps.
struct NormActivations: Sendable {
  var normalised: Matrix
  var reciprocal: Matrix
  var output: Matrix

  init(rows: Int, columns: Int, arena: Arena) {
    normalised = arena.matrix(rows: rows, columns: columns)
    output = arena.matrix(rows: rows, columns: columns)
    reciprocal = arena.matrix(rows: 1, columns: rows)
  }

  func prefix(_ rows: Int) -> NormActivations {
    var result = self
    result.normalised = normalised.rows(from: 0, count: rows)
    result.output = output.rows(from: 0, count: rows)
    return result
  }
}

struct LayerActivations: Sendable {
  var attentionInput: NormActivations
  /// Rows of [H][q|k|v][Dh]; queries and keys are rotated in place while qk-layernorm is off.
  var queryKeyValue: Matrix
  var attentionOutput: Matrix
  /// [samples·H, T]
  var logSumExp: Matrix
  var feedForwardInput: NormActivations
  var feedForward: FeedForwardActivations

  init(
    _ configuration: ModelConfiguration, experts: ExpertConfiguration?, rows: Int, arena: Arena
  ) {
    let width = configuration.width
    attentionInput = NormActivations(rows: rows, columns: width, arena: arena)
    queryKeyValue = arena.matrix(rows: rows, columns: 3 * width)
    attentionOutput = arena.matrix(rows: rows, columns: width)
    logSumExp = arena.matrix(
      rows: rows / configuration.context * configuration.heads, columns: configuration.context)
    feedForwardInput = NormActivations(rows: rows, columns: width, arena: arena)
    if let experts {
      feedForward = .mixture(MixtureActivations(width, experts, rows: rows, arena: arena))
    } else {
      feedForward = .dense(
        DenseActivations(rows: rows, columns: configuration.feedForwardWidth, arena: arena))
    }
  }

  func prefix(_ rows: Int) -> LayerActivations {
    var result = self
    result.attentionInput = attentionInput.prefix(rows)
    result.queryKeyValue = queryKeyValue.rows(from: 0, count: rows)
    result.attentionOutput = attentionOutput.rows(from: 0, count: rows)
    result.feedForwardInput = feedForwardInput.prefix(rows)
    result.feedForward = feedForward.prefix(rows)
    return result
  }
}

enum FeedForwardActivations: Sendable {
  case dense(DenseActivations)
  case mixture(MixtureActivations)

  func prefix(_ rows: Int) -> FeedForwardActivations {
    switch self {
    case .dense(let dense): .dense(dense.prefix(rows))
    case .mixture(let mixture): .mixture(mixture.prefix(rows))
    }
  }
}

struct DenseActivations: Sendable {
  /// The hidden layer before GELU, then GELU's derivative there.
  var slope: Matrix
  var activated: Matrix

  init(rows: Int, columns: Int, arena: Arena) {
    slope = arena.matrix(rows: rows, columns: columns)
    activated = arena.matrix(rows: rows, columns: columns)
  }

  func prefix(_ rows: Int) -> DenseActivations {
    var result = self
    result.slope = slope.rows(from: 0, count: rows)
    result.activated = activated.rows(from: 0, count: rows)
    return result
  }
}

struct MixtureActivations: Sendable {
  let routing: ExpertRouting
  /// [M, E]
  var scores: Matrix
  /// By assignment, ordered by expert: [M·active, …]
  var gathered: Matrix
  var hidden: DenseActivations
  var outputs: Matrix
  /// The shared expert's, [M, F]
  var shared: DenseActivations?
  var recurrent: RecurrentActivations?

  init(_ width: Int, _ experts: ExpertConfiguration, rows: Int, arena: Arena) {
    let assignments = rows * experts.active
    routing = ExpertRouting(
      arena: arena, rows: rows, experts: experts.count, active: experts.active,
      form: experts.router.form)
    scores = arena.matrix(rows: rows, columns: experts.count)
    gathered = arena.matrix(rows: assignments, columns: width)
    hidden = DenseActivations(rows: assignments, columns: experts.width, arena: arena)
    outputs = arena.matrix(rows: assignments, columns: width)
    if experts.sharedWidth > 0 {
      shared = DenseActivations(rows: rows, columns: experts.sharedWidth, arena: arena)
    }
    if experts.router == .rmoe {
      recurrent = RecurrentActivations(rows: rows, width: experts.routerWidth, arena: arena)
    }
  }

  func prefix(_ rows: Int) -> MixtureActivations {
    var result = self
    let assignments = rows * routing.active
    result.scores = scores.rows(from: 0, count: rows)
    result.gathered = gathered.rows(from: 0, count: assignments)
    result.hidden = hidden.prefix(assignments)
    result.outputs = outputs.rows(from: 0, count: assignments)
    result.shared = shared?.prefix(rows)
    result.recurrent = recurrent?.prefix(rows)
    return result
  }
}
