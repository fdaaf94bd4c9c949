import Foundation
import Testing

@testable import Telemetry

@Suite(.timeLimit(.minutes(15)))
struct SampleTests {
  @Test func `a value is found by its name`() {
    let samples = StepSamples(step: 3, wallTime: 0, names: ["loss", "lr"], values: [2, 0.1])
    #expect(samples["lr"] == 0.1)
    #expect(samples["grad_norm"] == nil)
  }

  @Test func `an event's coded form reads back as it`() throws {
    let event = RunEvent(
      step: 150, wallTime: 1.5, kind: .set, by: "you", name: "qk_layernorm", before: .flag(false),
      after: .flag(true), text: "qk_layernorm off → on", hint: nil, values: ["a": 0.1])
    let coded = try JSONEncoder().encode(event)
    #expect(try JSONDecoder().decode(RunEvent.self, from: coded) == event)
  }

  @Test func `a description's coded form reads back as it`() throws {
    let model = RunDescription.Model(
      preset: "tiny", width: 64, layers: 2, heads: 2, context: 64, batch: 16, experts: 0,
      parameters: 131_072)
    let description = RunDescription(
      name: "rescue", created: 1.5, model: model, totalSteps: 4000, warmup: 100,
      peakLearningRate: 0.04, minimumLearningRate: 1e-5, entropyPerByte: 1.1, initialLoss: 6.05,
      options: ["lr": "0.04"], environment: ["cpu": "x"])
    let coded = try JSONEncoder().encode(description)
    #expect(try JSONDecoder().decode(RunDescription.self, from: coded) == description)
  }

  @Test func `a state's coded form reads back as it and says whether it is over`() throws {
    let states: [RunState] = [
      .starting, .running, .paused, .finished, .stopped, .diverged, .failed(reason: "disk full"),
    ]
    let coded = try JSONEncoder().encode(states)
    #expect(try JSONDecoder().decode([RunState].self, from: coded) == states)
    #expect(states.map(\.isOver) == [false, false, false, true, true, true, true])
    #expect(Set(states.map(\.word)).count == states.count)
  }

  @Test(arguments: [("pauze", "pause"), ("stpo", "stop"), ("chekpoint", "checkpoint")])
  func `a word finds what it was meant to be`(word: String, meant: String) {
    #expect(word.nearest(among: ["pause", "stop", "checkpoint"]) == meant)
  }

  @Test func `a word far from all is not guessed at`() {
    #expect("xylophone".nearest(among: ["pause", "stop"]) == nil)
    #expect("a".nearest(among: []) == nil)
  }
}
