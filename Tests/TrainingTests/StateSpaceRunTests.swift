import Foundation
import Kernels
import Models
import Telemetry
import TestSupport
import Testing

@testable import Training

@Suite(.timeLimit(.minutes(15)))
struct StateSpaceRunTests {
  private static func run(
    _ mixers: [LayerKind], workers: Int, folder: URL? = nil
  ) async throws -> TrainedRun {
    try await TrainedRun(checkpointFolder: folder) {
      $0.model.mixers = mixers
      $0.model.context = 21
      $0.steps = 30
      $0.checkpointEvery = 12
      $0.evalEvery = 10
      $0.evalWindows = 5
      $0.workers = workers
    }
  }

  @Test(arguments: [[LayerKind.ssm], [.attention, .ssm]])
  func `it trains, its bits are the same for all workers, and it goes on from its checkpoints`(
    mixers: [LayerKind]
  ) async throws {
    let folder = try TestFolder()
    let one = try await Self.run(mixers, workers: 1, folder: folder.url)
    let two = try await Self.run(mixers, workers: 2)
    #expect(one.samples.map(\.unclocked) == two.samples.map(\.unclocked))
    let losses = one.values(MetricCatalog.loss)
    #expect(losses.count == 30 && losses[29] < losses[0] - 0.5)
    let entries = try CheckpointFolder.list(in: folder.url.path)
    #expect(entries.map(\.step) == [0, 12, 24, 30])
    for entry in entries.dropLast() {
      let checkpoint = try CheckpointFolder.read(entry.path)
      #expect(checkpoint.configuration.mixers == mixers)
      let rest = try await TrainedRun(resuming: checkpoint)
      let expected = Array(one.samples.map(\.unclocked).dropFirst(entry.step))
      #expect(rest.samples.map(\.unclocked) == expected, "from \(entry.step)")
    }
  }

  @Test func `what the scans and gates do is told, and nothing of attention that is not there`()
    async throws
  {
    let run = try await Self.run([.ssm], workers: 2)
    let step = try #require(run.samples.last { $0[MetricCatalog.loss] != nil })
    #expect(!step.names.contains { $0.path.hasPrefix("attention") })
    #expect(step.names.allSatisfy { MetricCatalog.family(of: $0) != nil })
    for layer in 0..<2 {
      let numbers = try [
        MetricCatalog.smallestStateStep(layer: layer), MetricCatalog.largestStateStep(layer: layer),
        MetricCatalog.layerSignal("ssm_state", layer: layer),
        MetricCatalog.stateSize(layer: layer),
      ].map { try #require(step[$0]) }
      #expect(numbers[0] > 0 && numbers[1] > numbers[0])
      #expect(numbers[2] > 0 && numbers[3] > numbers[2])
      let decays = try (0..<GroupedStateSpace.groups).map {
        try #require(step[MetricCatalog.keptState(layer: layer, group: $0)])
      }
      #expect(decays.allSatisfy { $0 > 0 && $0 < 1 })
      // The first group remembers longest, the last one least.
      #expect(decays[0] > decays[3])
      let gates = try (0..<GroupedStateSpace.groups).map {
        try #require(step[MetricCatalog.stateGate(layer: layer, group: $0)])
      }
      #expect(gates.allSatisfy { $0 > 0 && $0 < 1 })
    }
  }

  @Test func `a layer of attention tells of itself beside one of state spaces`() async throws {
    let run = try await Self.run([.attention, .ssm], workers: 2)
    let step = try #require(run.samples.last { $0[MetricCatalog.loss] != nil })
    #expect(step[MetricCatalog.attentionLogitMax(layer: 0)] != nil)
    #expect(step[MetricCatalog.attentionLogitMax(layer: 1)] == nil)
    #expect(step["ssm_decay/1/0"] != nil && step["ssm_decay/0/0"] == nil)
  }

  @Test func `no window slides, and a text far beyond the context has the bytes of any cut`() {
    var model = ModelConfiguration(width: 16, layers: 2, heads: 2, context: 8)
    model.mixers = [.ssm]
    let engine = model.randomInferenceEngine(workers: 1)
    #expect(engine.cacheBytesPerPlace == 0)
    let prompt = (0..<150).map { UInt8($0 * 7 % 251) }
    func text(_ tokens: Int, texts: Int) -> [TextSample] {
      let continuation = Continuation(of: prompt, tokens: tokens, texts: texts, engine: engine)
      #expect(!continuation.slides)
      return continuation.samples(0..<3, rule: SamplingRule(), seed: 4)
    }
    let (alone, together) = (text(40, texts: 1), text(40, texts: 3))
    #expect(alone == together)
    // All of the prompt counts, far behind the trained context too.
    var other = prompt
    other[0] ^= 1
    let changed = Continuation(of: other, tokens: 40, texts: 1, engine: engine)
      .samples(0..<3, rule: SamplingRule(), seed: 4)
    #expect(changed.map(\.logProbability) != alone.map(\.logProbability))
  }

  @Test func `what a text is kept in does not grow with it`() {
    var model = ModelConfiguration(width: 16, layers: 2, heads: 2, context: 16_384)
    model.mixers = [.ssm]
    let engine = model.randomInferenceEngine(workers: 1)
    let bytes = [10, 100_000].map {
      Continuation(of: [1], tokens: $0, texts: 4, engine: engine).memoryBytes
    }
    #expect(bytes[0] == bytes[1])
    model.mixers = [.attention]
    let growing = Continuation(
      of: [1], tokens: 100_000, texts: 4, engine: model.randomInferenceEngine(workers: 1))
    #expect(growing.memoryBytes > 2 * bytes[0])
  }

  @Test func `options give a mixer by layer back`() throws {
    let all = try TrainingConfiguration(options: ["preset": "tiny", "mixer": "ssm"])
    #expect(all.model.mixers == [.ssm] && !all.model.hasAttention)
    let some = try TrainingConfiguration(
      options: ["preset": "tiny", "layers": "4", "ssm-layers": "1,3"])
    #expect((0..<4).map { some.model.mixer(inLayer: $0) } == [.attention, .ssm, .attention, .ssm])
    for configuration in [all, some] {
      #expect(try TrainingConfiguration(options: configuration.options) == configuration)
    }
    let plain = try TrainingConfiguration(options: ["preset": "tiny"])
    #expect(plain.options["mixer"] == nil && plain.options["ssm-layers"] == nil)
  }

  @Test(arguments: [
    (
      ["ssm-layers": "1,x"],
      "'1,x' is no value for ssm-layers: give whole numbers from 0 to 255 with commas between"
    ),
    (
      ["ssm-layers": "0,2"], "--ssm-layers 2: the 2 layers are counted from 0 to 1"
    ),
    (
      ["ssm-layers": "1", "mixer": "ssm"],
      "--mixer is that of all layers and --ssm-layers names some: give one of them"
    ),
    (
      ["mixer": "ssm", "width": "30", "heads": "1"],
      "the mixer ssm has 4 groups of channels, which do not divide a width of 30: choose a multiple"
    ),
    (
      ["mixer": "ssm", "qk-layernorm": "on"],
      "qk-layernorm is about attention, and no layer has any: leave it out, or give --ssm-layers"
        + " instead of --mixer ssm"
    ),
    (
      ["mixer": "ssm", "per-head-logits": "on"],
      "per-head-logits is about attention, and no layer has any: leave it out, or give --ssm-layers"
        + " instead of --mixer ssm"
    ),
  ])
  func `what cannot be is refused in one line`(options: [String: String], line: String) {
    let error = #expect(throws: ConfigurationError.self) {
      try TrainingConfiguration(options: options.merging(["preset": "tiny"]) { own, _ in own })
    }
    #expect(error?.description == line)
  }

  @Test func `a setting of attention is refused where no layer has any`() throws {
    let configuration = try TrainingConfiguration(options: ["preset": "tiny", "mixer": "ssm"])
    let conditions = SettingConditions(configuration)
    let lacking = SettingCatalog.entries.filter {
      conditions.lack(for: $0) == "no layer of this model has attention"
    }
    #expect(
      lacking.map(\.name) == [
        SettingCatalog.qkLayerNorm, SettingCatalog.logitSoftCap, SettingCatalog.qkClip,
      ])
  }
}
