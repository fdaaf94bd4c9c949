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
  /// [L, H] largest attention logits.
  let headLogitMax: Buffer<Float>
  /// [L, E] by the layers that have experts: assignments and sums of router probabilities.
  let expertCounts: Buffer<Int>
  let probabilities: Buffer<Double>
  /// By the layers that have experts.
  let gates: [GateHistogram]

  init(_ configuration: ModelConfiguration) {
    layers = Buffer(repeating: LayerSums(), count: configuration.layers)
    output = Buffer(repeating: OutputSums(), count: 1)
    times = Buffer(count: 2)
    headLogitMax = Buffer(count: configuration.layers * configuration.heads)
    expertCounts = Buffer(count: configuration.routerBiasCount)
    probabilities = Buffer(count: configuration.routerBiasCount)
    gates = configuration.mixtureLayers.map { _ in GateHistogram() }
  }
}

extension StepStatistics {
  /// The means over all passes' rows.
  init(
    _ passes: ArraySlice<PassSums>, samples: Int, settings: LossSettings,
    _ shape: ModelConfiguration
  ) {
    self.init()
    let tokens = Double(samples * shape.context)
    for pass in passes {
      loss += pass.output[0].loss / tokens
      logZ += pass.output[0].logZ / tokens
      outputLogitMean += pass.output[0].logitMean / tokens
      divergence += pass.output[0].divergence / tokens
    }
    headLogitMax = (0..<shape.layers * shape.heads).map { head in
      passes.reduce(-.infinity) { max($0, $1.headLogitMax[head]) }
    }
    for layer in 0..<shape.layers {
      var sums = LayerSums()
      for pass in passes { sums.add(pass.layers[layer]) }
      let rows = tokens * Double(shape.heads)
      let laterRows = rows - Double(samples * shape.heads)
      attentionLogitMax.append(sums.attention.logitMax)
      attentionEntropy.append(Float(sums.attention.entropy / rows))
      attentionEntropyShare.append(Float(sums.attention.entropyShare / max(laterRows, 1)))
      activationRMS.append(Float((sums.meanSquares / tokens).squareRoot()))
      guard let experts = shape.experts(inLayer: layer) else { continue }
      if experts.router.hasScores {
        routerEntropy.append(Float(sums.router.entropy / tokens))
        addGates(passes.map { $0.gates[shape.mixtureIndex(ofLayer: layer)] }, experts)
        routerZ.append(Float(sums.router.logSumExp / tokens))
        routerZLoss += Double(settings.routerZLoss) * sums.router.squaredLogSumExp / tokens
      }
      tokensDropped.append(
        Float(Double(sums.router.dropped) / (tokens * Double(experts.active))))
      addExperts(
        passes, layer: shape.mixtureIndex(ofLayer: layer), experts: experts,
        balance: settings.balanceLoss, tokens: tokens)
    }
  }

  private mutating func addGates(
    _ histograms: [GateHistogram], _ experts: ExpertConfiguration
  ) {
    let medians = GateHistogram.medians(of: histograms)
    if experts.active > 1 { gateInnerBalance.append(medians.inner) }
    gateOuterBalance.append(medians.outer)
  }

  private mutating func addExperts(
    _ passes: ArraySlice<PassSums>, layer: Int, experts: ExpertConfiguration, balance: Float,
    tokens: Double
  ) {
    let entries = layer * experts.count..<(layer + 1) * experts.count
    let counts = entries.map { entry in passes.reduce(0) { $0 + $1.expertCounts[entry] } }
    expertCounts.append(counts)
    guard experts.router.hasScores else { return }
    for (count, entry) in zip(counts, entries) {
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
