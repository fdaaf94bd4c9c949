package import Kernels
package import Ranks

/// Computes losses and gradients of one model over batches of one size.
///
/// The batch is cut in slices, whoever computes them; each slice has gradients of its own, and ranks
/// and their workers take slices, so that the same batch gives the same bits whatever the number of
/// both. What a pass measures is told to all ranks. Memory is planned here once. One caller at a
/// time: the passes share it.
package final class TransformerEngine {
  package let configuration: ModelConfiguration
  package let batch: Int
  package let layout: ParameterLayout
  /// Those of all ranks.
  package let slices: Int
  package let memoryBytes: Int
  /// One gradient a slice of this rank; the sum of all ranks' over a binary tree is the gradient of
  /// the batch's mean loss.
  package let sliceGradients: [FloatBuffer]
  /// What is not trained, where an adapter is; nil where all is.
  package let trunk: FloatBuffer?

  private let pool: WorkerPool
  package let ranks: any RankGroup
  let model: Transformer
  private let needsBalance: Bool
  let activations: [Activations]
  let sums: [PassSums]
  private let balance: FloatBuffer
  private let routerBias: FloatBuffer
  private let arena: Arena
  let windows: TokenRows
  private let wholePasses: Round<PassPlan>
  private let forwardPasses: Round<PassPlan>
  private let backwardPasses: Round<PassPlan>
  let readingPasses: Round<PassPlan>
  /// Its arrays are filled anew by every step, in the same memory.
  var statistics = StepStatistics()

  /// The slices that a batch is cut in unless told otherwise.
  package static func slices(ofBatch batch: Int) -> Int {
    [4, 2, 1].first { batch % $0 == 0 } ?? 1
  }

  /// - Parameters: `slices` divide the batch, and `ranks` the slices; nil for as many as the batch's
  ///   size alone gives; `trunk` has what is not trained, where an adapter is; `takesGradients` is
  ///   false for an engine that is asked for losses alone, whose gradients then cost no memory
  package init(
    configuration: ModelConfiguration, batch: Int, slices: Int? = nil, pool: WorkerPool,
    ranks: any RankGroup = SoleRank(), trunk: FloatBuffer? = nil, takesGradients: Bool = true
  ) {
    precondition(batch > 0, "a batch of \(batch)")
    let slices = slices ?? Self.slices(ofBatch: batch)
    precondition(batch % slices == 0, "a batch of \(batch) in \(slices) slices")
    precondition(slices % ranks.count == 0, "\(slices) slices for \(ranks.count) ranks")
    let own = slices / ranks.count
    self.configuration = configuration
    self.batch = batch
    self.pool = pool
    self.ranks = ranks
    let model = Transformer(configuration)
    self.model = model
    layout = model.layout
    precondition(trunk?.count ?? 0 == model.layout.trunkCount, "a trunk of another layout")
    self.trunk = trunk
    self.slices = slices
    // A mixture's forward passes all end before the first backward one begins: the balance loss
    // needs the load of the whole batch. A dense slice is done with its memory when it ends.
    // A router of two passes needs no load.
    needsBalance = configuration.experts != nil && configuration.passes == 1
    let passes = needsBalance ? own : min(pool.workers, own) * configuration.passes
    let rows = batch / slices * configuration.context
    let arena = Arena()
    var plan = MemoryPlan(arena: arena, rows: rows)
    activations = (0..<passes).map { _ in Activations(model, &plan) }
    sums = (0..<slices * configuration.passes).map { _ in PassSums(configuration) }
    let buffers = (0..<own).map { _ in
      takesGradients
        ? FloatBuffer(count: model.layout.count) : FloatBuffer(untouched: model.layout.count)
    }
    sliceGradients = buffers
    balance = FloatBuffer(count: max(configuration.routerBiasCount, 1))
    let memory = SliceMemory(
      firstSlice: ranks.rank * own, activations: activations, sums: sums,
      gradients: buffers.map { ParameterView($0) }, balance: balance)
    wholePasses = Round(
      on: pool, configuration.passes == 2 ? memory.runTwoPasses : memory.runWholePass)
    forwardPasses = Round(on: pool, memory.runForward)
    backwardPasses = Round(on: pool, memory.runBackward)
    readingPasses = Round(on: pool, memory.runReading)
    routerBias = FloatBuffer(count: max(configuration.routerBiasCount, 1))
    self.arena = arena
    windows = TokenRows(rows: batch, positions: configuration.context)
    memoryBytes = arena.bytes + (takesGradients ? buffers.reduce(0) { $0 + $1.bytes } : 0)
  }

  /// The loss of a batch, and its gradients in `sliceGradients`.
  ///
  /// Once its arrays have grown it allocates nothing, if the statistics of the step before are gone.
  /// - Parameters: `tokens` are `batch` rows of T+1 tokens; `noise` [batch] is the probability with
  ///   which a channel redrew each row's bytes, whose losses are then the channel's; empty where all
  ///   are taken as they are; `tokenLoss` is what the tokens' loss is, nil for a mean; `sparse` says
  ///   what of the matrices is not there, in `parameters` zeros whose gradients stay as they were
  package func lossAndGradients(
    parameters: FloatBuffer, tokens: UnsafeBufferPointer<Token>, settings: LossSettings,
    noise: [Float] = [], tokenLoss: (any TokenLoss)? = nil, sparse: SparseMatrices? = nil
  ) -> StepStatistics {
    windows.fill(from: tokens, noise: noise)
    precondition(
      tokenLoss == nil || configuration.passes == 1, "two passes have a loss of their own")
    var plan = plan(parameters, settings)
    (plan.tokenLoss, plan.sparse) = (tokenLoss, sparse)
    if needsBalance {
      forwardPasses.run(jobs: sliceGradients.count, plan)
      shareSums()
      weighBalance(settings.balanceLoss)
      backwardPasses.run(jobs: sliceGradients.count, order: .backwards, plan)
    } else {
      wholePasses.run(jobs: sliceGradients.count, plan)
      shareSums()
    }
    statistics.measure(
      sums[...], samples: batch * configuration.passes, settings: settings, configuration)
    return statistics
  }

  /// Has every rank know what the passes over all slices measured.
  func shareSums() {
    guard ranks.count > 1 else { return }
    let passes = configuration.passes
    let bySlice = (0..<slices).flatMap { slice in
      (0..<passes).map { sums[$0 * slices + slice] }
    }
    ranks.share(bySlice, bounds: ranks.bounds(of: slices).map { $0 * passes })
  }

  /// How much of the last passes' time the forward ones took.
  package var forwardShare: Double {
    let times = sums.reduce((forward: 0.0, all: 0.0)) { total, sums in
      let forward = Double(sums.times[0])
      return (total.forward + forward, total.all + forward + Double(sums.times[1]))
    }
    return times.all > 0 ? times.forward / times.all : 0
  }

  func plan(_ parameters: FloatBuffer, _ settings: LossSettings) -> PassPlan {
    precondition(parameters.count == layout.count, "parameters of another layout")
    return PassPlan(
      configuration: configuration, ends: model.ends, settings: settings,
      parameters: ParameterView(parameters, trunk: trunk), windows: windows, sums: sums,
      routerBias: preparedBias(settings), slices: slices)
  }

  private func preparedBias(_ settings: LossSettings) -> FloatBuffer {
    let count = configuration.routerBiasCount
    precondition([0, count].contains(settings.routerBias.count), "a bias of another shape")
    for entry in 0..<count {
      routerBias[entry] = settings.routerBias.isEmpty ? 0 : settings.routerBias[entry]
    }
    return routerBias
  }

  /// c·E·f_e over the batch's tokens: what the balance loss adds to each probability's gradient.
  private func weighBalance(_ coefficient: Float) {
    guard let experts = configuration.experts else { return }
    let tokens = Double(batch * configuration.context)
    for entry in 0..<configuration.routerBiasCount {
      let count = sums.reduce(0) { $0 + $1.expertCounts[entry] }
      let share = Double(count) / (tokens * Double(experts.active))
      balance[entry] = Float(Double(coefficient) * Double(experts.count) * share / tokens)
    }
  }
}

extension TransformerEngine {
  /// The loss of any number of windows, without gradients.
  ///
  /// - Parameters: `tokens` are `rows` windows of T+1 tokens; they are taken in groups of a slice's
  ///   size, a last one may be smaller; `noise` [rows] as for a step
  package func loss(
    parameters: FloatBuffer, tokens: UnsafeBufferPointer<Token>, rows: Int,
    settings: LossSettings, noise: [Float] = []
  ) -> StepStatistics {
    statistics(
      parameters: [parameters], tokens: tokens, rows: rows, settings: settings, noise: noise)[0]
  }

  /// The losses of the same windows under several parameters.
  /// - Parameters: `tokenLosses` takes each token's own loss, a buffer [rows·T] for each of them
  package func losses(
    parameters: [FloatBuffer], tokens: UnsafeBufferPointer<Token>, rows: Int,
    settings: LossSettings, tokenLosses: [Buffer<Double>]? = nil
  ) -> [Double] {
    statistics(
      parameters: parameters, tokens: tokens, rows: rows, settings: settings,
      tokenLosses: tokenLosses
    ).map(\.loss)
  }

  /// The logits, [rows·T, V] in row-major order.
  package func logits(
    parameters: FloatBuffer, tokens: UnsafeBufferPointer<Token>, rows: Int, settings: LossSettings
  ) -> [Float] {
    var result: [Float] = []
    forward(parameters: parameters, tokens: tokens, rows: rows, settings: settings) { memory in
      result += memory.logits.values
    }
    return result
  }

  /// The normalised residual stream, [rows·T, D] in row-major order: as each block's mixer reads it,
  /// the first that of the embeddings, and as the unembedding does.
  package func features(
    parameters: FloatBuffer, tokens: UnsafeBufferPointer<Token>, rows: Int, settings: LossSettings
  ) -> [[Float]] {
    var result = [[Float]](repeating: [], count: configuration.layers + 1)
    forward(parameters: parameters, tokens: tokens, rows: rows, settings: settings) { memory in
      let norms = memory.blocks.map(\.mixerInput) + [memory.final]
      for (layer, norm) in norms.enumerated() { result[layer] += norm.output.values }
    }
    return result
  }

  /// A pass over up to a slice's windows at a time; `body` sees what each leaves.
  private func forward(
    parameters: FloatBuffer, tokens: UnsafeBufferPointer<Token>, rows: Int,
    settings: LossSettings, _ body: (Activations) -> Void
  ) {
    let samples = batch / slices
    let view = ParameterView(parameters, trunk: trunk)
    let windows = TokenRows(tokens, rows: rows, positions: configuration.context)
    for start in stride(from: 0, to: rows, by: samples) {
      let count = min(samples, rows - start)
      let memory = activations[0].prefix(count * configuration.context)
      let inputs = PassInputs(
        parameters: view, settings: settings, tokens: windows.rows(from: start, count: count),
        batchTokens: rows * configuration.context, number: nil,
        firstToken: start * configuration.context, sums: PassSums(configuration),
        routerBias: preparedBias(settings), adapters: memory.adapters)
      TransformerPass(
        configuration: configuration, ends: model.ends, inputs: inputs, activations: memory
      ).forward(weight: nil)
      body(memory)
    }
  }

  private func statistics(
    parameters: [FloatBuffer], tokens: UnsafeBufferPointer<Token>, rows: Int,
    settings: LossSettings, noise: [Float] = [], tokenLosses: [Buffer<Double>]? = nil
  ) -> [StepStatistics] {
    precondition(rows > 0, "the loss of \(rows) windows")
    if let tokenLosses {
      let needed = rows * configuration.context
      precondition(
        tokenLosses.count == parameters.count && tokenLosses.allSatisfy { $0.count == needed },
        "\(tokenLosses.count) buffers for the losses of \(parameters.count) · \(needed) tokens")
    }
    let (configuration, ends, samples) = (configuration, model.ends, batch / slices)
    let windows = TokenRows(
      tokens, rows: rows, positions: configuration.context, noise: noise)
    let views = parameters.map { ParameterView($0, trunk: trunk) }
    let groups = (rows + samples - 1) / samples
    let jobs = parameters.count * groups
    let sums = (0..<jobs).map { _ in PassSums(configuration) }
    let bounds = ranks.bounds(of: jobs)
    let (first, end) = (bounds[ranks.rank], bounds[ranks.rank + 1])
    let lanes = min(activations.count, pool.workers)
    let (activations, routerBias) = (activations, preparedBias(settings))
    pool.run(jobs: lanes) { lane, _ in
      for job in stride(from: first + lane, to: end, by: lanes) {
        let start = job % groups * samples
        let count = min(samples, rows - start)
        let inputs = PassInputs(
          parameters: views[job / groups], settings: settings,
          tokens: windows.rows(from: start, count: count),
          batchTokens: rows * configuration.context, number: nil,
          firstToken: start * configuration.context, sums: sums[job], routerBias: routerBias,
          adapters: activations[lane].adapters)
        TransformerPass(
          configuration: configuration, ends: ends, inputs: inputs,
          activations: activations[lane].prefix(count * configuration.context),
          tokenLosses: tokenLosses?[job / groups]
        ).forward(weight: nil)
      }
    }
    ranks.share(sums, bounds: bounds)
    if let tokenLosses {
      let starts = bounds.map { job in
        (job / groups * rows + min(job % groups * samples, rows)) * configuration.context
      }
      ranks.share(tokenLosses, bounds: starts)
    }
    return (0..<parameters.count).map { index in
      var statistics = StepStatistics()
      statistics.measure(
        sums[index * groups..<(index + 1) * groups], samples: rows,
        settings: settings, configuration)
      return statistics
    }
  }
}
