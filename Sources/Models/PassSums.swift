internal import Kernels

/// What one layer adds up over the rows of one pass.
struct LayerSums: Sendable, BitwiseCopyable {
  var attention = AttentionStatistics()
  /// Mean squares of the residual stream after the block.
  var meanSquares = 0.0
  var router = RouterSums()
}

/// The sums of one slice or group of rows, added up in the slices' order afterwards.
struct PassSums: Sendable {
  let layers: Buffer<LayerSums>
  let output: Buffer<OutputSums>
  /// Nanoseconds of the forward and of the backward pass.
  let times: Buffer<UInt64>
  /// [L, H] largest attention logits, by the layers that have some.
  let headLogitMax: Buffer<Float>
  /// [L, E] by the layers that have experts: assignments and sums of router probabilities.
  let expertCounts: Buffer<Int>
  let probabilities: Buffer<Double>
  /// By the layers that have experts.
  let gates: [GateHistogram]
  /// What layers measure besides, in their order: sums over tokens, or the largest.
  let signals: Buffer<Double>
  /// By module of an adapter: sums over tokens of ‖what it adds‖/‖what it is added to‖; empty without
  /// masks.
  let adapterShares: Buffer<Double>

  init(_ configuration: ModelConfiguration) {
    layers = Buffer(repeating: LayerSums(), count: configuration.layers)
    output = Buffer(repeating: OutputSums(), count: 1)
    times = Buffer(count: 2)
    headLogitMax = Buffer(count: configuration.attentionLayers.count * configuration.keptHeads)
    expertCounts = Buffer(count: configuration.routerBiasCount)
    probabilities = Buffer(count: configuration.routerBiasCount)
    gates = configuration.mixtureLayers.map { _ in GateHistogram() }
    signals = Buffer(count: configuration.signals.count)
    adapterShares = Buffer(count: configuration.isMasked ? configuration.moduleCount : 0)
  }
}

extension StepStatistics {
  /// Takes in the means over all passes' rows, in the place of what was there before.
  mutating func measure(
    _ passes: ArraySlice<PassSums>, samples: Int, settings: LossSettings,
    _ shape: ModelConfiguration
  ) {
    clear(mixtures: shape.mixtureCount)
    let tokens = Double(samples * shape.context)
    for pass in passes {
      loss += pass.output[0].loss / tokens
      objective += pass.output[0].objective / tokens
      logZ += pass.output[0].logZ / tokens
      zLoss += Double(settings.zLoss) * pass.output[0].squaredLogZ / tokens
      outputLogitMean += pass.output[0].logitMean / tokens
      divergence += pass.output[0].divergence / tokens
    }
    for head in 0..<(passes.first?.headLogitMax.count ?? 0) {
      headLogitMax.append(passes.reduce(-.infinity) { max($0, $1.headLogitMax[head]) })
    }
    for module in 0..<(passes.first?.adapterShares.count ?? 0) {
      adapterShares.append(passes.reduce(0) { $0 + $1.adapterShares[module] } / tokens)
    }
    for layer in 0..<shape.layers {
      var sums = LayerSums()
      for pass in passes { sums.add(pass.layers[layer]) }
      if shape.mixer(inLayer: layer).conformer.hasAttentionLogits {
        addAttention(sums.attention, samples: samples, shape)
      }
      activationRMS.append(Float((sums.meanSquares / tokens).squareRoot()))
      guard let experts = shape.experts(inLayer: layer) else { continue }
      let mixture = shape.mixtureIndex(ofLayer: layer)
      if experts.router.conformer.hasScores {
        routerEntropy.append(Float(sums.router.entropy / tokens))
        addGates(passes, mixture: mixture, experts)
        routerZ.append(Float(sums.router.logSumExp / tokens))
        routerZLoss += Double(settings.routerZLoss) * sums.router.squaredLogSumExp / tokens
      }
      tokensDropped.append(
        Float(Double(sums.router.dropped) / (tokens * Double(experts.active))))
      addExperts(
        passes, mixture: mixture, experts: experts, balance: settings.balanceLoss, tokens: tokens)
    }
    if passes.first?.signals.count != 0 { addSignals(passes, shape.signals, tokens: tokens) }
  }

  private mutating func addAttention(
    _ sums: AttentionStatistics, samples: Int, _ shape: ModelConfiguration
  ) {
    let rows = Double(samples * shape.context) * Double(shape.keptHeads)
    let laterRows = rows - Double(samples * shape.keptHeads)
    attentionLogitMax.append(sums.logitMax)
    attentionEntropy.append(Float(sums.entropy / rows))
    attentionEntropyShare.append(Float(sums.entropyShare / max(laterRows, 1)))
  }

  private mutating func addSignals(
    _ passes: ArraySlice<PassSums>, _ layers: [ModelConfiguration.Signal], tokens: Double
  ) {
    for (index, signal) in layers.enumerated() {
      let values = passes.lazy.map { $0.signals[index] }
      switch signal.kind.reduction {
      case .mean: signals.append(values.reduce(0, +) / tokens)
      case .largest: signals.append(values.reduce(-.infinity) { max($0, $1) })
      case .smallest: signals.append(values.reduce(.infinity) { min($0, $1) })
      }
    }
  }

  /// Empties the arrays without giving up their memory.
  private mutating func clear(mixtures: Int) {
    (loss, objective, logZ, outputLogitMean, divergence) = (0, 0, 0, 0, 0)
    (balanceLoss, routerZLoss, zLoss) = (0, 0, 0)
    headLogitMax.removeAll(keepingCapacity: true)
    attentionLogitMax.removeAll(keepingCapacity: true)
    attentionEntropy.removeAll(keepingCapacity: true)
    attentionEntropyShare.removeAll(keepingCapacity: true)
    activationRMS.removeAll(keepingCapacity: true)
    routerEntropy.removeAll(keepingCapacity: true)
    routerZ.removeAll(keepingCapacity: true)
    gateInnerBalance.removeAll(keepingCapacity: true)
    gateOuterBalance.removeAll(keepingCapacity: true)
    tokensDropped.removeAll(keepingCapacity: true)
    signals.removeAll(keepingCapacity: true)
    adapterShares.removeAll(keepingCapacity: true)
    if expertCounts.count != mixtures {
      expertCounts = Array(repeating: [], count: mixtures)
    }
    for mixture in expertCounts.indices {
      expertCounts[mixture].removeAll(keepingCapacity: true)
    }
  }

  private mutating func addGates(
    _ passes: ArraySlice<PassSums>, mixture: Int, _ experts: ExpertConfiguration
  ) {
    var gates = GateHistogram.Sum()
    for pass in passes { gates.add(pass.gates[mixture]) }
    let medians = gates.medians
    if experts.active > 1 { gateInnerBalance.append(medians.inner) }
    gateOuterBalance.append(medians.outer)
  }

  private mutating func addExperts(
    _ passes: ArraySlice<PassSums>, mixture: Int, experts: ExpertConfiguration, balance: Float,
    tokens: Double
  ) {
    for entry in mixture * experts.count..<(mixture + 1) * experts.count {
      let count = passes.reduce(0) { $0 + $1.expertCounts[entry] }
      expertCounts[mixture].append(count)
      guard experts.router.conformer.hasScores else { continue }
      let probability = passes.reduce(0) { $0 + $1.probabilities[entry] } / tokens
      let share = Double(count) / (tokens * Double(experts.active))
      balanceLoss += Double(balance) * Double(experts.count) * share * probability
    }
  }
}

extension LayerSums {
  fileprivate mutating func add(_ other: LayerSums) {
    attention.logitMax = max(attention.logitMax, other.attention.logitMax)
    attention.entropy += other.attention.entropy
    attention.entropyShare += other.attention.entropyShare
    meanSquares += other.meanSquares
    router.entropy += other.router.entropy
    router.logSumExp += other.router.logSumExp
    router.squaredLogSumExp += other.router.squaredLogSumExp
    router.dropped += other.router.dropped
  }
}
