import Telemetry
import Testing

@testable import Formats

@Suite(.timeLimit(.minutes(15)))
struct ProtocolLineTests {
  private let lines = #"""
    {"run":{"protocol":1,"name":"gpt","config":{"lr":0.001,"data":{"path":"x"}},"total_steps":9,"pid":7,"started":5,"axes":{"val/*":"epoch"},"control":"/tmp/s","client":"c"}}
    {"state":"running"}
    {"settings":[{"name":"clip","kind":"number","min":0,"max":10,"value":1,"help":"h"},{"name":"ema","kind":"flag","value":false,"refusal":"fixed"},{"name":"mode","kind":"choice","choices":["a"],"value":"a"}],"commands":["pause"]}
    {"step":0,"time":1700000000.5,"metrics":{"loss":2.5}}
    {"alive":1700000001.5}
    {"console":"epoch 3","stream":"stderr"}
    {"answer":"applied","id":7,"step":1,"text":"x"}
    {"state":"failed","time":1700000002,"reason":"ValueError: hot"}

    """#

  private func records() throws -> [RunRecord] {
    try Decoding.records(JSONLinesDecoder(), [Array(lines.utf8)])
  }

  @Test func `only the step is a sample`() throws {
    let samples = try records().compactMap { record in
      if case .samples(let samples) = record { samples } else { nil }
    }
    #expect(samples.map(\.step) == [0])
    #expect(samples.first?.names.map(\.path) == ["loss"])
  }

  @Test func `the run line is the description`() throws {
    let descriptions = try records().compactMap { record in
      if case .description(let description) = record { description } else { nil }
    }
    let description = try #require(descriptions.last)
    #expect(description.name == "gpt")
    #expect(description.created == 5)
    #expect(description.totalSteps == 9)
    #expect(description.options == ["lr": "0.001", "data/path": "x"])
    #expect(description.environment["pid"] == "7")
    #expect(description.environment["control"] == nil)
    #expect(description.environment[.axis(of: "val/*")] == "epoch")
    #expect(description.obeyedCommands == ["pause"])
    #expect(description.isForeign)
  }

  @Test func `settings are declared with kind, range and refusal`() throws {
    let settings = try records().compactMap { record in
      if case .settings(let settings) = record { settings } else { nil }
    }
    #expect(
      settings == [
        [
          SettingDeclaration(
            name: "clip", kind: .number(lowest: 0, highest: 10), value: .number(1), purpose: "h"),
          SettingDeclaration(
            name: "ema", kind: .flag, value: .flag(false), purpose: "", refusal: "fixed"),
          SettingDeclaration(
            name: "mode", kind: .choice(["a"]), value: .word("a"), purpose: ""),
        ]
      ])
  }

  @Test func `the last state counts, and the console is the console`() throws {
    let run = try Decoding.run(JSONLinesDecoder(), Array(lines.utf8))
    #expect(run.state == .failed(reason: "ValueError: hot"))
    let consoles = try records().compactMap { record in
      if case .console(_, let line) = record { line } else { nil }
    }
    #expect(consoles == ["epoch 3"])
  }

  @Test(arguments: [
    #"{"state":"warm","step":3}"#, #"{"run":5,"step":3}"#, #"{"alive":1,"step":3}"#,
    #"{"settings":4,"step":3}"#,
  ])
  func `another trainer's line with such a name is a step as before`(line: String) throws {
    let run = try Decoding.run(JSONLinesDecoder(), Array((line + "\n").utf8))
    #expect(run.state == nil)
    #expect(run.generations.first?.columns.isEmpty == line.contains("warm"))
  }
}
