import Foundation
import Glibc
import Testing
import TestSupport

/// A run of the real program that goes on until the test ends it.
struct LiveBinary {
  let binary: SeismoBinary
  let process: Process
  private let output = Pipe()

  /// Starts a headless run that records to `a.seismo` and returns once it has said something.
  init(_ arguments: [String] = []) throws {
    binary = try SeismoBinary()
    process = binary.process(
      ["train", "--preset", "tiny", "--headless", "--session", "a.seismo", "--workers", "1"]
        + (arguments.contains("--steps") ? [] : ["--steps", "1000000"]) + arguments)
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    try #require(!output.fileHandleForReading.availableData.isEmpty)
    output.drain()
  }

  func control(_ words: String...) throws -> SeismoBinary.Result {
    try binary.run(["control", "a.seismo"] + words)
  }

  /// The control sockets that lie in the run's folder.
  func sockets() throws -> [String] {
    let folder = binary.path("run/seismo")
    return try FileManager.default.contentsOfDirectory(atPath: folder).map { "\(folder)/\($0)" }
  }

  func end() {
    kill(process.processIdentifier, SIGKILL)
    process.waitForEnd()
    binary.remove()
  }
}

extension Pipe {
  /// Reads on to the end and drops it, so that a writer is not held up for ever by a full pipe.
  ///
  /// On a thread that keeps the descriptor open, and not by a `readabilityHandler`: its event source
  /// outlives a descriptor that is closed under it, which ends the whole process.
  func drain() {
    let reader = fileHandleForReading
    Thread.detachNewThread {
      while !reader.availableData.isEmpty {}
    }
  }
}
