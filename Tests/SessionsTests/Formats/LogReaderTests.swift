import Foundation
import Signals
import Telemetry
import Testing

@testable import Formats
@testable import Sessions

@Suite(.timeLimit(.minutes(15))) struct JSONValueTests {
  @Test func `numbers that are none, escapes and nesting are read`() throws {
    let text = #" {"a": [1, -2.5e-3, NaN], "b": {"c": -Infinity}, "é\n\u00e9\ud83d\ude00": true} "#
    let value = try JSONValue(Array(text.utf8))
    guard case .list(let list)? = value["a"] else {
      Issue.record("no list")
      return
    }
    #expect(list[0] == .number(1) && list[1] == .number(-0.0025))
    #expect(list[2].number?.isNaN == true)
    #expect(value["b"]?["c"] == .number(-.infinity))
    #expect(value["é\né😀"] == .flag(true))
  }

  @Test(arguments: [
    ("", 0, "it ends where a value should be"), ("{\"a\" 1}", 5, "no colon after a key"),
    ("[1, 2", 5, "neither a comma nor an end"), ("nul", 0, "no value"),
    ("1 2", 2, "more after the value"),
    ("\"ab", 3, "a text without its end"), ("--1", 0, "no number"),
  ])
  func `what is no JSON is named with its place`(text: String, offset: Int, what: String) {
    #expect(throws: JSONValue.Flaw(offset: offset, what: what)) { try JSONValue(Array(text.utf8)) }
  }

  @Test func `endless nesting ends`() {
    let deep = [UInt8](repeating: UInt8(ascii: "["), count: 100_000)
    #expect(throws: JSONValue.Flaw(offset: 65, what: "more than 64 levels")) { try JSONValue(deep) }
  }
}

@Suite(.timeLimit(.minutes(15))) struct LogReaderTests {
  private func run(_ lines: [String]) throws -> RecordedRun {
    try Decoding.run(JSONLinesDecoder(), Array(lines.joined(separator: "\n").utf8))
  }

  private func table(_ text: String) throws -> RecordedRun {
    try Decoding.run(TableDecoder(path: "a.csv"), Array(text.utf8))
  }

  @Test func `lines flat or nested, without a step, with texts, and no JSON at all`() throws {
    let run = try run([
      #"{"step":3,"metrics":{"loss":2,"lr":0.5},"time":1700000007}"#,
      #"{"_step":4,"train":{"loss":1},"ok":true,"_private":9}"# + "\r",
      #"{"loss":0.5,"remark":"fine"}"#,
      "Epoch 1 done", "", "[1]",
    ])
    let columns = run.generations[0].columns
    #expect(columns.map(\.name) == ["loss", "lr", "train/loss", "ok"])
    #expect(columns[0] == MetricColumn(name: "loss", steps: [3, 5], values: [2, 0.5]))
    #expect(run.generations[0].wallTimes.values == [1_700_000_007])
    let words = run.generations[0].happenings.map { happening in
      switch happening {
      case .event(let event): "\(event.step) \(event.text)"
      case .console(_, let line): line
      default: "?"
      }
    }
    #expect(words == ["5 remark: fine", "Epoch 1 done", "[1]"])
  }

  @Test func `our own lines come back as they were`() throws {
    let told = RecordedRun(records: TestRun.samples(0..<5) + [.event(TestRun.event(2, .alarm))])
    var lines: [String] = []
    JSONLines.eachLine(of: told) { lines.append($0) }
    #expect(lines.count == 6)
    #expect(lines[2].hasPrefix(#"{"step":2,"event":"alarm""#))
    var again: [String] = []
    JSONLines.eachLine(of: try run(lines)) { again.append($0) }
    #expect(again == lines)
  }

  @Test func `a table with quotes, byte-order mark and rows of another width`() throws {
    let text =
      "\u{feff}step,wall_time,\"a,b\",note\r\n1,5.5,\"2\",x\r\n2,6.5,inf,\r\n3,7\r\n4,8.5,,\n"
    let run = try table(text)
    #expect(
      run.generations[0].columns.map(\.name) == ["a,b"]
        && run.generations[0].columns[0].steps == [1, 2]
        && run.generations[0].columns[0].values == [2, .infinity])
    #expect(
      run.warnings == ["1 rows have another number of cells than the header: left out"])
  }

  @Test func `a table of ours, long or wide, names its run and comes back`() throws {
    let told = RecordedRun(records: TestRun.samples(0..<3))
    var rows: [String] = []
    CSV.eachLongRow(of: told, name: "a,b") { rows.append($0) }
    #expect(rows.count == 12)
    #expect(rows[0].hasPrefix("\"a,b\",0,1700000000.0,attention_logit_max/0,"))
    let history = TestRun.history(told.records)
    var text = CSV.header(history.names) + "\n"
    CSV.eachRow(of: history, metrics: history.names) { text += $0 + "\n" }
    let again = try table(text)
    expectEqual(TestRun.history(again.records), history)
  }

  @Test func `a last row without its end loses the number that may be cut`() throws {
    let run = try table("step,a,b\n1,2,3\n2,4,0.3")
    #expect(run.generations[0].columns.map(\.values) == [[2, 4], [3]])
    #expect(run.warnings == ["its last row has no end: a number is left out"])
  }

  private func named(_ rows: [[(String, Double)]], aliases: MetricAliases = .usual) -> RunBatch {
    var batch = RunBatch(aliases: aliases)
    for (step, row) in rows.enumerated() {
      for (name, value) in row { batch.add(batch.metric(name), value) }
      batch.endRow(step: step, wallTime: nil)
    }
    return batch
  }

  private func assembled(_ batch: RunBatch) -> RecordedRun {
    var (batch, assembly) = (batch, RunAssembly())
    assembly.take(&batch)
    return assembly.finished(batch)
  }

  @Test func `names that are known elsewhere become ours, the original is kept`() {
    let rows = [[("lm loss", 2.0), ("iteration-time", 0.25), ("lm loss vs samples", 2)]]
    let run = assembled(named(rows))
    #expect(run.names == ["loss", "step_ms"])
    #expect(run.samples("step_ms") == "0:250.0")
    #expect(named(rows).renamed.map(\.theirs) == ["lm loss", "iteration-time"])
    #expect(run.description?.environment["metric loss"] == "lm loss")
    let own = assembled(named(rows, aliases: .none))
    #expect(own.names == ["iteration-time", "lm loss", "lm loss vs samples"])
  }

  @Test func `where our name is taken nothing is renamed, and none of ours is taken twice`() {
    let both = assembled(named([[("train/loss", 2), ("loss", 1)]]))
    #expect(both.names == ["loss", "train/loss"])
    #expect(both.samples("loss") == "0:1.0")
    let late = assembled(named([[("train/loss", 2)], [("loss", 1)]]))
    #expect(late.samples("loss") == "0:2.0")
    #expect(late.samples("loss (logged)") == "1:1.0")
  }

  @Test func `each error is one line: what, where, what to do`() {
    let lines: [(FormatError, String)] = [
      (.absent(path: "a"), "a is not there: give a file or a folder of another tool's records"),
      (
        .unreadable(path: "a", reason: "Permission denied"),
        "cannot read a: Permission denied: check its permissions"
      ),
      (
        .unknown(path: "a", found: "an empty file"),
        "a is an empty file: give event files, a .wandb file, metrics.csv, trainer_state.json or "
          + "JSON lines"
      ),
      (
        .damaged(path: "a", offset: 7, what: "no value"),
        "a is damaged at byte 7: no value: go back to a copy"
      ),
      (
        .noSamples(path: "a"),
        "a holds no number with a step: give a file that a training run has logged to"
      ),
      (
        .nothingToImport(folder: "a"),
        "no records in a: give a folder with event files, .wandb files, metrics.csv or "
          + "trainer_state.json"
      ),
    ]
    for (error, line) in lines { #expect(error.description == line) }
  }
}
