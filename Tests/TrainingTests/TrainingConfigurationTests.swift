import Models
import Testing

@testable import Training

@Suite(.timeLimit(.minutes(15)))
struct TrainingConfigurationTests {
  @Test(arguments: Preset.allCases)
  func `its own options give a configuration back`(preset: Preset) throws {
    var configuration = TrainingConfiguration(preset: preset)
    configuration.learningRate = 0.0123
    configuration.qkLayerNorm = true
    configuration.checkpointEvery = 50
    configuration.dataPath = "some/path"
    configuration.schedule = .wsd
    configuration.decaySteps = 33
    configuration.optimizer = .stableAdamW
    configuration.clipping = .adagc
    configuration.decayIsCoupled = true
    configuration.adamEpsilon = 1e-15
    configuration.adamBeta2 = 0.999
    configuration.muParam = true
    configuration.frozenBlocks = 1
    configuration.corrupt = 0.3
    configuration.clean = 0.1
    configuration.noiseLoss = .plain
    #expect(try TrainingConfiguration(options: configuration.options) == configuration)
  }

  @Test func `its own options give experts of one's own back`() throws {
    var configuration = TrainingConfiguration(preset: .tiny)
    configuration.preset = nil
    var experts = ExpertConfiguration(count: 5, width: 48, active: 3, router: .sigmoid)
    experts.every = 2
    experts.sharedWidth = 32
    configuration.model.experts = experts
    configuration.biasBalance = 1e-3
    configuration.capacity = 1.25
    #expect(try TrainingConfiguration(options: configuration.options) == configuration)
    configuration.model.experts?.router = .rmoe
    configuration.model.experts?.routerWidth = 24
    #expect(try TrainingConfiguration(options: configuration.options) == configuration)
  }

  @Test(arguments: ExpertRouter.allCases)
  func `every router has options that give it back`(router: ExpertRouter) throws {
    let configuration = try TrainingConfiguration(options: ["router": router.rawValue])
    #expect(configuration.model.experts?.router == router)
    #expect(configuration.model.experts?.active == (router.conformer.sendsToOne ? 1 : 2))
    #expect(configuration.balanceLoss == (router.conformer.hasScores ? 0.01 : 0))
    #expect(try TrainingConfiguration(options: configuration.options) == configuration)
  }

  @Test func `a recurrent router's state is half the model's width, at most 128`() throws {
    for (width, expected) in [("64", 32), ("256", 128), ("1024", 128)] {
      let configuration = try TrainingConfiguration(options: ["router": "rmoe", "width": width])
      #expect(configuration.model.experts?.routerWidth == expected)
    }
  }

  @Test func `sizes of one's own are no preset any more`() throws {
    let configuration = try TrainingConfiguration(
      options: ["preset": "tiny", "width": "96", "heads": "4"])
    #expect(configuration.preset == nil)
    #expect(configuration.model.feedForwardWidth == 384)
    #expect(configuration.model.headWidth == 24)
  }

  @Test func `StableAdamW clips updates instead of gradients unless told otherwise`() throws {
    let usual = try TrainingConfiguration(options: ["optimizer": "stable-adamw"])
    #expect(usual.updateClip == 1 && usual.gradClip == 0)
    let own = try TrainingConfiguration(
      options: ["optimizer": "stable-adamw", "grad-clip": "1", "update-clip": "2"])
    #expect(own.updateClip == 2 && own.gradClip == 1)
  }

  @Test func `coupled decay has its own usual strength`() throws {
    #expect(try TrainingConfiguration(options: ["decay": "coupled"]).weightDecay == 0.1)
    let own = try TrainingConfiguration(options: ["decay": "coupled", "weight-decay": "0.01"])
    #expect(own.weightDecay == 0.01)
    #expect(try TrainingConfiguration(options: ["decay": "independent"]).weightDecay == 1e-4)
  }

  @Test(arguments: OptimizerKind.allCases, [Preset.tiny, .base])
  func `an optimizer has its usual rate, unless told otherwise`(
    optimizer: OptimizerKind, preset: Preset
  ) throws {
    let options = ["optimizer": optimizer.rawValue, "preset": preset.rawValue]
    let usual = try TrainingConfiguration(options: options)
    #expect(usual.learningRate == preset.learningRate * Self.rateFactors[optimizer, default: 1])
    #expect(try TrainingConfiguration(options: usual.options) == usual)
    let own = try TrainingConfiguration(options: options.merging(["lr": "0.02"]) { $1 })
    #expect(own.learningRate == 0.02)
  }

  private static let rateFactors: [OptimizerKind: Double] = [.lion: 0.1, .sgd: 10]

  @Test(arguments: OptimizerKind.byGradients, RunOptionCatalog.methods)
  func `it has another one where a checkpoint is trained on`(
    optimizer: OptimizerKind, method: String
  ) throws {
    guard optimizer != .muon || method == RunOptionCatalog.fullMethod else { return }
    func rate(_ optimizer: OptimizerKind) throws -> Double {
      try TrainingConfiguration(options: [
        "preset": "tiny", "base": "b", "method": method, "optimizer": optimizer.rawValue,
      ]).learningRate
    }
    let factors: [OptimizerKind: Double] = [.lion: 0.3, .sgd: method == "prefix" ? 300 : 30]
    let expected = try rate(.adamW) * factors[optimizer, default: 1]
    #expect(abs(try rate(optimizer) / expected - 1) < 1e-12)
  }

  @Test func `what no layer has a use for is not told, so that it can be read again`() throws {
    var configuration = TrainingConfiguration(preset: .moeTiny)
    (configuration.model.feedForwardWidth, configuration.model.mixers) = (100, [.ssm])
    configuration.model.rotaryBase = 500
    let options = configuration.options
    #expect(options["ffn-width"] == nil && options["rope-theta"] == nil)
    _ = try TrainingConfiguration(options: options)
    configuration.model.experts?.every = 2
    configuration.model.mixers = [.attention]
    #expect(configuration.options["ffn-width"] == "100")
    #expect(try TrainingConfiguration(options: configuration.options).model == configuration.model)
  }

  @Test(arguments: ["anchor", "reward"])
  func `what a model is held to is counted in its memory`(objective: String) throws {
    func bytes(_ batch: Int, _ own: [String: String]) throws -> Double {
      let given = ["preset": "tiny", "base": "b", "method": "full", "batch": "\(batch)"]
      return try TrainingConfiguration(options: given.merging(own) { $1 }).estimatedBytes
    }
    let ids = ["vocabulary": "4096", "data": "ids", "anchor-data": "ids"]
    let own = objective == "anchor" ? ids.merging(["anchor": "1"]) { $1 } : ["reward": "words"]
    let plain = own.filter { $0.key == "vocabulary" || $0.key == "data" }
    let (vocabulary, context) = (Int(own["vocabulary"] ?? "256")!, 64)
    let perWindow = try [bytes(12, own) - bytes(4, own), bytes(12, plain) - bytes(4, plain)]
      .map { $0 / 8 }
    // The reference's logits twice, and what each token counts.
    #expect(perWindow[0] - perWindow[1] == Double(4 * context * (2 * vocabulary + 3)))
    let weights = try TrainingConfiguration(options: ["preset": "tiny"].merging(plain) { $1 })
      .model.parameterCount
    let rest = try bytes(4, own) - bytes(4, plain) - 4 * (perWindow[0] - perWindow[1])
    #expect(rest == Double(4 * weights))
  }

  @Test func `what a run starts with anyway may be said of one that has no use for it`() throws {
    for optimizer in OptimizerKind.allCases where !optimizer.hasSecondMoments {
      _ = try TrainingConfiguration(options: [
        "preset": "tiny", "optimizer": optimizer.rawValue, "adam-eps": "1e-08",
        "adam-beta2": "0.950", "moe-aux-loss": "0.01", "sample-every": "0", "sample-prompt": "a",
      ])
    }
  }

  @Test(arguments: [
    (["prest": "tiny"], "unknown option 'prest': did you mean 'preset'?"),
    (
      ["preset": "huge"],
      "'huge' is no value for preset: give tiny, small, base, moe-tiny, moe-small"
    ),
    (["lr": "-1"], "'-1' is no value for lr: give a number from 0 to 1000"),
    (["lr": "nan"], "'nan' is no value for lr: give a number from 0 to 1000"),
    (
      ["optimizer": "adam"],
      "'adam' is no value for optimizer: give adamw, stable-adamw, muon, sgd, lion, mezo"
    ),
    (["clip": "norm"], "'norm' is no value for clip: give global, zclip, adagc"),
    (["adam-beta2": "1"], "'1' is no value for adam-beta2: give a number from 0.1 to 0.99999"),
    (
      ["optimizer": "sgd", "update-clip": "1"],
      "update-clip compares gradients with second moments, and sgd keeps none: leave it out, or"
        + " choose adamw"
    ),
    (
      ["optimizer": "lion", "adam-beta2": "0.9"],
      "adam-beta2 changes nothing, as lion keeps no second moments: leave it out"
    ),
    (
      ["optimizer": "sgd", "adam-eps": "1e-6"],
      "adam-eps changes nothing, as sgd keeps no second moments: leave it out"
    ),
    (
      ["preset": "tiny", "moe-aux-loss": "0.1"],
      "moe-aux-loss changes nothing, as this model has no experts: leave it out"
    ),
    (
      ["preset": "tiny", "mixer": "ssm", "blend-steps": "5"],
      "blend-steps is about attention, and no layer has any: leave it out, or give --ssm-layers"
        + " instead of --mixer ssm"
    ),
    (
      ["preset": "tiny", "mixer": "ssm", "rope-theta": "500"],
      "rope-theta is about attention, and no layer has any: leave it out, or give --ssm-layers"
        + " instead of --mixer ssm"
    ),
    (
      ["sample-prompt": "the"],
      "--sample-prompt is what samples go on from: add --sample-every 100, or leave it out"
    ),
    (
      ["optimizer": "muon", "mu-param": "on"],
      "mu-param and muon both scale the matrices' rates: choose one of them"
    ),
    (
      ["feed-forward": "kat"],
      "every layer has experts, so none would have the feed-forward layer kat: give --experts 0, or"
        + " --expert-every 2"
    ),
    (
      ["ffn-width": "100"],
      "every layer has experts, whose width is --expert-width, and none has a feed-forward layer of"
        + " 100: give --experts 0, or --expert-every 2"
    ),
    (
      ["preset": "tiny", "sparsity": "0.5", "steps": "40", "regrow": "30"],
      "blocks are exchanged in the first three quarters of the run, and --regrow 30 comes after those"
        + " of 40 steps: give fewer, or 0"
    ),
    (
      [
        "preset": "tiny", "base": "b", "optimizer": "mezo", "mezo-sparsity": "0",
        "mezo-mask": "random",
      ],
      "mezo-mask says which weights stay, and with --mezo-sparsity 0 none does: leave it out, or"
        + " give --mezo-sparsity 0.75"
    ),
    (
      ["preset": "tiny", "feed-forward": "relu"],
      "'relu' is no value for feed-forward: give gelu, kat, swiglu"
    ),
    (
      ["decay-steps": "10"],
      "decay-steps belongs to the schedule wsd, not to cosine: leave it out, or give --schedule wsd"
    ),
    (
      ["schedule": "wsd", "steps": "50", "decay-steps": "60"],
      "60 decay-steps are more than the run's 50 steps: give fewer"
    ),
    (["corrupt": "1.5"], "'1.5' is no value for corrupt: give a number from 0 to 1"),
    (["clean": "0.1"], "--clean needs noise in the data: add --corrupt 0.3"),
    (["noise-loss": "plain"], "--noise-loss needs noise in the data: add --corrupt 0.3"),
    (["layers": "0"], "'0' is no value for layers: give a whole number from 1 to 256"),
    (
      ["preset": "tiny", "router": "switch"], "--router needs experts: add --experts 8"
    ),
    (
      ["preset": "tiny", "moe-capacity": "1"],
      "this model has no experts: leave --moe-capacity, --moe-bias-balance and"
        + " --moe-router-z-loss out or add --experts 8"
    ),
    (
      ["experts": "2", "expert-active": "3"],
      "a token cannot go to 3 of 2 experts: lower --expert-active"
    ),
    (
      ["router": "switch", "expert-active": "2"],
      "the switch router sends a token to one expert: leave --expert-active out"
    ),
    (
      ["router": "sigmoid", "moe-router-z-loss": "0.001"],
      "the sigmoid router has no softmax to hold: leave --moe-router-z-loss out"
    ),
    (
      ["router": "topk", "router-width": "16"],
      "router-width is the state of the router rmoe, not of topk: leave it out, or give --router"
        + " rmoe"
    ),
    (
      ["router": "hash", "moe-bias-balance": "0.001"],
      "the hash router has no scores to balance: leave --moe-aux-loss, --moe-bias-balance and"
        + " --moe-router-z-loss out"
    ),
    (
      ["router": "thor", "moe-capacity": "1"],
      "the thor router sends a whole batch to one expert: leave --moe-capacity out"
    ),
    (
      ["router": "thor", "expert-active": "2"],
      "the thor router sends a token to one expert: leave --expert-active out"
    ),
    (
      ["moe-consistency": "2"],
      "moe-consistency holds the two passes of the router thor together, and topk takes one:"
        + " leave it out, or give --router thor"
    ),
    (["preset": "tiny", "router-width": "16"], "--router-width needs experts: add --experts 8"),
    (
      ["layers": "1", "expert-every": "2"],
      "experts in every second layer need two layers: leave --expert-every out"
    ),
    (
      ["kv-heads": "2"],
      "kv-heads has no place in persimmon, where each query has a key of its own: add --architecture"
        + " llama, or leave it out"
    ),
    (
      ["architecture": "llama", "heads": "4", "kv-heads": "3"],
      "3 kv-heads do not divide the 4 heads: choose a divisor"
    ),
    (
      ["preset": "tiny", "architecture": "gpt2", "mixer": "ssm"],
      "the mixer ssm has norms of its own, and none of gpt2's: leave --architecture out"
    ),
    (
      ["architecture": "gpt2", "rope-theta": "500"],
      "rope-theta has no place in gpt2, whose positions are learned: leave it out"
    ),
    (
      ["architecture": "mamba"], "'mamba' is no value for architecture: give persimmon, gpt2, llama"
    ),
    (["heads": "3"], "3 heads do not divide a width of 64: choose a divisor"),
    (
      ["heads": "64"],
      "rotary positions need an even head width, and 64 / 64 is 1: change --width or --heads"
    ),
  ])
  func `what cannot be is refused in one line`(options: [String: String], line: String) {
    let error = #expect(throws: ConfigurationError.self) {
      try TrainingConfiguration(options: options)
    }
    #expect(error?.description == line)
  }
}
