import Foundation
import Glibc
import Testing

/// `ingest` with a program of its own.
@Suite(.timeLimit(.minutes(15)))
struct IngestCommandTests {
  private func records(_ binary: SeismoBinary) throws -> String {
    try binary.run(["export", "a.seismo", "--format", "json"]).output
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
    let records = try records(binary)
    #expect(records.contains("\"loss\":2.5") && records.contains("oops"))
    let list = try binary.run(["sessions", "a.seismo"]).output
    #expect(list.contains("failed"), "\(list)")
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
    #expect(try records(binary).contains("bye"))
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
    while ContinuousClock.now < deadline, try !records(binary).contains("2.5") { usleep(50_000) }
    let answer = try binary.run(["control", "a.seismo", "sample", "3"])
    #expect(answer.output == "applied at step 4: sampled\n", "\(answer.error)")
    let asked = try String(contentsOfFile: binary.path("asked"), encoding: .utf8)
    #expect(asked.hasPrefix("{\"command\":\"sample 3\",\"by\":\"control\","))
  }
}
