import Screen
import Signals
import Telemetry
import Testing

@testable import Dashboard

/// Alarms in the list of events, in the menu that helps, and on the charts.
@Suite(.timeLimit(.minutes(15))) struct EventLogTests {
  private func event(
    _ kind: RunEvent.Kind, _ rule: AlarmRule, at step: Int, _ text: String = "", layer: Int? = nil,
    hint: String? = nil
  ) -> RunEvent {
    RunEvent(
      step: step, wallTime: 0, kind: kind, by: "alarm", name: rule.name, text: text, hint: hint,
      values: layer.map { ["layer": Double($0)] } ?? [:])
  }

  private func live(_ events: [RunEvent]) -> DashboardState {
    var state = UpdateTests.live(history: SampleRun.mixture)
    for event in events { state.history.append(.event(event)) }
    return state
  }

  @Test func `an alarm and its end are one line`() {
    let log = EventLog([
      event(.alarm, .attentionLogitsHigh, at: 200, "logits above 1e3"),
      event(.calm, .attentionLogitsHigh, at: 640, "logits back at 11"),
    ])
    #expect(log.entries.map(\.event.step) == [200])
    #expect(log.entries[0].end?.step == 640)
    #expect(log.raised.isEmpty)
  }

  @Test func `the end of one layer's alarm leaves the other layer's raised`() {
    let log = EventLog([
      event(.alarm, .deadExpert, at: 300, "expert 3 of L1 is dead", layer: 1),
      event(.alarm, .deadExpert, at: 310, "expert 0 of L3 is dead", layer: 3),
      event(.calm, .deadExpert, at: 400, "every expert of L1 is chosen again"),
    ])
    #expect(log.raised.map(\.step) == [310])
  }

  @Test func `an end without its alarm stands by itself`() {
    let log = EventLog([event(.calm, .lossSpike, at: 9, "loss back at 2")])
    #expect(log.entries.map(\.event.step) == [9])
  }

  @Test func `an alarm that is over says until when, and its hint goes`() {
    let events = [
      event(.alarm, .lossSpike, at: 1_300, "loss 9 above 2", hint: "{: halve the rate"),
      event(.calm, .lossSpike, at: 1_350, "loss back at 2"),
    ]
    let screen = PaneScreen(history: live(events).history)
    let line = screen.grid(EventsPane.pane, columns: 80, rows: 3).line(0)
    #expect(line.contains("loss 9 above 2, until step 1,350"))
    #expect(!line.contains("halve"))
  }

  @Test(arguments: [
    (128, "L2 E7 dead: 0.2% of 12.5%: the router has stopped choosing it now and then (+1) "),
    (80, "L2 E7 dead: 0.2% of 12.5% (+1) "), (64, "L2 E7 dead: 0.2% of 12.5% (+1) "),
    (44, "L2 E7 dead "),
  ])
  func `an alarm is shortened by whole clauses, and the key that helps stays at the right`(
    columns: Int, sentence: String
  ) {
    let long = "L2 E7 dead: 0.2% of 12.5%: the router has stopped choosing it now and then"
    let alarm = event(.alarm, .deadExpert, at: 1_390, long, hint: "m: raise moe.aux_loss")
    let screen = PaneScreen(history: live([alarm]).history)
    let line = screen.grid(EventsPane.pane, columns: columns, rows: 1).line(0)
    #expect(line.contains(sentence) && !line.contains("…"), "\(line)")
    #expect(line.hasSuffix("m: raise moe.aux_loss"), "\(line)")
  }

  @Test func `what a person wrote is cut between words, and says so`() {
    let note = RunEvent(
      step: 1_390, wallTime: 0, kind: .note, by: "you",
      text: "too fast, lower the rate before the next long run of this kind")
    let screen = PaneScreen(history: live([note]).history)
    let line = screen.grid(EventsPane.pane, columns: 44, rows: 2).line(0)
    #expect(line.contains("too fast, lower") && line.contains("…"))
  }

  private func checkpoint(_ step: Int, by: String = "run") -> RunEvent {
    RunEvent(
      step: step, wallTime: 0, kind: .checkpoint, by: by, name: "step-\(step)",
      text: "checkpoint step-\(step), 1.2 MB in 3 ms")
  }

  @Test func `checkpoints that the run writes by itself are one line, in the last one's place`() {
    let steps = [100, 200, 300, 400]
    let alarm = event(.alarm, .lossSpike, at: 250, "loss 9 above 2")
    let log = EventLog(
      (steps.map { checkpoint($0) } + [alarm, checkpoint(320, by: "you")])
        .sorted { $0.step < $1.step })
    #expect(log.entries.map(\.event.step) == [250, 320, 400])
    #expect(log.entries.map(\.checkpoints) == [1, 1, 4])
  }

  @Test func `checkpoints from before a rewind stay a line of their own`() {
    let rewind = RunEvent(step: 200, wallTime: 0, kind: .rewind, by: "you", text: "rewound")
    let before = [100, 200, 300].map { checkpoint($0) }
    let log = EventLog(before + [rewind] + [300, 400].map { checkpoint($0) })
    #expect(log.entries.map(\.checkpoints) == [3, 1, 2])
  }

  @Test func `the list says how many checkpoints a line stands for, a search shows each`() {
    var screen = PaneScreen(history: live([1_380, 1_390].map { checkpoint($0) }).history)
    let line = screen.grid(EventsPane.pane, columns: 80, rows: 3).line(0)
    #expect(line.contains("2 checkpoints, last step 1,390"))
    screen.change = { $0.filter = "checkpoint step-13" }
    #expect(screen.headline(EventsPane.pane).hasPrefix("2 of "))
  }

  @Test func `a checkpoint that the run writes by itself is not said`() {
    var state = live([])
    _ = update(&state, .recordsArrived([.event(checkpoint(1_390))]))
    #expect(state.toast == nil)
    _ = update(&state, .recordsArrived([.event(checkpoint(1_395, by: "you"))]))
    #expect(state.toast != nil)
  }

  @Test func `the line of events shows the newest alarm while it is raised, and how many more`() {
    let alarms = [
      event(.alarm, .deadExpert, at: 1_300, "L1 E3 dead: 0.6% of 12.5%", layer: 1),
      event(.alarm, .lossSpike, at: 1_310, "loss 9 above 2", hint: "{: halve the rate"),
    ]
    var state = live(alarms + [checkpoint(1_390)])
    state.size = Size(columns: 80, rows: 24)
    #expect(view(state).line(22).contains("loss 9 above 2 (+2)"))
    #expect(view(state).line(22).contains("{: halve the rate"))
    state.history.append(.state(.finished))
    #expect(!view(state).line(22).contains("(+"))
  }

  @Test func `the headline counts the alarms that are raised`() {
    let alarm = event(.alarm, .lossSpike, at: 1_310, "loss 9 above 2")
    let screen = PaneScreen(history: live([alarm]).history)
    #expect(screen.headline(EventsPane.pane).hasPrefix("2 alarms raised · "))
  }

  @Test(arguments: [
    (AlarmRule.attentionLogitsDiverging, "m: switch qk-layernorm on", SettingCatalog.qkLayerNorm),
    (.deadExpert, "m: raise moe.aux_loss", SettingCatalog.balanceLoss),
    (.lossSpike, "{: halve the rate", SettingCatalog.learningRateMultiplier),
    (.attentionLogitsHigh, "{: halve the rate", SettingCatalog.learningRateMultiplier),
    (.logZDrift, "m: switch z-loss on (1e-4)", SettingCatalog.zLoss),
    (.heldOutLossRising, "m: raise weight decay, or c: checkpoint", SettingCatalog.weightDecay),
  ])
  func `the menu opens at what helps against an alarm`(
    rule: AlarmRule, hint: String, setting: String
  ) {
    var state = live([event(.alarm, rule, at: 1_390, hint: hint)])
    _ = update(&state, .keyPressed(.character("m")))
    _ = update(&state, .keyPressed(.character(" ")))
    #expect(state.requests.value(of: setting) != nil)
  }

  @Test func `an alarm is marked on the charts it concerns, a command on all`() {
    let context = PaneScreen(
      history: live([event(.alarm, .deadExpert, at: 1_300)]).history
    ).context(.loss)
    func alarms(_ pane: PaneID) -> [Int] {
      context.marks(on: pane).filter { $0.role == .warning }.map(\.step)
    }
    #expect(alarms(.experts) == [1_300])
    #expect(alarms(.loss) == [610] && alarms(.attentionLogits) == [610])
    #expect(alarms(.throughput).isEmpty)
    for pane in PaneID.allCases {
      #expect(context.marks(on: pane).contains { $0.step == SampleRun.switchStep })
    }
  }

  @Test func `alarms that would crowd each other share one mark`() {
    let steps = [700, 704, 708, 1_200]
    let context = PaneScreen().context(.loss)
    let time = TimeScale(context, columns: 60)
    let marks = steps.compactMap { EventMark(event(.alarm, .lossSpike, at: $0)) }
    let drawn = EventMark.distinct(marks, time).sorted { $0.step < $1.step }
    #expect(drawn.map(\.step) == [700, 1_200])
    #expect(drawn.first?.texts == ["loss spike ×3", "alarms"])
  }

  @Test(arguments: [
    ("alarm", true), ("ALARM spike", true), ("alarm dead", false), ("spi*", true),
    ("loss|logits", true), ("^set", false), ("[", false), ("sp?ke", true),
  ])
  func `a pattern is words, a glob or a regular expression`(pattern: String, isFound: Bool) {
    let text = "alarm loss-spike: the loss is 9 above"
    #expect(TextPattern(pattern).matches(text) == isFound)
  }

  @Test func `a sentence is shortened by clauses that say something alone`() {
    let sentence =
      "attention logits above 1e4 (L0, 18,431): runs this far up diverge; good before it: "
      + "step-000000500 (loss 1.57)"
    let words = EventWords(sentence)
    #expect(words.fitting(200) == sentence)
    #expect(!words.versions.contains { $0.hasSuffix("good before it") })
    let apart = "attention logits above 1e4 (L0, 18,431): runs this far up diverge"
    #expect(words.fitting(100) == apart + "; good before it: step-000000500")
    #expect(words.fitting(90) == apart)
    #expect(words.fitting(60) == "attention logits above 1e4 (L0, 18,431)")
    #expect(words.fitting(30) == "attention logits above 1e4")
  }
}
