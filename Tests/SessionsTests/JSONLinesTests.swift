import Foundation
import Telemetry
import Testing

@testable import Formats
@testable import Sessions

@Suite(.timeLimit(.minutes(15))) struct JSONLinesTests {
  @Test func `a step is one object with the digits that give each float back`() {
    let samples = StepSamples(
      step: 12, wallTime: 0,
      names: ["loss", "attention_logit_max/0", "activation_rms/1", "grad_norm", "lr", "log_z"],
      values: [
        5.1, Double(Float(0.1)), 0.1, Double(Float(0.1)), 1e-5, -0.0,
      ])
    #expect(
      JSONLines.line(.samples(samples))
        == #"{"step":12,"metrics":{"loss":5.1,"attention_logit_max/0":0.1,"#
        + #""activation_rms/1":0.1,"grad_norm":0.10000000149011612,"lr":1e-05,"log_z":-0.0}}"#)
  }

  @Test func `NaN and infinities stand bare`() {
    let samples = StepSamples(
      step: 0, wallTime: 0, names: ["loss", "attention_logit_max/0", "lr"],
      values: [.nan, .infinity, -.infinity])
    #expect(
      JSONLines.line(samples)
        == #"{"step":0,"metrics":{"loss":NaN,"attention_logit_max/0":Infinity,"lr":-Infinity}}"#)
  }

  @Test func `no metrics are an empty object`() {
    #expect(
      JSONLines.line(StepSamples(step: 3, wallTime: 0, names: [], values: []))
        == #"{"step":3,"metrics":{}}"#)
  }

  @Test func `an event has the keys it needs`() {
    let change = RunEvent(
      step: 150, wallTime: 0, kind: .set, by: "you", name: "qk_layernorm", before: .flag(false),
      after: .flag(true), text: "qk-layernorm on")
    #expect(
      JSONLines.line(.event(change))
        == #"{"step":150,"event":"set","name":"qk_layernorm","before":"off","after":"on","#
        + #""by":"you","text":"qk-layernorm on"}"#)
    let alarm = RunEvent(
      step: 7, wallTime: 0, kind: .alarm, by: "alarm", name: "spike", before: .number(1),
      after: .number(2.5e-4), text: "", hint: "{: halve", values: ["b": .nan, "a": 0.5])
    #expect(
      JSONLines.line(alarm)
        == #"{"step":7,"event":"alarm","name":"spike","before":1,"after":0.00025,"by":"alarm","#
        + #""hint":"{: halve","values":{"a":0.5,"b":NaN}}"#)
  }

  @Test func `text is escaped so that a parser gives it back`() throws {
    let text = "\"quoted\" \\ line\nnext\r\t\u{0}\u{1f} é 文 🜁 /"
    let note = RunEvent(step: 1, wallTime: 0, kind: .note, by: "you", text: text)
    let line = JSONLines.line(note)
    #expect(!line.contains("\n"))
    let parsed = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
    #expect(parsed?["text"] as? String == text)
  }

  @Test(arguments: 0..<20) func `random floats come back from their digits`(seed: UInt64) {
    var random = RandomBits(seed: seed)
    for _ in 0..<200 {
      let single = Float(bitPattern: UInt32(truncatingIfNeeded: random.next()))
      let double = Double(bitPattern: random.next())
      guard single.isFinite, double.isFinite else { continue }
      #expect(Float(JSONLines.number(Double(single), isSingle: true)) == single)
      #expect(Double(JSONLines.number(double, isSingle: false)) == double)
      #expect(Double(JSONLines.number(double, isSingle: true)) == double)
    }
  }

  @Test func `what is neither step nor event is no line`() {
    #expect(JSONLines.line(.state(.running)) == nil)
    #expect(JSONLines.line(.console(wallTime: 0, line: "hello")) == nil)
  }
}
