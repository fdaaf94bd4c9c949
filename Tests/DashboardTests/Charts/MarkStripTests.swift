import Screen
import Signals
import Telemetry
import Testing

@testable import Dashboard

@Suite(.timeLimit(.minutes(15))) struct MarkStripTests {
  private func context(_ steps: Int) -> PaneContext {
    PaneContext(
      history: RunHistory(), playhead: steps - 1,
      window: TimeWindow(steps: 0..<steps, isAll: true))
  }

  private let events: [RunEvent] = [
    (40, RunEvent.Kind.alarm, "attention-logits-high"), (150, .set, "qk_layernorm"),
    (250, .alarm, "loss-spike"), (255, .alarm, "loss-spike"), (400, .note, nil),
    (520, .alarm, "held-out-loss-rising"),
    (800, .set, "lr.multiplier"),
  ].map { step, kind, name in
    RunEvent(
      step: step, wallTime: 0, kind: kind, by: "you", name: name, after: .number(2), text: "a note")
  }

  private func strip(_ steps: Int, columns: Int, rows: Int = 20) -> MarkStrip {
    let time = TimeScale(context(steps), columns: columns)
    let marks = EventMark.numbered(events.filter { $0.step < steps }) { _ in true }.map(\.mark)
    return MarkStrip(
      EventMark.distinct(marks, time), time, columns: columns, chartRows: rows,
      symbols: .unicode)
  }

  @Test(arguments: [(30, 20), (44, 15), (80, 10), (120, 30)])
  func `as a run grows by a step hardly a name changes`(columns: Int, rows: Int) {
    var changes = 0
    var shown: [Int: String] = [:]
    for steps in 200...1_600 {
      let strip = strip(steps, columns: columns, rows: rows)
      for name in strip.names {
        let words = name.label.text
        if let before = shown[name.mark.step], before != words { changes += 1 }
        shown[name.mark.step] = words
      }
    }
    // 1,400 frames of up to seven marks.
    #expect(changes <= 40, "\(changes)")
  }

  @Test func `each mark is named by its noun or by its number in the list, none is covered`() {
    for columns in 16...120 {
      for rows in [6, 9, 12, 20] {
        let strip = strip(1_000, columns: columns, rows: rows)
        for name in strip.names {
          let label = name.label
          let width = TextWidth.columns(of: label.text)
          #expect(label.column >= 0 && label.column + width <= columns)
          let hasNumber = name.mark.numberText.map { label.text.contains($0) } ?? false
          #expect(hasNumber || label.text == name.mark.sign)
          for other in strip.names where other != name && other.label.row == label.row {
            guard label.text != name.mark.sign, other.label.text != other.mark.sign else {
              continue
            }
            let end = other.label.column + TextWidth.columns(of: other.label.text)
            #expect(end <= label.column || label.column + width <= other.label.column)
          }
        }
      }
    }
  }

  @Test func `a wide chart names all by their nouns`() {
    let words = strip(1_000, columns: 160).names.map(\.label.text).joined(separator: " ")
    for noun in ["logits", "qk-layernorm", "loss spike", "eval rises", "rate ×2", "a note"] {
      #expect(words.contains(noun), "\(words)")
    }
  }

  @Test func `marks less than two columns apart are named to both sides`() {
    let events = [(158, RunEvent.Kind.set), (180, .set), (215, .alarm)].map { step, kind in
      RunEvent(
        step: step, wallTime: 0, kind: kind, by: "you",
        name: kind == .set ? "lr.multiplier" : "loss-above-best", after: .number(2), text: "")
    }
    let time = TimeScale(context(1_000), columns: 52)
    let strip = MarkStrip(
      EventMark.distinct(EventMark.numbered(events) { _ in true }.map(\.mark), time), time,
      columns: 52, chartRows: 20, symbols: .unicode)
    #expect(Set(strip.names.map(\.label.text)) == ["rate ×2¹", "²rate ×2", "³loss worse"])
  }
}
