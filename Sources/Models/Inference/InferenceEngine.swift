package import Kernels

/// Plans the memory of a lane, in each of its layers from the first on.
package struct InferencePlan {
  package var memory: MemoryPlan
  /// Texts whose keys and values are kept.
  package let slots: Int
  /// Positions of a text that are kept.
  package let places: Int
  package let settings: LossSettings
}

/// A model that continues texts, its weights packed for products with few rows.
///
/// What it computes of a text depends neither on the texts beside it, nor on the passes it is cut in,
/// nor on the number of workers: every product's element is one chain of additions in one order.
///
/// An expert's capacity is a bound on what a training batch asks of it, counted over windows. Texts
/// do not compete for experts here: each token has all of its own, as in training without capacity.
/// A random expert is drawn by a token's place in its text.
package final class InferenceEngine {
  package let configuration: ModelConfiguration
  package private(set) var settings: LossSettings
  let model: Transformer
  private let parameters: FloatBuffer
  private let trunk: FloatBuffer?
  private let routerBias: FloatBuffer
  let weights: PackedWeights
  private let arena = Arena()
  package let pool: WorkerPool

  /// - Parameters: `settings` may have what training alone asks for, which changes nothing here;
  ///   `trunk` has what is not trained, where an adapter is
  package init(
    configuration: ModelConfiguration, settings: LossSettings, parameters: FloatBuffer,
    trunk: FloatBuffer? = nil, pool: WorkerPool
  ) {
    let model = Transformer(configuration)
    precondition(parameters.count == model.layout.count, "parameters of another layout")
    precondition(trunk?.count ?? 0 == model.layout.trunkCount, "a trunk of another layout")
    self.configuration = configuration
    self.model = model
    self.parameters = parameters
    self.trunk = trunk
    self.pool = pool
    self.settings = Self.own(settings)
    routerBias = FloatBuffer(count: max(configuration.routerBiasCount, 1))
    weights = PackedWeights(model, arena: arena)
    read(settings)
  }

  /// Takes the parameters as they are now, and what else of a run changes its outputs, for lanes
  /// that are made from now on.
  package func read(_ settings: LossSettings) {
    self.settings = Self.own(settings)
    let count = configuration.routerBiasCount
    precondition([0, count].contains(settings.routerBias.count), "a bias of another shape")
    routerBias.clear()
    for (entry, bias) in settings.routerBias.enumerated() { routerBias[entry] = bias }
    weights.fill(from: ParameterView(parameters, trunk: trunk), pool: pool)
  }

  package var workers: Int { pool.workers }

  /// Without what training alone asks for.
  private static func own(_ settings: LossSettings) -> LossSettings {
    var own = LossSettings(
      qkLayerNormWeight: settings.qkLayerNormWeight, logitSoftCap: settings.logitSoftCap,
      outputSoftCap: settings.outputSoftCap, draw: settings.draw)
    own.routerBias = settings.routerBias
    return own
  }

  /// What the packed weights take, in bytes.
  package var weightBytes: Int { arena.bytes }

  /// What a position of a text is kept in, over all layers.
  package var cacheBytesPerPlace: Int {
    let isBlended = settings.qkLayerNormWeight > 0 && settings.qkLayerNormWeight < 1
    return configuration.attentionLayers.count * configuration.keyWidth * (isBlended ? 3 : 2)
      * 4
  }

  /// Lanes for as many passes side by side.
  /// - Parameters: `rows` of a pass at most; `slots`, texts kept a lane; `places`, positions kept of
  ///   a text; `splits`: whether the one lane's products are cut over the workers
  package func lanes(
    _ count: Int, rows: Int, slots: Int, places: Int, splits: Bool = false
  ) -> InferenceLanes {
    precondition(count == 1 || !splits, "\(count) lanes cannot all use the workers")
    let arena = Arena()
    var plan = InferencePlan(
      memory: MemoryPlan(arena: arena, rows: rows), slots: slots, places: places,
      settings: settings)
    var weights = weights
    weights.pool = splits ? pool : nil
    let lanes = (0..<count).map { _ in
      plan.memory.beginPass()
      let texts = TextRows(room: rows)
      var inputs = PassInputs(
        parameters: ParameterView(parameters, trunk: trunk), settings: settings,
        tokens: TokenRows(rows: 1, positions: configuration.context), batchTokens: rows,
        number: nil, firstToken: 0, sums: PassSums(configuration), routerBias: routerBias)
      inputs.packed = weights
      inputs.adapters = AdapterPass(model, plan.memory)
      return InferenceLane(model, inputs: inputs, texts: texts, &plan)
    }
    return InferenceLanes(lanes: lanes, arena: arena, engine: self)
  }
}

/// Lanes and the memory that they lie in.
package struct InferenceLanes {
  package let lanes: [InferenceLane]
  private let arena: Arena
  private let engine: InferenceEngine

  fileprivate init(lanes: [InferenceLane], arena: Arena, engine: InferenceEngine) {
    self.lanes = lanes
    self.arena = arena
    self.engine = engine
  }

  package var bytes: Int { arena.bytes }
}

/// The memory of one pass after the other over texts of its own.
package struct InferenceLane: Sendable {
  /// What the rows of the next pass are: set before it.
  package private(set) var texts: TextRows
  /// Of the last pass, capped softly where they are, [M, V].
  package private(set) var logits: Matrix
  private let ends: Transformer.Ends
  private var inputs: PassInputs
  private var blocks: [BlockInference]
  private var ladder: LadderInference?
  private var residual: Matrix
  private var norm: NormActivations

  fileprivate init(
    _ model: Transformer, inputs: PassInputs, texts: TextRows, _ plan: inout InferencePlan
  ) {
    let width = model.configuration.width
    self.texts = texts
    self.inputs = inputs
    self.inputs.texts = texts
    ends = model.ends
    residual = plan.memory.matrix(columns: width)
    norm = NormActivations(columns: width, plan.memory)
    logits = plan.memory.matrix(columns: model.configuration.vocabulary)
    blocks = model.blocks.map { BlockInference($0, &plan) }
    ladder = LadderInference(model, plan)
  }

  /// The same memory for fewer rows.
  package func prefix(_ rows: Int) -> InferenceLane {
    guard rows < texts.count else { return self }
    var result = self
    result.texts = texts.prefix(rows)
    result.inputs.texts = result.texts
    result.residual = residual.rows(from: 0, count: rows)
    result.norm = norm.prefix(rows)
    result.logits = logits.rows(from: 0, count: rows)
    result.blocks = blocks.map { $0.prefix(rows) }
    result.ladder = ladder?.prefix(rows)
    return result
  }

  /// The logits of the last rows of `texts`, of all unless told otherwise, in the first of
  /// `logits`.
  package func forward(last count: Int? = nil) {
    embed(texts, table: inputs.parameters[ends.embedding], output: residual)
    if let positions = ends.positions {
      addPositions(texts, table: inputs.parameters[positions], to: residual)
    }
    ladder?.begin(residual, in: inputs)
    for (layer, block) in blocks.enumerated() {
      block.forward(residual, norm, of: texts, in: inputs)
      ladder?.forward(residual, behind: layer, of: texts, in: inputs)
    }
    ladder?.finish(addingTo: residual, in: inputs)
    let count = count ?? texts.count
    let target = logits.rows(from: 0, count: count)
    norm.normalise(
      residual.rows(from: texts.count - count, count: count), by: ends.finalNorm, in: inputs)
    inputs.multiply(
      norm.output.rows(from: 0, count: count), transposed: ends.unembedding, into: target)
    capLogits(target, at: inputs.settings.outputSoftCap)
  }

  /// Has a slot go on from another one's text, which has come to `positions`.
  package func copy(_ positions: Int, from slot: Int, to other: Int) {
    for block in blocks { block.copy(positions, from: slot, to: other) }
    ladder?.copy(positions, from: slot, to: other)
  }
}
