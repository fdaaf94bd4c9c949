import Telemetry

/// Where the metrics that rules read stand in a step's values.
///
/// Names are taken apart once for each list of names, not at every step.
struct SampleLayout: Sendable {
  struct Layer: Sendable {
    let layer: Int
    let index: Int
  }

  struct ExpertLayer: Sendable {
    let layer: Int
    /// Where expert 0, 1, 2 … of the layer stands.
    let indices: [Int]
  }

  /// The drifts of a layer's trained functions, and which each is of.
  struct FunctionLayer: Sendable {
    let layer: Int
    let indices: [Int]
    let places: [(function: Int, group: Int)]
  }

  let names: [MetricName]
  let loss: Int?
  let evalLoss: Int?
  let gradNorm: Int?
  let logZ: Int?
  let learningRate: Int?
  let learningRateMultiplier: Int?
  let attentionLogits: [Layer]
  let experts: [ExpertLayer]
  let gradientRMS: [Int]
  let functions: [FunctionLayer]
  /// The values that must be finite: all but a probe's, whose far end may well diverge, and
  /// those that a clock says.
  let mustBeFinite: [Int]

  /// Whether a rule reads any of the values beyond whether they are finite.
  var isRead: Bool {
    let single = [loss, evalLoss, gradNorm, logZ, learningRate, learningRateMultiplier]
    return single.contains { $0 != nil } || !attentionLogits.isEmpty || !experts.isEmpty
      || !gradientRMS.isEmpty || !functions.isEmpty
  }

  init(names: [MetricName]) {
    self.names = names
    loss = names.firstIndex(of: MetricCatalog.loss)
    evalLoss = names.firstIndex(of: MetricCatalog.evalLoss)
    gradNorm = names.firstIndex(of: MetricCatalog.gradNorm)
    logZ = names.firstIndex(of: MetricCatalog.logZ)
    learningRate = names.firstIndex(of: MetricCatalog.learningRate)
    learningRateMultiplier = names.firstIndex(of: MetricCatalog.learningRateMultiplier)
    var logits: [Layer] = []
    var loads: [Int: [Int: Int]] = [:]
    var finite: [Int] = []
    var gradients: [Int] = []
    var drifts: [(index: Int, numbers: [Int])] = []
    for (index, name) in names.enumerated() {
      let family = MetricCatalog.family(of: name)
      let numbers = MetricCatalog.indices(of: name)
      switch (family?.pattern, numbers.count) {
      case ("attention_logit_max/L", 1): logits.append(Layer(layer: numbers[0], index: index))
      case ("expert_load/L/E", 2): loads[numbers[0], default: [:]][numbers[1]] = index
      case ("kat_drift/L/F/G", 3): drifts.append((index, numbers))
      default: break
      }
      if family?.pattern == "grad_rms/TENSOR" { gradients.append(index) }
      let isProbe = ["lr_sensitivity/loss/M", "lr_sensitivity/error/M"].contains(family?.pattern)
      if !isProbe, family?.isMeasuredByClock != true { finite.append(index) }
    }
    attentionLogits = logits.sorted { $0.layer < $1.layer }
    experts = loads.sorted { $0.key < $1.key }.map { layer, indices in
      ExpertLayer(layer: layer, indices: indices.sorted { $0.key < $1.key }.map(\.value))
    }
    gradientRMS = gradients
    functions = Dictionary(grouping: drifts) { $0.numbers[0] }.sorted { $0.key < $1.key }.map {
      FunctionLayer(
        layer: $0.key, indices: $0.value.map(\.index),
        places: $0.value.map { ($0.numbers[1], $0.numbers[2]) })
    }
    mustBeFinite = finite
  }
}
