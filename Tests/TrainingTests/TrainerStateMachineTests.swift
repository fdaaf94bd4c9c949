import Models
import Telemetry
import Testing

@testable import Training

@Suite(.timeLimit(.minutes(15)))
struct TrainerStateMachineTests {
  private func machine(_ preset: Preset = .tiny) -> TrainerStateMachine {
    let configuration = TrainingConfiguration(preset: preset)
    return TrainerStateMachine(
      settings: LiveSettings(configuration), conditions: SettingConditions(configuration))
  }

  private func apply(
    _ words: String, to machine: inout TrainerStateMachine, at step: Int = 7
  ) throws -> (events: [RunEvent], tasks: [TrainerStateMachine.Task]) {
    machine.apply(try Command(words: words), by: "you", at: step, wallTime: 12)
  }

  @Test func `a change is recorded with step, author, before and after`() throws {
    var machine = machine()
    let (events, tasks) = try apply("set lr.multiplier 0.5", to: &machine)
    #expect(events.count == 1)
    #expect(events[0].kind == .set)
    #expect(events[0].step == 7)
    #expect(events[0].by == "you")
    #expect(events[0].name == "lr.multiplier")
    #expect(events[0].before == .number(1))
    #expect(events[0].after == .number(0.5))
    #expect(tasks == [.declareSettings])
    #expect(machine.settings.number(SettingCatalog.learningRateMultiplier) == 0.5)
  }

  @Test func `undo takes changes back in reverse order, then is refused`() throws {
    var machine = machine()
    _ = try apply("set z_loss 1e-4", to: &machine)
    _ = try apply("set z_loss 1e-3", to: &machine)
    _ = try apply("undo", to: &machine)
    #expect(machine.settings.number(SettingCatalog.zLoss) == 1e-4)
    _ = try apply("undo", to: &machine)
    #expect(machine.settings.number(SettingCatalog.zLoss) == 0)
    let (events, _) = try apply("undo", to: &machine)
    #expect(events.map(\.kind) == [.refused])
    #expect(events[0].text == "undo refused: nothing was changed")
  }

  @Test func `a note stands beside the step it names, never one to come`() throws {
    var machine = machine()
    #expect(try apply("note odd", to: &machine).events.map(\.step) == [7])
    #expect(try apply("note @4 odd", to: &machine).events.map(\.step) == [4])
    #expect(try apply("note @9 odd", to: &machine).events.map(\.step) == [7])
  }

  @Test func `a value that is in force already changes nothing`() throws {
    var machine = machine()
    let (events, tasks) = try apply("set grad_clip 1", to: &machine)
    #expect(events.map(\.text) == ["set grad_clip 1 refused: it is 1 already"])
    #expect(tasks.isEmpty && machine.changes.isEmpty)
  }

  @Test func `a dense model refuses the experts' balance loss and says why`() throws {
    var machine = machine(.tiny)
    let (events, _) = try apply("set moe.aux_loss 0.1", to: &machine)
    #expect(events.map(\.kind) == [.refused])
    #expect(events[0].text.hasSuffix("this model has no experts"))
    var mixture = self.machine(.moeTiny)
    #expect(try apply("set moe.aux_loss 0.1", to: &mixture).events.map(\.kind) == [.set])
  }

  @Test func `single steps end in a pause`() throws {
    var machine = machine()
    _ = try apply("pause", to: &machine)
    #expect(machine.isPaused)
    _ = try apply("step 2", to: &machine)
    machine.stepped()
    #expect(!machine.isPaused)
    machine.stepped()
    #expect(machine.isPaused)
    _ = try apply("resume", to: &machine)
    #expect(machine.mode == .running)
    #expect(try apply("resume", to: &machine).events.map(\.kind) == [.refused])
  }

  @Test(arguments: ["pause", "resume", "step", "detach"])
  func `a run that was told to stop stops`(words: String) throws {
    var machine = machine()
    _ = try apply("stop", to: &machine)
    #expect(try apply(words, to: &machine).events.map(\.kind) == [.refused])
    #expect(machine.mode == .stopping)
  }

  @Test func `qk-layernorm starts from gains of 1 only when no trace of it is left`() throws {
    var machine = machine()
    #expect(try apply("set qk_layernorm on", to: &machine, at: 0).tasks.first == .resetQKGains)
    _ = try apply("set qk_layernorm off", to: &machine, at: 50)
    #expect(try apply("set qk_layernorm on", to: &machine, at: 60).tasks == [.declareSettings])
  }
}
