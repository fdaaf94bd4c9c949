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
  private func run(_ lines: [String]) -> RecordedRun {
    JSONLinesReader.run(Array(lines.joined(separator: "\n").utf8))
  }

  @Test func `lines flat or nested, without a step, with texts, and no JSON at all`() {
    let run = run([
      #"{"step":3,"metrics":{"loss":2,"lr":0.5},"time":7}"#,
      #"{"_step":4,"train":{"loss":1},"ok":true,"_private":9}"# + "\r",
      #"{"loss":0.5,"remark":"fine"}"#,
      "Epoch 1 done", "", "[1]",
    ])
    let columns = run.generations[0].columns
    #expect(columns.map(\.name) == ["loss", "lr", "train/loss", "ok"])
    #expect(columns[0] == MetricColumn(name: "loss", steps: [3, 5], values: [2, 0.5]))
    #expect(run.generations[0].wallTimes.values == [7])
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
    JSONLines.eachLine(of: run(lines)) { again.append($0) }
    #expect(again == lines)
  }

  @Test func `a table with quotes, byte-order mark and rows of another width`() throws {
    let text =
      "\u{feff}step,wall_time,\"a,b\",note\r\n1,5.5,\"2\",x\r\n2,6.5,inf,\r\n3,7\r\n4,8.5,,\n"
    let run = try CSVReader.run(Array(text.utf8), path: "a.csv")
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
    let again = try CSVReader.run(Array(text.utf8), path: "a.csv")
    expectEqual(TestRun.history(again.records), history)
  }

  @Test func `a last row without its end loses the number that may be cut`() throws {
    let run = try CSVReader.run(Array("step,a,b\n1,2,3\n2,4,0.3".utf8), path: "a.csv")
    #expect(run.generations[0].columns.map(\.values) == [[2, 4], [3]])
    #expect(run.warnings == ["its last row has no end: a number is left out"])
  }

  @Test func `names that are known elsewhere become ours, the original is kept`() {
    var assembly = RunAssembly()
    for (name, value) in [("lm loss", 2.0), ("iteration-time", 0.25), ("lm loss vs samples", 2)] {
      assembly.add(name, step: 1, wallTime: nil, value: value)
    }
    var run = assembly.finished()
    run.description = RunDescription(name: "a", created: 0)
    let (aliased, renamed) = MetricAlias.apply(to: run)
    #expect(aliased.names == ["loss", "step_ms"])
    #expect(aliased.generations[0].columns[1].values == [250])
    #expect(renamed.map(\.theirs) == ["lm loss", "iteration-time"])
    #expect(aliased.description?.environment["metric loss"] == "lm loss")
  }

  @Test func `where our name is taken nothing is renamed`() {
    var assembly = RunAssembly()
    assembly.add("loss", step: 0, wallTime: nil, value: 1)
    assembly.add("train/loss", step: 0, wallTime: nil, value: 2)
    #expect(MetricAlias.apply(to: assembly.finished()).run.names == ["loss", "train/loss"])
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

@Suite(.timeLimit(.minutes(15))) struct SessionImportTests {
  let folder: TestFolder

  init() throws {
    folder = try TestFolder()
  }

  private func history(_ path: String) throws -> RunHistory {
    TestRun.history(try SessionReader(path: path).records())
  }

  @Test func `importing again adds what has come since and doubles nothing`() throws {
    let path = folder.path("a.seismo")
    let records = TestRun.samples(0..<30) + [.event(TestRun.event(3))]
    let later =
      records + TestRun.samples(30..<50, seed: 2) + [.generation(startingAt: 40)]
      + TestRun.samples(40..<60, seed: 3) + [.event(TestRun.event(41))]
    #expect(try SessionImport.add(RecordedRun(records: records), to: path) == 120)
    #expect(try SessionImport.add(RecordedRun(records: records), to: path) == 0)
    #expect(try SessionImport.add(RecordedRun(records: later), to: path) == 160)
    #expect(try SessionImport.add(RecordedRun(records: later), to: path) == 0)
    #expect(folder.files == ["a.seismo"])
    expectEqual(try history(path), TestRun.history(later))
  }

  @Test func `what is missing in the middle is put there`() throws {
    let path = folder.path("a.seismo")
    let all = TestRun.samples(0..<20)
    let part = RecordedRun(records: Array(all[0..<5] + all[12...]))
    #expect(try SessionImport.add(part, to: path) == 52)
    #expect(try SessionImport.add(RecordedRun(records: all), to: path) == 28)
    expectEqual(try history(path), TestRun.history(all))
  }

  @Test func `a session that is being written is left alone`() throws {
    let path = folder.path("a.seismo")
    try TestRun.record(TestRun.samples(0..<3), at: path)
    let before = try Data(contentsOf: URL(fileURLWithPath: path))
    let lock = try WriterLock(session: path)
    #expect(throws: SessionError.alreadyWritten(path: path)) {
      try SessionImport.add(RecordedRun(records: TestRun.samples(0..<9)), to: path)
    }
    lock.removeFile()
    #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == before)
  }
}
