import Telemetry
import Testing

@testable import Signals

@Suite(.timeLimit(.minutes(15)))
struct RunHistoryTests {
  private func samples(_ step: Int, loss: Double) -> RunRecord {
    .samples(StepSamples(step: step, wallTime: Double(step), names: ["loss"], values: [loss]))
  }

  @Test func `samples and columns add up to the same series`() {
    var live = RunHistory()
    for step in 0..<20 { live.append(samples(step, loss: Double(step))) }
    var recorded = RunHistory()
    let steps = Array(0..<20)
    let times = MetricColumn(
      name: MetricColumn.wallTime, steps: steps, values: steps.map(Double.init))
    recorded.append(.column(times))
    recorded.append(
      .column(MetricColumn(name: "loss", steps: steps, values: steps.map(Double.init))))
    #expect(live["loss"]?.values == recorded["loss"]?.values)
    #expect(live.wallTimes.values == recorded.wallTimes.values)
    #expect(live.names == recorded.names && live.lastStep == 19 && live.firstStep == 0)
  }

  @Test func `a new generation keeps what it supersedes apart`() {
    var history = RunHistory()
    for step in 0..<10 { history.append(samples(step, loss: 1)) }
    history.append(.generation(startingAt: 6))
    #expect(history.lastStep == 5)
    for step in 6..<8 { history.append(samples(step, loss: 2)) }
    #expect(history["loss"]?.values == [1, 1, 1, 1, 1, 1, 2, 2])
    #expect(history.superseded["loss"]?.map(\.steps) == [[6, 7, 8, 9]])
    #expect(history.generationStarts == [6])
  }

  @Test func `a setting has at a step the value of its changes up to there`() {
    var history = RunHistory()
    let declaration = SettingDeclaration(
      name: "z_loss", kind: .number(lowest: 0, highest: 10), value: .number(3), purpose: "")
    history.append(.settings([declaration]))
    #expect(history.setting("z_loss", at: 5) == .number(3))
    for (step, before, after) in [(10, 1.0, 2.0), (20, 2, 3)] {
      history.append(
        .event(
          RunEvent(
            step: step, wallTime: 0, kind: .set, by: "you", name: "z_loss",
            before: .number(before), after: .number(after), text: "")))
    }
    #expect(history.setting("z_loss", at: 9) == .number(1))
    #expect(history.setting("z_loss", at: 10) == .number(2))
    #expect(history.setting("z_loss", at: 30) == .number(3))
    #expect(history.setting("lr", at: 30) == nil)
  }

  @Test func `a checkpoint that was removed is not offered, whatever was gone back over since`() {
    var history = RunHistory()
    func write(_ step: Int, removing removed: [Int] = []) {
      var event = RunEvent(step: step, wallTime: 0, kind: .checkpoint, by: "run", text: "")
      event.removedCheckpoints = removed
      history.append(.event(event))
    }
    for step in [10, 20, 30] { write(step) }
    write(40, removing: [10, 20])
    #expect(history.checkpoints.map(\.step) == [30, 40])
    history.append(.generation(startingAt: 30))
    #expect(history.checkpoints.map(\.step) == [30])
    history.append(.generation(startingAt: 0))
    for step in [10, 20] { write(step) }
    #expect(history.checkpoints.map(\.step) == [10, 20])
  }

  @Test func `the console keeps its last lines`() {
    var history = RunHistory()
    for line in 0..<2500 { history.append(.console(wallTime: 0, line: "\(line)")) }
    #expect(history.console.count == RunHistory.consoleLimit)
    #expect(history.console.last == "2499" && history.console.first == "500")
  }
}

/// How many steps a run counts as done.
@Suite(.timeLimit(.minutes(15)))
struct StepsDoneTests {
  private func done(_ description: RunDescription, last: Int) -> Int {
    var history = RunHistory()
    history.append(.description(description))
    for step in [0, last] {
      history.append(
        .samples(StepSamples(step: step, wallTime: 0, names: [MetricCatalog.loss], values: [2])))
    }
    return history.stepsDone
  }

  @Test func `of another trainer's run the last step is shown as it was logged`() {
    #expect(done(RunDescription(name: "log", created: 0), last: 2_000) == 2_000)
    let planned = RunDescription(name: "trainer_state", created: 0, totalSteps: 500)
    #expect(done(planned, last: 500) == 500)
    var imported = planned
    imported.environment[.source] = "/logs/trainer_state.json"
    #expect(done(imported, last: 150) == 150)
    #expect(done(imported, last: 499) == 499)
  }

  @Test func `of a run of this program the updates count`() {
    let run = RunDescription(
      name: "own", created: 0,
      model: RunDescription.Model(
        preset: "tiny", width: 64, layers: 2, heads: 2, context: 64, batch: 16, experts: 1,
        parameters: 1), totalSteps: 60)
    #expect(done(run, last: 59) == 60)
    #expect(done(run, last: 29) == 30)
  }
}
