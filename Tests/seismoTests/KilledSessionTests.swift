import Foundation
import Glibc
import Sessions
import Telemetry
import Testing

/// A session that a killed process left has to be copied to be read.
@Suite(.timeLimit(.minutes(15)))
struct KilledSessionTests {
  let binary: SeismoBinary
  let temporary: String

  init() throws {
    binary = try SeismoBinary()
    temporary = binary.path("tmp")
    try FileManager.default.createDirectory(
      atPath: temporary, withIntermediateDirectories: false)
  }

  /// The files that a writer would leave if it were killed now.
  private func leaveKilled(_ name: String) throws {
    let recorder = Recorder(store: try SessionStore(creating: binary.path("live.seismo")))
    recorder.record(
      .samples(
        StepSamples(step: 0, wallTime: 0, names: [MetricCatalog.loss], values: [1])))
    recorder.flush()
    for ending in ["", "-wal"] {
      try FileManager.default.copyItem(
        atPath: binary.path("live.seismo" + ending), toPath: binary.path(name + ending))
    }
    try recorder.close()
    try FileManager.default.removeItem(atPath: binary.path("live.seismo"))
  }

  /// How many folders were made in the temporary folder while `body` ran.
  private func copies(_ body: () throws -> Void) throws -> Int {
    let watch = inotify_init1(CInt(IN_NONBLOCK))
    defer { close(watch) }
    try #require(inotify_add_watch(watch, temporary, UInt32(IN_CREATE)) >= 0)
    try body()
    var bytes = [UInt8](repeating: 0, count: 1 << 16)
    let count = max(0, read(watch, &bytes, bytes.count))
    return String(decoding: bytes.prefix(count), as: UTF8.self).split(separator: "seismo-").count - 1
  }

  @Test(arguments: [[], ["--filter", "steps>=0"]])
  func `it is copied once for a list, whatever is asked of it`(options: [String]) throws {
    defer { binary.remove() }
    try leaveKilled("killed.seismo")
    let process = binary.process(["sessions", "list", "."] + options)
    process.environment?["TMPDIR"] = temporary
    let count = try copies {
      let result = try binary.result(of: process)
      #expect(result.output.contains("killed"))
    }
    #expect(count == 1)
  }
}
