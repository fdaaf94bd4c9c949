import Foundation
import Glibc
import Sessions
import Signals
import Telemetry
import Testing
import TestSupport

/// `ingest` with a program of its own.
@Suite(.timeLimit(.minutes(15)))
struct IngestCommandTests {
  /// What is recorded, as far as it is.
  private func recorded(_ binary: SeismoBinary) -> RunHistory {
    let records = try? SessionReader(path: binary.path("a.seismo")).records()
    return RunHistory(records ?? [])
  }

  /// Waits until `path` holds something.
  private func waitForText(at path: String) -> Bool {
    let deadline = ContinuousClock.now + .seconds(120)
    while ContinuousClock.now < deadline {
      if let size = try? Data(contentsOf: URL(fileURLWithPath: path)).count, size > 0 {
        return true
      }
      usleep(5000)
    }
    return false
  }

  @Test func `a program is run, what it prints is recorded, and its exit code handed on`() throws {
    let binary = try SeismoBinary()
    defer { binary.remove() }
    let script = #"echo '{"step":1,"loss":2.5}'; echo oops >&2; exit 3"#
    let result = try binary.run(["ingest", "--session", "a.seismo", "--", "sh", "-c", script])
    #expect(result.status == 3)
    #expect(result.output == "{\"step\":1,\"loss\":2.5}\noops\n")
    #expect(result.error == "seismo: recording to a.seismo\n")
    let history = recorded(binary)
    #expect(history[MetricCatalog.loss]?.values == [2.5] && history.console == ["oops"])
    #expect(history.state == .failed(reason: "it ended with 3"))
    let absent = try binary.run(["ingest", "--session", "b.seismo", "--", "no-such-program"])
    #expect(absent.status == 65)
    #expect(
      absent.error == "seismo: no-such-program cannot be started: No such file or directory\n")
  }

  @Test(arguments: [SIGINT, SIGTERM])
  func `a signal is the program's to answer`(number: Int32) throws {
    let binary = try SeismoBinary()
    defer { binary.remove() }
    let script = #"""
      trap 'echo bye; exit 0' INT TERM
      echo '{"step":1,"loss":2.5}'; echo > ready
      while :; do sleep 0.05; done
      """#
    let process = binary.process(["ingest", "--session", "a.seismo", "--", "sh", "-c", script])
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    #expect(waitForText(at: binary.path("ready")))
    kill(process.processIdentifier, number)
    process.waitForEnd()
    #expect(process.terminationStatus == 0)
    // The shell may say that what it waited for was terminated, too.
    #expect(recorded(binary).console.last == "bye")
    #expect(recorded(binary).state == .finished)
  }

  @Test func `a command goes to the program's standard input, and its answer comes back`() throws {
    let binary = try SeismoBinary()
    defer { binary.remove() }
    let script = #"""
      echo '{"settings":[],"commands":["sample"]}'; echo '{"step":1,"loss":2.5}'
      read line; echo "$line" > asked
      id=$(sed 's/.*"id":\([0-9]*\).*/\1/' asked)
      echo "{\"answer\":\"applied\",\"id\":$id,\"step\":4,\"text\":\"sampled\"}"
      read rest
      """#
    let process = binary.process(["ingest", "--session", "a.seismo", "--", "sh", "-c", script])
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    defer { process.waitForEnd() }
    defer { kill(process.processIdentifier, SIGTERM) }
    let deadline = ContinuousClock.now + .seconds(120)
    while ContinuousClock.now < deadline, recorded(binary)[MetricCatalog.loss] == nil {
      usleep(50_000)
    }
    let answer = try binary.run(["control", "a.seismo", "sample", "3"])
    #expect(answer.output == "applied at step 4: sampled\n", "\(answer.error)")
    let asked = try String(contentsOfFile: binary.path("asked"), encoding: .utf8)
    #expect(asked.hasPrefix("{\"command\":\"sample 3\",\"by\":\"control\","))
  }
}
