import Screen
import Signals
import Telemetry
import Testing

@testable import Dashboard

@Suite(.timeLimit(.minutes(15))) struct SamplesPaneTests {
  private static let history: RunHistory = {
    var history = SampleRun.rescue
    for (step, text) in [(0, "qzx kk"), (400, "the words\\ncome")] {
      history.append(
        .event(
          RunEvent(
            step: step, wallTime: 0, kind: .sample, by: "run", name: "a", text: text,
            values: ["bytes": 6, "logprob": -12, "ms": 3.25])))
    }
    return history
  }()

  private func lines(_ screen: PaneScreen, columns: Int = 40, rows: Int = 6) -> [String] {
    screen.grid(SamplesPane.pane, columns: columns, rows: rows).lines
      .map { String($0).trimmingSuffix(while: { $0 == " " }) }.map(String.init)
  }

  @Test func `samples are told newest first, each with its step and what it is worth`() {
    let screen = PaneScreen(history: Self.history)
    #expect(
      lines(screen).prefix(4) == [
        "step 400 · 2.00 nats a byte", "the words\\ncome", "step 0 · 2.00 nats a byte", "qzx kk",
      ])
    #expect(screen.headline(SamplesPane.pane) == "2 · 3.2 ms")
    let narrow = lines(screen, columns: 10, rows: 3)
    #expect(narrow[0].hasPrefix("step 400") && narrow[1] == "the")
  }

  @Test func `a search and a scroll leave others out, and before the first there is none`() {
    var screen = PaneScreen(history: Self.history)
    screen.change = { $0.filter = "qzx" }
    #expect(lines(screen)[0] == "step 0 · 2.00 nats a byte" && lines(screen)[2].isEmpty)
    screen.change = { $0.scroll = 1 }
    #expect(lines(screen)[1] == "qzx kk")
    screen.change = { _ in }
    screen.playhead = 100
    #expect(lines(screen)[1] == "qzx kk")
    #expect(lines(.empty).contains { $0.contains("nothing written yet") })
  }

  @Test func `the pane is there where a model writes, and nowhere else`() {
    for preset in LayoutPreset.allCases {
      let arrangement = Arrangement(preset: preset)
      for isMixture in [false, true] {
        #expect(!arrangement.ranked(isMixture: isMixture).contains(.samples))
        let writing = arrangement.ranked(isMixture: isMixture, told: [.samples])
        #expect(writing.contains(.samples) == [.overview, .everything].contains(preset))
      }
    }
    let layout = Layout(
      size: Size(columns: 120, rows: 40), arrangement: Arrangement(), isMixture: false,
      told: [.samples])
    #expect(layout.panes[.samples] != nil)
  }

  @Test func `what has a pane of its own is none of the events'`() {
    let kinds = EventLog(Self.history.events).entries.map(\.event.kind)
    #expect(!kinds.isEmpty && !kinds.contains(.sample))
  }
}

extension StringProtocol {
  fileprivate func trimmingSuffix(while isTrimmed: (Character) -> Bool) -> SubSequence {
    var end = endIndex
    while end > startIndex, isTrimmed(self[index(before: end)]) { end = index(before: end) }
    return self[startIndex..<end]
  }
}
