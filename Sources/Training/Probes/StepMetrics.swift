import Models
import Signals
import Telemetry

/// Gives the numbers of a step their names, always in the same order.
struct StepMetrics {
  let names: [MetricName]
  /// A layer's place among those that have attention logits; nil where it has none.
  private let attention: [Int?]
  private let mixtureLayers: [Int]
  private let hasScores: Bool
  private let hasTwoPasses: Bool
  private let entropyPerByte: Double?
  /// Of a layer, where each is told; else 0.
  private let heads: Int

  init(model: ModelConfiguration, entropyPerByte: Double?, tellsHeads: Bool = false) {
    attention = (0..<model.layers).map { model.attentionLayers.firstIndex(of: $0) }
    heads = tellsHeads ? model.heads : 0
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
    names += model.signals.map { MetricCatalog.layerSignal($0.kind.name, layer: $0.layer) }
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

  /// The values in the order of `names`.
  func values(_ statistics: StepStatistics, _ step: Step) -> [Double] {
    var values: [Double] = []
    values.reserveCapacity(names.count + MetricCatalog.probeMultipliers.count + 2)
    append(statistics, step, to: &values)
    return values
  }

  /// The same at the end of `values`.
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
