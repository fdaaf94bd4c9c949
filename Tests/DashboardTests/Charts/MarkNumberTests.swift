import Telemetry
import Testing

@testable import Dashboard

@Suite(.timeLimit(.minutes(15))) struct MarkNumberTests {
  private func event(_ kind: RunEvent.Kind, at step: Int) -> RunEvent {
    RunEvent(step: step, wallTime: 0, kind: kind, by: "you", text: "")
  }

  @Test func `what charts mark is numbered from 1, and events to come change no number`() {
    let events = [
      event(.run, at: 0), event(.alarm, at: 5), event(.calm, at: 7), event(.note, at: 9),
      event(.checkpoint, at: 10), event(.set, at: 11),
    ]
    #expect(EventMark.numbers(of: events) == [nil, 1, nil, 2, nil, 3])
    for count in events.indices {
      let known = EventMark.numbers(of: Array(events.prefix(count)))
      #expect(known == Array(EventMark.numbers(of: events).prefix(count)))
    }
  }

  @Test func `exactly what is numbered has a mark`() {
    for kind in RunEvent.Kind.allCases {
      #expect((EventMark(event(kind, at: 1)) != nil) == EventMark.marks(kind), "\(kind)")
    }
  }

  @Test func `numbers are raised digits`() {
    #expect(EventMark.raised(3) == "³")
    #expect(EventMark.raised(120) == "¹²⁰")
    let marks = EventMark.numbered([event(.note, at: 1), event(.set, at: 2)]) { $0.kind == .set }
    #expect(marks.map(\.mark.numberText) == ["²"])
  }
}
