import Signals
import Telemetry
import Testing

@testable import Training

@Suite(.timeLimit(.minutes(15))) struct ChangeEffectsTests {
  private func change(_ before: Double, _ after: Double, at step: Int) -> RunEvent {
    RunEvent(
      step: step, wallTime: 0, kind: .set, by: "you", name: "lr.multiplier",
      before: .number(before), after: .number(after), text: "set")
  }

  /// The effects told of `changes` over a run of 1,000 steps.
  private func effects(of changes: [RunEvent]) -> [RunEvent] {
    var effects = ChangeEffects()
    return (0..<1_000).flatMap { step in
      for event in changes where event.step == step { effects.note(event, blendSteps: 0) }
      let loss = 3 - Double(step) / 1_000
      return effects.observe(
        StepSamples(step: step, wallTime: 0, names: [MetricCatalog.loss], values: [loss]))
    }
  }

  @Test func `a change that was taken back is not told of`() {
    #expect(effects(of: [change(1, 0.5, at: 300)]).count == 1)
    #expect(effects(of: [change(1, 0.5, at: 300), change(0.5, 1, at: 310)]).isEmpty)
  }

  @Test func `of two changes the one that stands is told of`() {
    let told = effects(of: [change(1, 2, at: 300), change(2, 4, at: 305), change(4, 2, at: 310)])
    #expect(told.map(\.after) == [.number(2)])
  }
}
