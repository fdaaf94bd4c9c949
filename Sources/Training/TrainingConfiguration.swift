import Foundation
public import Models
package import Signals
import Telemetry

/// Everything that decides what a run computes.
///
/// Two runs of equal configurations give equal numbers, whatever the workers and whoever watches.
public struct TrainingConfiguration: Sendable, Equatable {
  /// The sizes the run started from; nil for sizes of one's own.
  public var preset: Preset?
  /// The model's shape.
  public var model: ModelConfiguration
  /// Windows a step.
  public var batch: Int
  /// A file or folder; nil for the built-in language.
  public var dataPath: String?
  /// How windows are drawn.
  public var order = WindowOrder.shuffled
  /// Share of the data held out.
  public var evalFraction = 0.05
  /// Steps in all.
  public var steps: Int
  /// Peak learning rate.
  public var learningRate: Double
  /// Where the schedule ends, absolute (Wortsman et al. 2023).
  public var minimumLearningRate = 1e-5
  /// Steps of linear warm-up.
  public var warmup = 100
  /// How the rate goes on after its warm-up.
  public var schedule = LearningRateSchedule.Shape.cosine
  /// Steps at the end over which a `wsd` schedule falls; nil for a fifth of the run.
  public var decaySteps: Int?
  /// What gradients become updates by.
  ///
  /// StableAdamW clips updates instead of gradients: choosing it sets both bounds so.
  public var optimizer = OptimizerKind.adamW {
    didSet {
      guard optimizer == .stableAdamW, oldValue != .stableAdamW else { return }
      updateClip = 1
      gradClip = 0
    }
  }
  /// Whether linear layers have the rate 256/fan-in times the schedule's (muParam, simple).
  public var muParam = false
  /// Seed of weights and data order.
  public var seed: UInt64 = 0
  /// Whether queries and keys are layer-normalised from the start.
  public var qkLayerNorm = false
  /// Steps over which a switch of qk-layernorm is blended.
  public var blendSteps = 100
  /// Weight of the mean (log Z)².
  public var zLoss = 0.0
  /// Bound of the global gradient norm; 0 is off.
  public var gradClip = 1.0
  /// Which gradients are scaled down.
  package var clipping = GradientClipping.Kind.global
  /// How far g²/v̂ may rise above 1 before a tensor's rate is cut; 0 is off.
  public var updateClip = 0.0
  /// Adam's ε.
  public var adamEpsilon = 1e-8
  /// Adam's β₂.
  public var adamBeta2 = 0.95
  /// Weight decay of the matrices.
  public var weightDecay = 1e-4
  /// Whether the decay is a share of the rate, as in PyTorch, and not independent of it.
  public var decayIsCoupled = false
  /// Blocks that stay as they are, counted from the embedding, which stays with the first.
  public var frozenBlocks = 0
  /// Weight of the experts' balance loss.
  public var balanceLoss = 0.01
  /// Weight of the router's (ln Σ exp)².
  public var routerZLoss = 0.0
  /// Rate of the experts' balancing biases; 0 is off.
  public var biasBalance = 0.0
  /// Even shares of a window an expert takes; 0 is all.
  public var capacity = 0.0
  /// Weight of the divergence between the two passes of the router thor.
  public var consistency = 1.0
  /// Soft bound of the attention logits; 0 is off.
  public var logitSoftCap = 0.0
  /// Attention logit above which a head's query and key weights shrink; 0 is off.
  public var qkClip = 0.0
  /// Soft bound of the output logits; 0 is off.
  public var outputSoftCap = 0.0
  /// Factor on top of the schedule.
  public var learningRateMultiplier = 1.0
  /// Steps between held-out evaluations; 0 is never.
  public var evalEvery = 100
  /// Held-out windows an evaluation takes.
  public var evalWindows = 32
  /// Steps between measurements of the sharpness; 0 is never.
  public var sharpnessEvery = 0
  /// Whether the largest attention logit of every head is told.
  public var tellsHeadLogits = false
  /// What raises each alarm.
  package var alarms = AlarmThresholds()
  /// Steps between checkpoints; nil for only those that are asked for.
  public var checkpointEvery: Int?
  /// Periodic checkpoints to keep, the last ones; 0 is all.
  public var keptCheckpoints = 0
  /// Whether the periodic checkpoint of the lowest held-out loss stays beside them.
  public var keepsBest = false
  /// Evaluations without a lower held-out loss after which the run stops; 0 is never.
  public var patience = 0
  /// Cores to use; nil for all of them. No number depends on it.
  public var workers: Int?

  /// The defaults of `preset`.
  public init(preset: Preset) {
    self.preset = preset
    model = preset.model
    batch = preset.batch
    steps = preset.steps
    learningRate = preset.learningRate
  }
}

/// Why options make no run. The description is one line.
public enum ConfigurationError: Error, Equatable, CustomStringConvertible {
  /// No option has this name.
  case unknownOption(name: String, nearest: String?)
  /// The option cannot have this value.
  case wrongValue(name: String, value: String, allowed: String)
  /// The options contradict each other.
  case impossible(reason: String)

  /// What is wrong and what to do.
  public var description: String {
    switch self {
    case .unknownOption(let name, let nearest):
      "unknown option '\(name)'"
        + (nearest.map { ": did you mean '\($0)'?" } ?? ": seismo train --help lists them")
    case .wrongValue(let name, let value, let allowed):
      "'\(value)' is no value for \(name): give \(allowed)"
    case .impossible(let reason): reason
    }
  }
}

extension TrainingConfiguration {
  /// Reads options under their long names, as the command line and `run.toml` spell them.
  /// - Parameter options: values as text, by long name.
  /// - Throws: ``ConfigurationError`` for a name or value that is not allowed.
  package init(options: [String: String]) throws(ConfigurationError) {
    try Self.check(options)
    self.init(preset: options["preset"].flatMap(Preset.init) ?? .moeTiny)
    readSizes(options)
    try checkExpertsExist(options)
    readOptimisation(options)
    readOptimizer(options)
    readConduct(options)
    try validate()
  }

  /// Checks each option by itself; whether they fit together is known once all of them are there.
  /// - Throws: ``ConfigurationError`` for a name or value that is not allowed.
  package static func check(_ options: [String: String]) throws(ConfigurationError) {
    for (name, value) in options.sorted(by: { $0.key < $1.key }) {
      if let rule = AlarmThresholds.rule(option: name) {
        var thresholds = AlarmThresholds()
        guard let allowed = thresholds.set(rule, words: value) else { continue }
        throw .wrongValue(name: name, value: value, allowed: allowed)
      }
      guard let option = RunOptionCatalog.option(name) else {
        let nearest = name.nearest(among: RunOptionCatalog.all.map(\.name))
        throw .unknownOption(name: name, nearest: nearest)
      }
      if let allowed = option.refusal(of: value) {
        throw .wrongValue(name: name, value: value, allowed: allowed)
      }
    }
  }

  private mutating func readSizes(_ options: [String: String]) {
    options.read("width") { width in
      model.width = width
      model.feedForwardWidth = 4 * width
      model.experts?.width = 2 * width
    }
    options.read("layers") { model.layers = $0 }
    options.read("heads") { model.heads = $0 }
    options.read("context") { model.context = $0 }
    options.read("batch") { batch = $0 }
    if let words = options["sigma-reparam"] {
      model.sigmaReparam = SettingValue(words: words)?.isOn ?? false
    }
    readExperts(options)
    if model != preset?.model || batch != preset?.batch { preset = nil }
  }

  private mutating func readOptimisation(_ options: [String: String]) {
    options.read("steps") { steps = $0 }
    options.read("warmup") { warmup = $0 }
    options.read("blend-steps") { blendSteps = $0 }
    options.read("lr") { learningRate = $0 }
    options.read("min-lr") { minimumLearningRate = $0 }
    options.read("z-loss") { zLoss = $0 }
    options.read("weight-decay") { weightDecay = $0 }
    options.read("moe-aux-loss") { balanceLoss = $0 }
    options.read("moe-router-z-loss") { routerZLoss = $0 }
    options.read("moe-bias-balance") { biasBalance = $0 }
    options.read("moe-capacity") { capacity = $0 }
    options.read("moe-consistency") { consistency = $0 }
    options.read("logit-softcap") { logitSoftCap = $0 }
    options.read("qk-clip") { qkClip = $0 }
    options.read("output-softcap") { outputSoftCap = $0 }
    options.read("lr-multiplier") { learningRateMultiplier = $0 }
    if let words = options["qk-layernorm"] {
      qkLayerNorm = SettingValue(words: words)?.isOn ?? qkLayerNorm
    }
  }

  /// What an optimizer or a decay is usually run with is its default.
  private mutating func readOptimizer(_ options: [String: String]) {
    optimizer = options["optimizer"].flatMap(OptimizerKind.init) ?? optimizer
    options.read("grad-clip") { gradClip = $0 }
    decayIsCoupled = options["decay"] == "coupled"
    if decayIsCoupled, options["weight-decay"] == nil { weightDecay = 0.1 }
    schedule = options["schedule"].flatMap(LearningRateSchedule.Shape.init) ?? schedule
    clipping = options["clip"].flatMap(GradientClipping.Kind.init) ?? clipping
    options.read("decay-steps") { (steps: Int) in decaySteps = steps }
    options.read("update-clip") { updateClip = $0 }
    options.read("adam-eps") { adamEpsilon = $0 }
    options.read("adam-beta2") { adamBeta2 = $0 }
    options.read("freeze") { frozenBlocks = $0 }
    if let words = options["mu-param"] { muParam = SettingValue(words: words)?.isOn ?? muParam }
  }

  private mutating func readConduct(_ options: [String: String]) {
    dataPath = options["data"]
    order = options["order"].flatMap(WindowOrder.init) ?? order
    options.read("eval-fraction") { evalFraction = $0 }
    options.read("seed") { (seed: Int) in self.seed = UInt64(seed) }
    options.read("eval-every") { evalEvery = $0 }
    options.read("eval-windows") { evalWindows = $0 }
    options.read("sharpness-every") { sharpnessEvery = $0 }
    alarms = AlarmThresholds(options: options)
    if let words = options["per-head-logits"] {
      tellsHeadLogits = SettingValue(words: words)?.isOn ?? tellsHeadLogits
    }
    options.read("checkpoint-every") { (every: Int) in checkpointEvery = every }
    options.read("keep") { keptCheckpoints = $0 }
    if let words = options["keep-best"] { keepsBest = SettingValue(words: words)?.isOn ?? false }
    options.read("patience") { patience = $0 }
    options.read("workers") { (workers: Int) in self.workers = workers }
  }

  private func validate() throws(ConfigurationError) {
    guard model.width % model.heads == 0 else {
      throw .impossible(
        reason: "\(model.heads) heads do not divide a width of \(model.width): choose a divisor")
    }
    guard model.headWidth % 2 == 0 else {
      throw .impossible(
        reason: "rotary positions need an even head width, and \(model.width) / \(model.heads)"
          + " is \(model.headWidth): change --width or --heads")
    }
    guard qkClip == 0 || !qkLayerNorm else {
      throw .impossible(
        reason: "qk-clip has no effect under qk-layernorm, which ignores the weights' scale:"
          + " choose one")
    }
    guard qkClip == 0 || !model.sigmaReparam else {
      throw .impossible(
        reason: "qk-clip has no effect under sigma-reparam, which ignores the weights' scale:"
          + " choose one")
    }
    try validateExperts()
    let memory = Double(ProcessInfo.processInfo.physicalMemory)
    guard estimatedBytes < memory else {
      throw .impossible(
        reason: "these sizes need about \(NumberText.bytes(estimatedBytes)) of memory and this"
          + " machine has \(NumberText.bytes(memory)): choose smaller ones")
    }
    try validateOptimizer()
    try validateKeeping()
  }

  private func validateKeeping() throws(ConfigurationError) {
    guard checkpointEvery != nil || (keptCheckpoints == 0 && !keepsBest) else {
      throw .impossible(
        reason: "\(keptCheckpoints > 0 ? "keep" : "keep-best") chooses among periodic checkpoints:"
          + " add --checkpoint-every 100")
    }
    guard evalEvery > 0 || (patience == 0 && !keepsBest) else {
      throw .impossible(
        reason: "\(patience > 0 ? "patience" : "keep-best") goes by the held-out loss: give an"
          + " --eval-every above 0")
    }
  }

  /// What the parameters and all that is as large as they are, and the activations, take, about.
  package var estimatedBytes: Double {
    parameterBytes + Double(batch) * windowBytes
  }

  /// The windows a step may have in this machine's memory, about.
  var largestBatch: Int {
    let memory = Double(ProcessInfo.processInfo.physicalMemory)
    return max(batch, Int((memory - parameterBytes) / windowBytes))
  }

  /// The parameters, two moments, a sum of four slices' gradients, three of the probe's and two of
  /// the update's cosine; W itself, and the sharpness probe's own engine, where they are asked for.
  private var parameterBytes: Double {
    let copies = 13 + (model.sigmaReparam ? 1 : 0) + (sharpnessEvery > 0 ? 10 : 0)
    return 4 * Double(copies) * Double(model.parameterCount)
  }

  private var windowBytes: Double {
    4 * Double(model.passes * model.context * model.keptPerToken)
  }

  private func validateOptimizer() throws(ConfigurationError) {
    if updateClip > 0, !optimizer.hasSecondMoments {
      throw .impossible(
        reason: "update-clip compares gradients with second moments, and \(optimizer.rawValue)"
          + " keeps none: leave it out, or choose adamw")
    }
    if muParam, optimizer == .muon {
      throw .impossible(
        reason: "mu-param and muon both scale the matrices' rates: choose one of them")
    }
    if sharpnessEvery > 0, optimizer == .muon || model.sigmaReparam {
      throw .impossible(
        reason: "sharpness is that of weights an adaptive step divides, not of"
          + " \(model.sigmaReparam ? "sigma-reparam" : "muon")'s: leave --sharpness-every out")
    }
    guard let decaySteps else { return }
    guard schedule == .wsd else {
      throw .impossible(
        reason: "decay-steps belongs to the schedule wsd, not to \(schedule.rawValue): leave it"
          + " out, or give --schedule wsd")
    }
    guard decaySteps <= steps else {
      throw .impossible(
        reason: "\(decaySteps) decay-steps are more than the run's \(steps) steps: give fewer")
    }
  }

  /// The options that give this configuration again; what is at its default is left in too.
  package var options: [String: String] {
    var options: [String: String] = [
      "width": "\(model.width)", "layers": "\(model.layers)", "heads": "\(model.heads)",
      "context": "\(model.context)", "batch": "\(batch)", "order": order.rawValue,
      "eval-fraction": "\(evalFraction)", "steps": "\(steps)", "lr": "\(learningRate)",
      "min-lr": "\(minimumLearningRate)", "warmup": "\(warmup)", "seed": "\(seed)",
      "qk-layernorm": qkLayerNorm ? "on" : "off", "blend-steps": "\(blendSteps)",
      "z-loss": "\(zLoss)", "grad-clip": "\(gradClip)", "weight-decay": "\(weightDecay)",
      "moe-aux-loss": "\(balanceLoss)", "lr-multiplier": "\(learningRateMultiplier)",
      "moe-router-z-loss": "\(routerZLoss)", "moe-bias-balance": "\(biasBalance)",
      "moe-capacity": "\(capacity)", "logit-softcap": "\(logitSoftCap)",
      "output-softcap": "\(outputSoftCap)", "qk-clip": "\(qkClip)", "eval-every": "\(evalEvery)",
      "eval-windows": "\(evalWindows)",
      "optimizer": optimizer.rawValue, "decay": decayIsCoupled ? "coupled" : "independent",
      "schedule": schedule.rawValue, "clip": clipping.rawValue, "update-clip": "\(updateClip)",
      "adam-eps": "\(adamEpsilon)", "adam-beta2": "\(adamBeta2)",
      "mu-param": muParam ? "on" : "off", "freeze": "\(frozenBlocks)",
      "sharpness-every": "\(sharpnessEvery)",
      "per-head-logits": tellsHeadLogits ? "on" : "off",
      "sigma-reparam": model.sigmaReparam ? "on" : "off",
    ]
    options["decay-steps"] = decaySteps.map(String.init)
    options["preset"] = preset?.rawValue ?? (model.experts == nil ? "tiny" : "moe-tiny")
    options.merge(expertOptions) { _, own in own }
    options.merge(alarms.options) { _, own in own }
    options["data"] = dataPath
    options["checkpoint-every"] = checkpointEvery.map(String.init)
    options["keep"] = keptCheckpoints > 0 ? "\(keptCheckpoints)" : nil
    options["keep-best"] = keepsBest ? "on" : nil
    options["patience"] = patience > 0 ? "\(patience)" : nil
    return options
  }
}

extension [String: String] {
  func read(_ name: String, into assign: (Int) -> Void) {
    if let value = self[name].flatMap(Int.init) { assign(value) }
  }

  func read(_ name: String, into assign: (Double) -> Void) {
    if let value = self[name].flatMap(Double.init) { assign(value) }
  }
}
