import Foundation
import TestSupport

/// The real program, run as a person or a script would, in a folder of its own.
struct SeismoBinary {
  struct Result {
    let status: Int32
    let output: String
    let error: String

    /// The lines of standard error.
    var errorLines: [Substring] { error.split(separator: "\n") }
  }

  let folder: URL

  init() throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "seismo-\(UUID().uuidString)")
    for name in ["run", "config/seismo"] {
      try FileManager.default.createDirectory(
        at: folder.appending(path: name), withIntermediateDirectories: true)
    }
  }

  func remove() {
    try? FileManager.default.removeItem(at: folder)
  }

  func path(_ name: String) -> String {
    folder.appending(path: name).path
  }

  /// What the program finds around it: its folders for sockets and settings are the test's own.
  var environment: [String: String] {
    ProcessInfo.processInfo.environment.merging([
      "XDG_RUNTIME_DIR": path("run"), "XDG_CONFIG_HOME": path("config"),
      "XDG_STATE_HOME": path("state"),
    ]) { _, own in own }
  }

  /// SwiftPM puts the program beside the test bundle.
  static var executable: URL {
    let bundle = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
    let candidates = [bundle, bundle.deletingLastPathComponent()].map {
      $0.appending(path: "seismo")
    }
    let found = candidates.first { FileManager.default.isExecutableFile(atPath: $0.path) }
    return found ?? candidates[0]
  }

  func process(_ arguments: [String]) -> Process {
    let process = Process()
    process.executableURL = Self.executable
    process.arguments = arguments
    process.currentDirectoryURL = folder
    process.standardInput = FileHandle.nullDevice
    process.environment = environment
    return process
  }

  /// Runs to the end, for two minutes at most; output goes through files, so that no pipe fills up.
  func run(_ arguments: [String]) throws -> Result {
    try result(of: process(arguments))
  }

  /// Runs `process` to its end, for two minutes at most.
  func result(of process: Process) throws -> Result {
    let names = ["stdout", "stderr"].map { folder.appending(path: "\($0)-\(UUID().uuidString)") }
    for name in names { _ = FileManager.default.createFile(atPath: name.path, contents: nil) }
    process.standardOutput = try FileHandle(forWritingTo: names[0])
    process.standardError = try FileHandle(forWritingTo: names[1])
    try process.run()
    process.waitForEnd()
    let texts = try names.map { String(decoding: try Data(contentsOf: $0), as: UTF8.self) }
    return Result(status: process.terminationStatus, output: texts[0], error: texts[1])
  }
}
