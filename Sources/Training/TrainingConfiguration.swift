import Foundation
public import Models
package import Signals
package import Telemetry

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
  /// The slices that a batch is cut in, a power of two that divides it; nil for up to four.
  ///
  /// Gradients are added slice by slice, so that the numbers depend on it; as many ranks at most take
  /// a step together.
  public var slices: Int?
  /// A checkpoint whose weights the run begins with; nil for new ones.
  public var base: String?
  /// A folder of PEFT's whose adapter the run begins with; nil for a new one.
  public var startingAdapter: String?
  /// What judges the texts that the model writes, which it is trained for then: words, facts, regex:PATTERN
  /// or command:PROGRAM; nil to train it for the data's bytes.
  public var reward: String?
  /// Weight of the divergence from the base where texts are rewarded.
  public var rewardDivergence = 0.05
  /// How far a reward is taken to be from its baseline at most; 0 for no bound.
  public var rewardClip = 5.0
  /// What ends an answer; nil for one that ends with its window.
  public var rewardEnd: String?
  /// Bytes of the data that texts are written after; nil for a quarter of the context.
  public var promptBytes: Int?
  /// Weight of the divergence from the base on other text, which half of a step's windows are then of; 0
  /// for none.
  public var anchor = 0.0
  /// A file or folder with that text; nil for the built-in language.
  public var anchorPath: String?
  /// A checkpoint whose outputs the model learns beside the data; nil for the data alone.
  public var distil: String?
  /// The teacher's share of the loss.
  public var distilWeight = 0.5
  /// What both models' logits are divided by where they are held together.
  public var distilTemperature = 1.0
  /// Steps to find out in what of the model and its adapter is needed, before the rest is cut out; 0
  /// prunes nothing.
  public var light = 0
  /// What is cut out then.
  package var lightShares = PruningShares()
  /// Whether the teacher is taken as it is, whatever its data and whoever was the teacher before: where
  /// a recording is run again.
  package var takesAnyTeacher = false
  /// A file or folder; nil for the built-in language.
  public var dataPath: String?
  /// How windows are drawn.
  public var order = WindowOrder.shuffled
  /// Share of the data held out.
  public var evalFraction = 0.05
  /// The probability with which a byte of a noisy training window is redrawn; 0 is no noise.
  public var corrupt = 0.0
  /// Share of the training windows that have no noise.
  public var clean = 0.0
  /// What the loss makes of the noisy windows.
  public var noiseLoss = NoiseLoss.corrected
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
  /// StableAdamW clips updates instead of gradients: choosing it sets both bounds so. MeZO's
  /// gradient is a guess along a line: it is not bounded, nor strong enough to stand against a decay.
  public var optimizer = OptimizerKind.adamW {
    didSet {
      guard optimizer != oldValue else { return }
      switch optimizer {
      case .stableAdamW: (updateClip, gradClip) = (1, 0)
      case .mezo: (weightDecay, gradClip) = (0, 0)
      case .adamW, .muon, .sgd, .lion: break
      }
    }
  }
  /// The dimensions of the random subspace that is trained; 0 trains all weights.
  public var subspace = 0
  /// What losses in the place of gradients are taken by.
  var mezo = SparseMeZO.Options()
  /// Whether linear layers have the rate 256/fan-in times the schedule's (muParam, simple).
  public var muParam = false
  /// Share of the hidden matrices' blocks that are not there; 0 for whole matrices.
  public var sparsity = 0.0
  /// Steps between two exchanges of blocks; 0 is never.
  public var regrow = Self.usualRegrow
  static let usualRegrow = 100
  /// Seed of weights and data order.
  public var seed: UInt64 = 0
  /// Steps over which a switch of qk-layernorm is blended.
  public var blendSteps = Self.usualBlendSteps
  static let usualBlendSteps = 100
  /// Which gradients are scaled down.
  package var clipping = GradientClipping.Kind.global
  /// Whether the decay is a share of the rate, as in PyTorch, and not independent of it.
  public var decayIsCoupled = false
  /// Held-out windows an evaluation takes.
  public var evalWindows = 32
  /// Steps between measurements of the sharpness; 0 is never.
  public var sharpnessEvery = 0
  /// Steps between looks into the model; 0 is never.
  public var inspectEvery = 0
  /// Steps between samples of what the model writes; 0 is never.
  public var sampleEvery = 0
  /// What a sample goes on from.
  public var samplePrompt = "\n"
  /// Whether the largest attention logit of every head is told.
  public var tellsHeadLogits = false
  /// What raises each alarm.
  package var alarms = AlarmThresholds()
  /// The same, less those of a loss that training does not aim at.
  var watchedAlarms: AlarmThresholds {
    guard reward != nil else { return alarms }
    // That of the model's own texts goes up and down with what is rewarded.
    return alarms.without([.lossSpike, .lossAboveBest, .lossDiverged, .noProgress])
  }
  /// Steps between checkpoints; nil for only those that are asked for.
  public var checkpointEvery: Int?
  /// Periodic checkpoints to keep, the last ones; 0 is all.
  public var keptCheckpoints = 0
  /// Whether the periodic checkpoint of the lowest held-out loss stays beside them.
  public var keepsBest = false
  /// Evaluations without a lower held-out loss after which the run stops; 0 is never.
  public var patience = 0
  /// Whether what the machine does meanwhile is recorded as metrics under `system/`.
  public var monitorsMachine = true
  /// Whether each rank keeps the optimiser's state of a part of the weights alone. No number depends
  /// on it.
  public var shardsOptimizer = false
  /// Cores to use; nil for all of them. No number depends on it.
  public var workers: Int?
  /// What the settings that can be changed later start at, by name.
  package var starts = Dictionary(
    uniqueKeysWithValues: SettingCatalog.entries.filter { $0.help != nil }.map {
      ($0.name, $0.start)
    })

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
  /// The option would change nothing in the run that the others make.
  case idle(option: String, reason: String)

  /// What is wrong and what to do.
  public var description: String {
    switch self {
    case .unknownOption(let name, let nearest):
      "unknown option '\(name)'"
        + (nearest.map { ": did you mean '\($0)'?" } ?? ": seismo train --help lists them")
    case .wrongValue(let name, let value, let allowed):
      "'\(value)' is no value for \(name): give \(allowed)"
    case .impossible(let reason), .idle(_, let reason): reason
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
    for option in RunOptionCatalog.all {
      guard let words = options[option.name] else { continue }
      option.read(words, options, &self)
    }
    if options["lr"] == nil { learningRate *= usualRateFactor }
    alarms = AlarmThresholds(options: options)
    if model != preset?.model || batch != preset?.batch { preset = nil }
    try checkMixers(options)
    try checkExpertsExist(options)
    try checkNoiseExists(options)
    try checkFineTuning(options)
    try checkSparsity(options)
    try checkDistillation(options)
    try checkMeZOIsChosen(options)
    try checkSamples(options)
    try validate()
  }

  /// Checks each option by itself; whether they fit together is known once all of them are there.
  /// - Throws: ``ConfigurationError`` for a name or value that is not allowed.
  package static func check(_ options: [String: String]) throws(ConfigurationError) {
    for (name, value) in options.sorted(by: { $0.key < $1.key }) {
      if MetricRule.isOption(name) {
        if MetricRule(words: value) != nil { continue }
        throw .wrongValue(name: name, value: value, allowed: MetricRule.allowed)
      }
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

  private var usualRateFactor: Double {
    base == nil
      ? optimizer.newRateFactor : optimizer.tuningRateFactor(of: model.adapter?.method)
  }

  private func validate() throws(ConfigurationError) {
    guard model.width % model.heads == 0 else {
      throw .impossible(
        reason: "\(model.heads) heads do not divide a width of \(model.width): choose a divisor")
    }
    guard model.headWidth % 2 == 0 || !model.turnsPairs else {
      throw .impossible(
        reason: "rotary positions need an even head width, and \(model.width) / \(model.heads)"
          + " is \(model.headWidth): change --width or --heads")
    }
    guard qkClip == 0 || !qkLayerNorm else {
      throw .idle(
        option: "qk-clip",
        reason: "qk-clip has no effect under qk-layernorm, which ignores the weights' scale:"
          + " choose one")
    }
    guard qkClip == 0 || !model.sigmaReparam else {
      throw .idle(
        option: "qk-clip",
        reason: "qk-clip has no effect under sigma-reparam, which ignores the weights' scale:"
          + " choose one")
    }
    try validateArchitecture()
    try validateVocabulary()
    try validateMixers()
    try validateExperts()
    try validateFeedForward()
    try validateSlices()
    try validateSamples()
    let memory = Double(ProcessInfo.processInfo.physicalMemory)
    guard estimatedBytes < memory else {
      throw .impossible(
        reason: "these sizes need about \(NumberText.bytes(estimatedBytes)) of memory and this"
          + " machine has \(NumberText.bytes(memory)): choose smaller ones")
    }
    try validateOptimizer()
    try validateSchedule()
    try validateSparsity()
    try validateSharing()
    try validateKeeping()
    try validateSettings()
  }

  /// Refuses what is told of feed-forward layers where there are none.
  private func validateFeedForward() throws(ConfigurationError) {
    guard model.isAllExperts else { return }
    let usualWidth = model.architecture.feedForwardWidth(model.width)
    let told = [
      (
        "feed-forward", model.feedForward != model.architecture.feedForward,
        "so none would have the feed-forward layer \(model.feedForward.rawValue)"
      ),
      (
        "ffn-width", model.feedForwardWidth != usualWidth,
        "whose width is --expert-width, and none has a feed-forward layer of \(model.feedForwardWidth)"
      ),
    ]
    guard let (option, _, why) = told.first(where: \.1) else { return }
    throw .idle(
      option: option,
      reason: "every layer has experts, \(why): give --experts 0, or --expert-every 2")
  }

  private func validateSlices() throws(ConfigurationError) {
    guard let slices else { return }
    guard slices.nonzeroBitCount == 1, batch % slices == 0 else {
      throw .impossible(
        reason: "\(slices) slices: give a power of two that divides the batch of \(batch)")
    }
  }

  private func validateSchedule() throws(ConfigurationError) {
    guard let decaySteps else { return }
    guard schedule == .wsd else {
      throw .idle(
        option: "decay-steps",
        reason: "decay-steps belongs to the schedule wsd, not to \(schedule.rawValue): leave it"
          + " out, or give --schedule wsd")
    }
    guard decaySteps <= steps else {
      throw .impossible(
        reason: "\(decaySteps) decay-steps are more than the run's \(steps) steps: give fewer")
    }
  }

  /// Refuses a prompt for samples of which nothing is said; an interval of 0 may be one of several.
  private func checkSamples(_ options: [String: String]) throws(ConfigurationError) {
    guard options["sample-prompt"] != nil, options["sample-every"] == nil else { return }
    throw .idle(
      option: "sample-prompt",
      reason: "--sample-prompt is what samples go on from: add --sample-every 100, or leave it out")
  }

  private func validateSamples() throws(ConfigurationError) {
    guard sampleEvery > 0, SampleProbe.bytes(self) < SampleProbe.fewest else { return }
    throw .impossible(
      reason:
        "a sample every \(sampleEvery) steps would take more than a twentieth of the time: give"
        + " --sample-every \(SampleProbe.leastSteps(self)) or more")
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

  /// The options that give this configuration again; what is at its default is left in too.
  package var options: [String: String] {
    var options = alarms.options
    for option in RunOptionCatalog.all { options[option.name] = option.words(self) }
    return options
  }
}
