import Models
import Testing

@testable import Training

struct TrainingConfigurationTests {
  @Test(arguments: Preset.allCases)
  func `its own options give a configuration back`(preset: Preset) throws {
    var configuration = TrainingConfiguration(preset: preset)
    configuration.learningRate = 0.0123
    configuration.qkLayerNorm = true
    configuration.checkpointEvery = 50
    configuration.dataPath = "some/path"
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
  }

  @Test func `sizes of one's own are no preset any more`() throws {
    let configuration = try TrainingConfiguration(
      options: ["preset": "tiny", "width": "96", "heads": "4"])
    #expect(configuration.preset == nil)
    #expect(configuration.model.feedForwardWidth == 384)
    #expect(configuration.model.headWidth == 24)
  }

  @Test(arguments: [
    (["prest": "tiny"], "unknown option 'prest': did you mean 'preset'?"),
    (
      ["preset": "huge"],
      "'huge' is no value for preset: give tiny, small, base, moe-tiny, moe-small"
    ),
    (["lr": "-1"], "'-1' is no value for lr: give a number from 0 to 1000"),
    (["lr": "nan"], "'nan' is no value for lr: give a number from 0 to 1000"),
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
      ["layers": "1", "expert-every": "2"],
      "experts in every second layer need two layers: leave --expert-every out"
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
