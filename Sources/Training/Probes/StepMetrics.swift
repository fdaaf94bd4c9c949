import Models
import Signals
import Telemetry

/// Gives the numbers of a step their names, always in the same order.
struct StepMetrics {
  let names: [MetricName]
  /// A layer's place among those that have attention logits; nil where it has none.
  private let attention: [Int?]
  private let model: ModelConfiguration
  private var clips = ClipWindow()
  private let memory = ProcessMemory()
  /// The highest that a step reached or the machine was measured at; NaN before the first step.
  private var peakGFLOPS = Double.nan
  private let mixtureLayers: [Int]
  private let hasScores: Bool
  private let hasTwoPasses: Bool
  private let entropyPerByte: Double?
  /// Of a layer, where each is told; else 0.
  private let heads: Int

  init(model: ModelConfiguration, entropyPerByte: Double?, tellsHeads: Bool = false) {
    attention = (0..<model.layers).map { model.attentionLayers.firstIndex(of: $0) }
    self.model = model
    heads = tellsHeads ? model.keptHeads : 0
    let experts = model.experts?.count ?? 0
    mixtureLayers = model.mixtureLayers
    hasScores = model.experts?.router.conformer.hasScores ?? false
    hasTwoPasses = model.passes == 2
    self.entropyPerByte = entropyPerByte
    var names: [MetricName] = [MetricCatalog.loss]
    if entropyPerByte != nil { names.append(MetricCatalog.excessLoss) }
    names += [
      MetricCatalog.learningRate, MetricCatalog.learningRateMultiplier, MetricCatalog.gradNorm,
      MetricCatalog.clipFraction, MetricCatalog.logZ, MetricCatalog.outputLogitMean,
    ]
    if !model.attentionLayers.isEmpty { names.append(MetricCatalog.attentionLogitMax) }
    for layer in 0..<model.layers {
      let hasAttention = attention[layer] != nil
      if hasAttention {
        names += [
          MetricCatalog.attentionLogitMax(layer: layer),
          MetricCatalog.attentionEntropy(layer: layer),
          MetricCatalog.attentionEntropyShare(layer: layer),
        ]
      }
      names.append(MetricCatalog.activationRMS(layer: layer))
      guard hasAttention else { continue }
      names += (0..<heads).map { MetricCatalog.attentionLogitMax(layer: layer, head: $0) }
    }
    for layer in mixtureLayers {
      names += (0..<experts).map { MetricCatalog.expertLoad(layer: layer, expert: $0) }
      names += [
        MetricCatalog.expertLoadCV(layer: layer), MetricCatalog.expertMaxViolation(layer: layer),
        MetricCatalog.tokensDropped(layer: layer),
      ]
      guard hasScores else { continue }
      names += [
        MetricCatalog.routerEntropy(layer: layer), MetricCatalog.routerZ(layer: layer),
        MetricCatalog.gateOuterBalance(layer: layer),
      ]
      guard (model.experts?.active ?? 0) > 1 else { continue }
      names.append(MetricCatalog.gateInnerBalance(layer: layer))
    }
    names += model.signals.map {
      MetricCatalog.layerSignal($0.kind.name, layer: $0.layer, part: $0.kind.part)
    }
    if hasTwoPasses { names.append(MetricCatalog.passDivergence) }
    names += [
      MetricCatalog.tokensPerSecond, MetricCatalog.stepMilliseconds, MetricCatalog.memoryBytes,
      MetricCatalog.flopsFraction,
    ]
    self.names = names
  }

  /// What a step measured beside the engine's own statistics.
  struct Step {
    var learningRate: Double
    var multiplier: Double
    var gradNorm: Double
    var clipFraction: Double
    var tokensPerSecond: Double
    var milliseconds: Double
    var memoryBytes: Double
    var flopsFraction: Double
  }

  /// Adds the values to the end of `values`, in the order of `names`.
  func append(_ statistics: StepStatistics, _ step: Step, to values: inout [Double]) {
    values.append(statistics.loss)
    if let entropyPerByte { values.append(statistics.loss - entropyPerByte) }
    values.append(step.learningRate)
    values.append(step.multiplier)
    values.append(step.gradNorm)
    values.append(step.clipFraction)
    values.append(statistics.logZ)
    values.append(statistics.outputLogitMean)
    let maxima = statistics.attentionLogitMax
    if !maxima.isEmpty { values.append(largest(maxima)) }
    for (layer, index) in attention.enumerated() {
      if let index {
        values.append(Double(maxima[index]))
        values.append(Double(statistics.attentionEntropy[index]))
        values.append(Double(statistics.attentionEntropyShare[index]))
      }
      values.append(Double(statistics.activationRMS[layer]))
      guard let index else { continue }
      for head in 0..<heads {
        values.append(Double(statistics.headLogitMax[index * heads + head]))
      }
    }
    if !mixtureLayers.isEmpty { appendBalance(statistics, to: &values) }
    values += statistics.signals
    if hasTwoPasses { values.append(statistics.divergence) }
    values.append(step.tokensPerSecond)
    values.append(step.milliseconds)
    values.append(step.memoryBytes)
    values.append(step.flopsFraction)
  }

  /// The largest of the layers' maxima; NaN as soon as one is.
  private func largest(_ maxima: [Float]) -> Double {
    maxima.contains(where: \.isNaN) ? .nan : Double(maxima.max() ?? .nan)
  }

  private func appendBalance(_ statistics: StepStatistics, to values: inout [Double]) {
    for layer in mixtureLayers.indices {
      let counts = statistics.expertCounts[layer]
      let spread = LoadSpread(counts: counts)
      for count in counts { values.append(Double(Float(spread.share(Double(count))))) }
      values.append(Double(Float(spread.cv)))
      values.append(Double(Float(spread.maxViolation)))
      values.append(Double(statistics.tokensDropped[layer]))
      guard hasScores else { continue }
      values.append(Double(statistics.routerEntropy[layer]))
      values.append(Double(statistics.routerZ[layer]))
      values.append(Double(statistics.gateOuterBalance[layer]))
      guard !statistics.gateInnerBalance.isEmpty else { continue }
      values.append(Double(statistics.gateInnerBalance[layer]))
    }
  }
}

extension StepMetrics: Probe {
  init(_ run: ProbedRun) {
    self.init(
      model: run.configuration.model,
      // Texts of the model's own have another entropy.
      entropyPerByte: run.configuration.reward == nil ? run.entropyPerByte : nil,
      tellsHeads: run.configuration.tellsHeadLogits)
  }

  var key: String { "clips" }

  mutating func afterUpdate(
    of step: ProbedStep, _ outcome: StepOutcome, into samples: inout StepSamples
  ) {
    clips.add(outcome.update.isClipped)
    let tokens = Double(step.settings.batch.value * model.context)
    // Two forward passes are two thirds of one that goes there and back.
    let share = outcome.update.zerothOrder == nil ? 1 : 2.0 / 3
    let flops = tokens * model.flopsPerToken() * share
    let seconds = outcome.seconds
    let shareOfPeak = shareOfPeak(gigaflops: flops / seconds / 1e9, in: step)
    samples.names += names
    append(
      outcome.statistics,
      Step(
        learningRate: step.learningRate,
        multiplier: step.settings.number(SettingCatalog.learningRateMultiplier),
        gradNorm: outcome.update.gradNorm, clipFraction: clips.fraction,
        tokensPerSecond: tokens / seconds, milliseconds: seconds * 1000,
        memoryBytes: memory.resident(),
        flopsFraction: shareOfPeak),
      to: &samples.values)
  }

  /// The share of the peak that a step reached. One that goes beyond it says that the peak was
  /// measured while the machine did something else too: then it is the step's.
  private mutating func shareOfPeak(gigaflops: Double, in step: ProbedStep) -> Double {
    if peakGFLOPS.isNaN { peakGFLOPS = step.peakGFLOPS }
    if gigaflops > peakGFLOPS { peakGFLOPS = gigaflops }
    return Double(Float(gigaflops / peakGFLOPS))
  }

  func state(at step: Int) -> ClipWindow? { clips }

  mutating func resume(
    _ state: ClipWindow?, from checkpoint: Checkpoint
  ) throws(CheckpointError) {
    clips = state ?? ClipWindow()
  }
}
