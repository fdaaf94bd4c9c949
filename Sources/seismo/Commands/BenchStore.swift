import ArgumentParser
import Dispatch
import Formats
import Foundation
import Sessions
import Telemetry

/// Measures the store on a session as long as asked for, with the statistics of a recording.
struct BenchStore: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench-store",
    abstract: "Time how a long session is recorded, opened and scrubbed.",
    discussion: """
      The session is tiled from a recording: its columns forwards and backwards in turn, each value \
      moved by the difference of two recorded neighbours close by, so that noise, granularity and \
      precision are the recording's own.
      """,
    shouldDisplay: false)

  @Option(help: "a recording to tile") var like = "sessions/rescue.seismo"
  @Option(help: "steps to record") var steps = 1_000_000
  @Option(help: "metrics to record at each step") var metrics = 60
  @Option(help: "the session to make and keep; with --read-only the one to read")
  var session: String?
  @Flag(help: "only open, zoom and scrub --session") var readOnly = false

  mutating func validate() throws {
    guard steps > 0, metrics > 0 else { throw ValidationError("give steps and metrics above 0") }
    if readOnly && session == nil { throw ValidationError("--read-only: give --session too") }
  }

  mutating func run() throws {
    if readOnly, let session {
      for line in try ReadingBenchmark(path: session).run() { try StandardOutput.print(line) }
      return
    }
    let path = session ?? NSTemporaryDirectory() + "seismo-bench-\(getpid()).seismo"
    defer { if session == nil { unlink(path) } }
    let recording = RecordedRun(records: try SessionReader(path: like).records())
    let tiled = try TiledRecording(recording, metrics: metrics)
    let seconds = try record(tiled, to: path)
    let samples = Double(steps * (tiled.names.count + 1))
    let bytes = (try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int) ?? 0
    try report("samples", samples / 1e6, "M, of \(tiled.names.count) metrics and the wall time")
    try report("file", Double(bytes) / 1e6, "MB")
    try report("bytes a sample", Double(bytes) / samples, "")
    try report("recording", samples / seconds / 1e6, "M samples/s")
    let arguments = ["replay", path, "--at", "\(steps * 2 / 3)", "--text"]
    let times = try (0..<5).map { _ in try Self.time(arguments) }
    try report("open to first frame", times.sorted()[2] * 1000, "ms")
    try Self.start(
      ["bench-store", "--session", path, "--read-only"], output: FileHandle.standardOutput)
  }

  private func report(_ name: String, _ value: Double, _ unit: String) throws {
    try StandardOutput.print("\(name): \(String(format: "%.3f", value)) \(unit)")
  }

  /// Seconds that recording takes, the making of the samples left out.
  private func record(_ tiled: TiledRecording, to path: String) throws -> Double {
    let recorder = Recorder(store: try SessionStore(creating: path))
    var tiled = tiled
    var seconds = 0.0
    var step = 0
    while step < steps {
      let samples = (step..<min(step + 4096, steps)).map { tiled.next(step: $0) }
      seconds += Self.seconds {
        for samples in samples { recorder.record(.samples(samples)) }
        recorder.flush()
      }
      step += 4096
    }
    recorder.record(.state(.finished))
    let start = DispatchTime.now().uptimeNanoseconds
    try recorder.close()
    return seconds + Double(DispatchTime.now().uptimeNanoseconds - start) / 1e9
  }

  static func seconds(_ body: () -> Void) -> Double {
    let start = DispatchTime.now().uptimeNanoseconds
    body()
    return Double(DispatchTime.now().uptimeNanoseconds - start) / 1e9
  }

  private static func time(_ arguments: [String]) throws -> Double {
    let start = DispatchTime.now().uptimeNanoseconds
    try Self.start(arguments, output: FileHandle.nullDevice)
    return Double(DispatchTime.now().uptimeNanoseconds - start) / 1e9
  }

  private static func start(_ arguments: [String], output: FileHandle) throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: Invocation.executable)
    process.arguments = arguments
    process.standardOutput = output
    try process.run()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw Failure(.failed, "'\(arguments.joined(separator: " "))' failed")
    }
  }
}
