import Telemetry
import Testing

@testable import Formats

/// Records as lines of PROTOCOL.md tell the same when they are read again.
@Suite(.timeLimit(.minutes(15))) struct ProtocolTextTests {
  private func read(_ lines: [String]) throws -> [RunRecord] {
    let bytes = Array(lines.map { $0 + "\n" }.joined().utf8)
    return try Decoding.records(JSONLinesDecoder(), [bytes])
  }

  private let settings = [
    SettingDeclaration(name: "a", kind: .flag, value: .flag(true), purpose: "on \"it\""),
    SettingDeclaration(
      name: "b", kind: .number(lowest: 0, highest: 2), value: .number(0.5), purpose: "p"),
    SettingDeclaration(
      name: "c", kind: .number(lowest: -.greatestFiniteMagnitude, highest: 3), value: .number(1),
      purpose: "p", refusal: "no"),
    SettingDeclaration(name: "d", kind: .choice(["x", "y"]), value: .word("y"), purpose: "p"),
  ]

  @Test func `a run of the engine's keeps the model's shape and the schedule`() throws {
    let told = RunDescription(
      name: "gpt", created: 1.7e9,
      model: RunDescription.Model(
        preset: "tiny", width: 64, layers: 2, heads: 4, context: 64, batch: 8, experts: 8,
        parameters: 1 << 40),
      totalSteps: 9, warmup: 3, peakLearningRate: 3e-3, minimumLearningRate: 0,
      initialLoss: 5.545, options: ["lr": "0.003"], environment: ["host": "node"])
    let read = try read(ProtocolText.lines(of: [.description(told)]))
    guard case .description(let found) = try #require(read.first) else {
      Issue.record("\(read)")
      return
    }
    #expect(found == told && !found.isForeign)
  }

  @Test(arguments: [
    ("layers", "2000000000"), ("heads", "4000000000"), ("experts", "-1"), ("batch", "1e15"),
    ("context", "4503599627370496"), ("width", "2.5"),
  ])
  func `a shape that no model has is left out, and the rest is read`(
    size: String, value: String
  ) throws {
    let sizes = ["width", "layers", "heads", "context", "batch", "experts", "parameters"]
    let members = sizes.map { "\"\($0)\":\($0 == size ? value : "8")" }.joined(separator: ",")
    let line = #"{"run":{"protocol":1,"name":"gpt","total_steps":9,"engine":{\#(members)}}}"#
    guard case .description(let found) = try #require(try read([line]).first) else {
      Issue.record("no description")
      return
    }
    #expect(found.model == nil && found.name == "gpt" && found.totalSteps == 9)
  }

  @Test func `what a record tells comes back, bit for bit`() throws {
    let event = RunEvent(
      step: 3, wallTime: 1.7e9 + 0.25, kind: .set, by: "you", name: "b", before: .number(1),
      after: .number(0.5), text: "set b\n1 → 0.5", values: ["x": .infinity])
    let row = StepSamples(
      step: 3, wallTime: 1.7e9, names: ["loss", "deep/er"], values: [.nan, 1.0 / 3])
    let lines = ProtocolText.lines(of: [
      .description(
        RunDescription(
          name: "gpt", created: 1.7e9, totalSteps: 9, options: ["lr": "0.1"],
          environment: ["host": "node", "control": "/tmp/x", "axis val/*": "epoch"])),
      .settings(settings), .samples(row), .event(event), .console(wallTime: 1.7e9, line: "a\u{1b}"),
      .state(.failed(reason: "it \"broke\"")),
    ])
    #expect(lines.count == 6 && lines[0].contains(#""axes":{"val/*":"epoch"}"#))
    var found: [String] = []
    for record in try read(lines) {
      switch record {
      case .description(let description):
        #expect(description.name == "gpt" && description.created == 1.7e9)
        #expect(description.totalSteps == 9 && description.options == ["lr": "0.1"])
        #expect(description.environment["host"] == "node")
        #expect(description.environment["control"] == nil)
        #expect(description.environment[.axis(of: "val/*")] == "epoch")
        found.append("description")
      case .settings(let read):
        #expect(read == settings)
        found.append("settings")
      case .samples(let samples):
        #expect(samples.step == 3 && samples.wallTime == 1.7e9 && samples.names == row.names)
        #expect(samples.values[0].isNaN && samples.values[1] == 1.0 / 3)
        found.append("samples")
      case .event(let read):
        #expect(read == event)
        found.append("event")
      case .console(_, let line):
        #expect(line == "a\u{1b}")
        found.append("console")
      case .state(let state):
        #expect(state == .failed(reason: "it \"broke\""))
        found.append("state")
      case .column, .generation, .damage: Issue.record("\(record)")
      }
    }
    #expect(found == ["description", "settings", "samples", "event", "console", "state"])
  }

  @Test func `columns come a step at a time, a run that starts again as one`() throws {
    let lines = ProtocolText.lines(of: [
      .column(
        MetricColumn(name: MetricColumn.wallTime, steps: [0, 1], values: [1.7e9, 1.7e9 + 1])),
      .column(MetricColumn(name: "loss", steps: [0, 1, 2], values: [4, 3, 2])),
      .column(MetricColumn(name: "acc", steps: [1], values: [0.5])),
      .generation(startingAt: 1),
      .column(MetricColumn(name: "loss", steps: [1], values: [9])),
    ])
    #expect(
      lines == [
        #"{"step":0,"metrics":{"loss":4.0},"time":1700000000.0}"#,
        #"{"step":1,"metrics":{"loss":3.0,"acc":0.5},"time":1700000001.0}"#,
        #"{"step":2,"metrics":{"loss":2.0},"time":1700000001.0}"#, #"{"generation":1}"#,
        #"{"step":1,"metrics":{"loss":9.0}}"#,
      ])
    let bytes = Array(lines.map { $0 + "\n" }.joined().utf8)
    let run = try Decoding.run(JSONLinesDecoder(), bytes)
    #expect(run.samples("loss") == "0:4.0 1:3.0 2:2.0 | 1:9.0")
    #expect(run.names == ["acc", "loss"])
  }
}
