import Foundation
import Telemetry
import Testing
import TestSupport

@testable import Formats

@Suite(.timeLimit(.minutes(15))) struct LoggedRunTests {
  let folder: TestFolder

  init() throws {
    folder = try TestFolder()
  }

  private func put(_ text: String, at path: String) throws {
    let url = folder.url.appendingPathComponent(path)
    try FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: url)
  }

  @Test func `very many runs have names of their own`() throws {
    for number in 0..<300 {
      try put("", at: "a/\(number % 150)/\(number / 150)-x/metrics.csv")
      try put("", at: "a/\(number % 150)-\(number / 150)-x/metrics.csv")
    }
    let runs = try LoggedRun.all(at: folder.url.path)
    #expect(runs.count == 600 && Set(runs.map(\.name)).count == 600)
  }

  @Test func `each run of a folder is found once, whatever links lead to it`() throws {
    try put("", at: "a/events.out.tfevents.2.host")
    try put("", at: "a/events.out.tfevents.1.host")
    try put("", at: "b/c/events.out.tfevents.1.host.v2")
    try put("", at: "b/metrics.csv")
    try put("", at: "b/other.csv")
    try put("", at: "wandb/run-1/run-1.wandb")
    try FileManager.default.createSymbolicLink(
      atPath: folder.path("wandb/latest-run"), withDestinationPath: "run-1")
    try FileManager.default.createSymbolicLink(
      atPath: folder.path("b/up"), withDestinationPath: "..")
    let runs = try LoggedRun.all(at: folder.url.path)
    #expect(runs.map(\.name) == ["a", "b", "b-c", "run-1"])
    #expect(runs.map(\.format) == [.eventFiles, .csv, .eventFiles, .wandb])
    #expect(
      runs[0].paths.map(SourceFile.name) == [
        "events.out.tfevents.1.host", "events.out.tfevents.2.host",
      ])
  }

  @Test func `a run of W&B's that was resumed is one, its files in their order`() throws {
    try put("", at: "wandb/run-20260102_1-abc/run-abc.wandb")
    try put("", at: "wandb/run-20260101_1-abc/run-abc.wandb")
    try put("", at: "wandb/run-20260101_2-def/run-def.wandb")
    try FileManager.default.createSymbolicLink(
      atPath: folder.path("wandb/latest-run"), withDestinationPath: "run-20260102_1-abc")
    let runs = try LoggedRun.all(at: folder.url.path)
    #expect(runs.map(\.name) == ["run-abc", "run-def"])
    let folders = runs[0].paths.map { SourceFile.name(of: FileSystem.folder(of: $0)) }
    #expect(folders == ["run-20260101_1-abc", "run-20260102_1-abc"])
    #expect(runs[0].laterFiles(than: Set(runs[0].paths)).isEmpty)
    try put("", at: "wandb/run-20260103_1-abc/run-abc.wandb")
    #expect(runs[0].laterFiles(than: Set(runs[0].paths)).count == 1)
  }

  /// An event file with one sample of each tag.
  private func events(_ tags: [MetricName], at path: String) throws {
    let samples = StepSamples(
      step: 1, wallTime: 1.7e9, names: tags, values: tags.map { _ in 0.5 })
    var bytes: [UInt8] = []
    TensorBoardExport(RecordedRun(records: [.samples(samples)])).eachRecord { bytes += $0 }
    let url = folder.url.appendingPathComponent(path)
    try FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(bytes).write(to: url)
  }

  @Test func `lines of one chart are of their run, another run below is none of it`() throws {
    try events(["train/loss"], at: "a/events.out.tfevents.1.h")
    try events(["err/all"], at: "a/err_all_left/events.out.tfevents.1.h")
    try events(["err/all"], at: "a/err_all_right/events.out.tfevents.1.h")
    try events(["err/all"], at: "a/later/events.out.tfevents.1.h")
    let runs = try LoggedRun.all(at: folder.path("a"))
    #expect(runs.map(\.name) == ["a", "later"])
    #expect(runs[0].paths.count == 3)
    let run = try runs[0].read().run
    #expect(run.names == ["err/all/left", "err/all/right", "loss"])
    #expect(runs[0].laterFiles(than: Set(runs[0].paths)).isEmpty)
  }

  @Test func `settings in YAML are nested by indentation`() {
    let text = """
      # of Lightning
      lr: 0.01
      name: 'tiny'
      model:
        width: 64
        deep:
          layers: 2
        dropout: null
      betas:
      - 0.9
      - 0.95
      tags: !!python/tuple
        - a
        - b
      empty:
      last: end

      """
    #expect(
      PlainYAML.options(text) == [
        "lr": "0.01", "name": "tiny", "model.width": "64",
        "model.deep.layers": "2", "model.dropout": "null", "betas": "0.9,0.95", "tags": "a,b",
        "last": "end",
      ])
    #expect(PlainYAML.options("").isEmpty)
    #expect(PlainYAML.options("- a\n:\n: x\n\tb: c").count <= 1)
  }

  @Test func `of a trainer's checkpoints the newest tells all`() throws {
    for step in [5, 100, 20] { try put("{}", at: "out/checkpoint-\(step)/trainer_state.json") }
    let runs = try LoggedRun.all(at: folder.url.path)
    #expect(runs.map(\.name) == ["out"])
    #expect(runs[0].paths[0].hasSuffix("out/checkpoint-100/trainer_state.json"))
    try put("{}", at: "out/trainer_state.json")
    let after = try LoggedRun.all(at: folder.url.path)
    #expect(after.map(\.paths) == [[folder.url.path + "/out/trainer_state.json"]])
  }

  @Test func `a file is known by its first bytes where its name says nothing`() throws {
    try put("{\"step\":1,\"loss\":2}\n{\"step\":2,\"loss\":2}\n", at: "log")
    try put("{\"log_history\":[]}", at: "state.json")
    try put("", at: "empty")
    #expect(try LoggedRun.all(at: folder.path("log")).map(\.format) == [.jsonLines])
    #expect(try LoggedRun.all(at: folder.path("state.json")).map(\.format) == [.trainerState])
    let empty = folder.path("empty")
    #expect(throws: FormatError.unknown(path: empty, found: "an empty file")) {
      try LoggedRun.all(at: empty)
    }
    let absent = folder.path("absent")
    #expect(throws: FormatError.absent(path: absent)) { try LoggedRun.all(at: absent) }
    try FileManager.default.createDirectory(
      atPath: folder.path("hollow"), withIntermediateDirectories: true)
    let hollow = folder.path("hollow")
    #expect(throws: FormatError.nothingToImport(folder: hollow)) {
      try LoggedRun.all(at: hollow)
    }
  }
}
