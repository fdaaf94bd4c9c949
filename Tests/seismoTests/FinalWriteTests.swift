import Foundation
import GRDB
import Glibc
import Testing
import TestSupport

/// A run that is over while its session takes no records; the file is locked instead of full, which
/// needs no disk of its own.
@Suite(.timeLimit(.minutes(15)))
struct FinalWriteTests {
  let binary: SeismoBinary
  private let process: Process
  private let lock: DatabaseQueue

  /// A run that was stopped while its session was locked, and has said that records wait.
  init() throws {
    binary = try SeismoBinary()
    process = binary.process([
      "train", "--preset", "tiny", "--headless", "--session", "a.seismo", "--workers", "1",
      "--steps", "1000000",
    ])
    for name in ["out", "err"] {
      _ = FileManager.default.createFile(atPath: binary.path(name), contents: nil)
    }
    process.standardOutput = try FileHandle(forWritingTo: binary.folder.appending(path: "out"))
    process.standardError = try FileHandle(forWritingTo: binary.folder.appending(path: "err"))
    try process.run()
    try Self.wait { [binary] in try !Self.text(binary, "out").isEmpty }
    var configuration = Configuration()
    configuration.allowsUnsafeTransactions = true
    configuration.busyMode = .timeout(5)
    lock = try DatabaseQueue(path: binary.path("a.seismo"), configuration: configuration)
    try lock.writeWithoutTransaction { try $0.execute(sql: "BEGIN IMMEDIATE") }
    try #require(try binary.run(["control", "a.seismo", "stop"]).status == 0)
    try Self.wait { [binary, process] in try !process.isRunning || !Self.text(binary, "err").isEmpty
    }
  }

  /// Returns once `isReached`, and gives up where it takes minutes.
  private static func wait(until isReached: () throws -> Bool) throws {
    for _ in 0..<60_000 {
      if try isReached() { return }
      usleep(2000)
    }
    Issue.record("the program did not answer in two minutes")
  }

  private static func text(_ binary: SeismoBinary, _ name: String) throws -> String {
    String(decoding: try Data(contentsOf: binary.folder.appending(path: name)), as: UTF8.self)
  }

  private func unlock() throws {
    try lock.writeWithoutTransaction { try $0.execute(sql: "COMMIT") }
    try lock.close()
  }

  private func errorLines() throws -> [Substring] {
    try Self.text(binary, "err").split(separator: "\n")
  }

  /// How many steps the run has done, as it said at its end.
  private func stepsDone() throws -> Int {
    let lines = try Self.text(binary, "out").split(separator: "\n")
    let end = try #require(lines.first { $0.contains("  run  stopped") })
    return try #require(Int(end.prefix { $0 != "r" }.filter(\.isNumber)))
  }

  /// The steps in the session, in the order in which they lie there.
  private func steps() throws -> [Int] {
    let table = try binary.run(["export", "a.seismo", "--format", "csv"])
    return table.output.split(separator: "\n").dropFirst().compactMap { line in
      line.split(separator: ",").first.flatMap { Int($0) }
    }
  }

  @Test func `what waits at the end is written once it can be`() throws {
    defer { binary.remove() }
    try unlock()
    process.waitForEnd()
    #expect(process.terminationStatus == 0)
    let lines = try errorLines()
    try #require(lines.count == 1)
    #expect(lines[0].hasPrefix("seismo: "))
    #expect(lines[0].contains("a.seismo lacks ") && lines[0].contains(" wait in memory: "))
    #expect(lines[0].contains("it is locked by another process: end that process within 30 s"))
    #expect(try steps() == Array(0..<stepsDone()))
  }

  @Test func `a signal gives up what waits, and the records lost are counted`() throws {
    defer { binary.remove() }
    process.terminate()
    process.waitForEnd()
    try unlock()
    #expect(process.terminationReason == .exit)
    #expect(process.terminationStatus == 1)
    let lines = try errorLines()
    try #require(lines.count == 2)
    let words = lines[1].split(separator: " ")
    let lost = try #require(words.count > 2 ? Int(words[1]) : nil)
    #expect(lines[1].contains(" records are lost, ") && lines[1].contains("ends before them"))
    let (recorded, done) = try (steps(), stepsDone())
    #expect(recorded == Array(0..<recorded.count))
    #expect(lost >= done - recorded.count)
  }
}
