import Foundation
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
