import Foundation
import Models
import Telemetry
import Testing

@testable import Training

@Suite(.timeLimit(.minutes(15)))
struct LiveSettingsTests {
  private let settings = LiveSettings(TrainingConfiguration(preset: .tiny))

  private func machine(_ optimizer: OptimizerKind = .adamW) -> TrainerStateMachine {
    TrainerStateMachine(
      settings: settings, conditions: SettingConditions(optimizer: optimizer))
  }

  private func apply(
    _ words: String, to machine: inout TrainerStateMachine, at step: Int
  ) throws -> RunEvent? {
    machine.apply(try Command(words: words), by: "you", at: step, wallTime: 0).events.first
  }

  @Test(arguments: SettingCatalog.entries.map(\.name))
  func `every setting is set, told and taken back`(name: String) throws {
    let router = name == SettingCatalog.consistency ? ExpertRouter.thor : .topk
    var machine = TrainerStateMachine(
      settings: settings, conditions: SettingConditions(router: router))
    let before = try #require(machine.settings[name])
    let usual = try #require(SettingCatalog.entry(name)?.usual)
    let value = usual == before ? SettingValue.number(before.number / 2) : usual
    #expect(try apply("set \(name) \(value)", to: &machine, at: 3)?.kind == .set)
    #expect(machine.settings[name] == value)
    #expect(try apply("undo", to: &machine, at: 4)?.after == before)
    #expect(machine.settings[name] == before)
  }

  @Test func `settings of an older checkpoint are read, what it had none of is untouched`() throws {
    let coded = try JSONEncoder().encode(settings)
    var object = try #require(
      try JSONSerialization.jsonObject(with: coded) as? [String: Any])
    for key in [
      "clipping", "updateClip", "adamEpsilon", "adamBeta2", "warmupAgain", "decayNow",
      "frozenBlocks", "logitSoftCap", "outputSoftCap",
    ] {
      #expect(object.removeValue(forKey: key) != nil, "\(key)")
    }
    let older = try JSONSerialization.data(withJSONObject: object)
    var read = try JSONDecoder().decode(LiveSettings.self, from: older)
    read.complete(from: [:], TrainingConfiguration(preset: .tiny))
    #expect(read == settings)
  }

  @Test func `only one of two ways to clip is on`() throws {
    var machine = machine()
    _ = try apply("set zclip on", to: &machine, at: 1)
    let refused = try apply("set adagc on", to: &machine, at: 2)
    #expect(refused?.text == "set adagc on refused: zclip clips already: switch it off first")
    _ = try apply("set zclip off", to: &machine, at: 3)
    #expect(try apply("set adagc on", to: &machine, at: 4)?.kind == .set)
    #expect(machine.settings.clipping == .adagc)
  }

  @Test(arguments: ["update_clip 1", "adam_eps 1e-6", "adam_beta2 0.9"])
  func `SGD refuses what needs a second moment`(words: String) throws {
    var machine = machine(.sgd)
    let event = try apply("set \(words)", to: &machine, at: 1)
    #expect(event?.kind == .refused)
    #expect(event?.text.hasSuffix("sgd keeps no second moments") == true)
  }

  @Test(arguments: ["lr.warmup_again 2.5", "freeze 0.5", "lr.decay_now -1"])
  func `what is counted is whole`(words: String) {
    let error = #expect(throws: CommandError.self) { try Command(words: "set \(words)") }
    #expect(error?.description.contains("a whole number from 0 to") == true)
  }

  private func rate(_ settings: LiveSettings, at step: Int) -> Double {
    let schedule = LearningRateSchedule(peak: 1, warmup: 10, total: 1000, shape: .constant)
    return LearningRateInForce(schedule: schedule, settings: settings).rate(step: step)
  }

  @Test func `warm-up again ramps from next to nothing and can be asked for again`() throws {
    var machine = machine()
    _ = try apply("set lr.warmup_again 50", to: &machine, at: 100)
    #expect(rate(machine.settings, at: 100) == 0.02)
    #expect(rate(machine.settings, at: 124) == 0.5)
    #expect(rate(machine.settings, at: 149) == 1)
    #expect(rate(machine.settings, at: 500) == 1)
    #expect(try apply("set lr.warmup_again 50", to: &machine, at: 140)?.kind == .refused)
    let again = try apply("set lr.warmup_again 50", to: &machine, at: 150)
    #expect(again?.before == .number(0))
    #expect(rate(machine.settings, at: 150) == 0.02)
    _ = try apply("undo", to: &machine, at: 155)
    #expect(rate(machine.settings, at: 155) == 1)
  }

  @Test func `decay now goes straight to the minimum and undo goes back to the schedule`() throws {
    var machine = machine()
    _ = try apply("set lr.decay_now 100", to: &machine, at: 300)
    #expect(rate(machine.settings, at: 300) < 1)
    #expect(abs(rate(machine.settings, at: 349) - (1 + 1e-5) / 2) < 1e-12)
    #expect(rate(machine.settings, at: 399) == 1e-5)
    #expect(rate(machine.settings, at: 900) == 1e-5)
    _ = try apply("undo", to: &machine, at: 901)
    #expect(rate(machine.settings, at: 901) == 1)
  }
}
