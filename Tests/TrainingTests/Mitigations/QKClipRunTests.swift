import Models
import Telemetry
import Testing

@testable import Training

@Suite(.timeLimit(.minutes(15)))
struct QKClipRunTests {
  @Test func `the largest logit saws at the threshold, and the loss is unmoved`() async throws {
    let free = try await TrainedRun {
      $0.steps = 300
      $0.learningRate = 0.03
    }
    let clipped = try await TrainedRun {
      $0.steps = 300
      $0.learningRate = 0.03
      $0.qkClip = 12
    }
    let late = { (run: TrainedRun, name: MetricName) in run.values(name)[200...] }
    let freeMax = late(free, MetricCatalog.attentionLogitMax)
    let clippedMax = late(clipped, MetricCatalog.attentionLogitMax)
    #expect(freeMax.min() ?? 0 > 18)
    #expect(clippedMax.max() ?? 99 < 18)
    #expect(clippedMax.contains { $0 > 12 } && clippedMax.contains { $0 < 12 })
    let mean = { (losses: ArraySlice<Double>) in losses.reduce(0, +) / Double(losses.count) }
    let difference =
      mean(late(clipped, MetricCatalog.loss)) - mean(late(free, MetricCatalog.loss))
    #expect(difference < 0.05)
  }

  @Test func `clip and qk-layernorm refuse each other, each with its reason`() async throws {
    let script = [
      (1, "set qk_clip 100"), (2, "set qk_layernorm on"), (3, "set qk_clip 0"),
      (4, "set qk_layernorm on"), (5, "set qk_clip 100"),
    ]
    let run = try await TrainedRun(script: script) { $0.steps = 8 }
    #expect(
      run.events.filter { $0.kind == .refused }.map(\.text) == [
        "set qk_layernorm on refused: qk_clip has no effect under it: set qk_clip 0 first",
        "set qk_clip 100 refused: qk-layernorm ignores the weights' scale: switch it off first",
      ])
    let error = #expect(throws: ConfigurationError.self) {
      try TrainingConfiguration(options: ["qk-clip": "100", "qk-layernorm": "on"])
    }
    #expect(
      error?.description
        == "qk-clip has no effect under qk-layernorm, which ignores the weights' scale: choose one")
  }
}
