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
