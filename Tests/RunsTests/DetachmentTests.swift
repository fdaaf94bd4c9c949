import Foundation
import Runs
import Testing

/// Processes that are to go on without this one.
@Suite(.timeLimit(.minutes(15)))
struct DetachmentTests {
  @Test func `a process that is seen at work has been started`() throws {
    let mark = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path
    defer { try? FileManager.default.removeItem(atPath: mark) }
    try Detachment.spawn("/bin/sh", ["sh", "-c", "touch '\(mark)'; sleep 1"]) {
      FileManager.default.fileExists(atPath: mark)
    }
  }

  @Test func `one that goes on and ends later does not stay as a dead child`() throws {
    let mark = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path
    defer { try? FileManager.default.removeItem(atPath: mark) }
    try Detachment.spawn("/bin/sh", ["sh", "-c", "echo $$ > '\(mark)'; sleep 0.2"]) {
      FileManager.default.contents(atPath: mark)?.last == UInt8(ascii: "\n")
    }
    let text = try String(contentsOfFile: mark, encoding: .utf8)
    let child = try #require(pid_t(text.trimmingCharacters(in: .newlines)))
    // A dead child is still there to be signalled until somebody has waited for it.
    let deadline = ContinuousClock.now + .seconds(60)
    while kill(child, 0) == 0, ContinuousClock.now < deadline { usleep(10_000) }
    #expect(kill(child, 0) == -1)
  }

  @Test func `one that is there and of which nothing is seen is no success`() {
    #expect(throws: RunError.detachedUnseen(seconds: 1)) {
      try Detachment.spawn("/bin/sh", ["sh", "-c", "sleep 5"], patience: 1) { false }
    }
  }

  @Test func `one that ends at once, or cannot be started, is told`() {
    #expect(throws: RunError.notDetached(reason: "resume it from its last checkpoint")) {
      try Detachment.spawn("/bin/sh", ["sh", "-c", "exit 3"]) { false }
    }
    #expect(throws: RunError.notDetached(reason: "No such file or directory")) {
      try Detachment.spawn("/no/such/program", ["program"]) { false }
    }
  }
}
