import Foundation
import Glibc
import Testing

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
    // Nobody reads on: a pipe that is full must not hold the run up for ever.
    let reader = output.fileHandleForReading
    reader.readabilityHandler = { _ = $0.availableData }
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
    process.waitUntilExit()
    binary.remove()
  }
}
