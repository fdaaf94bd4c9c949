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
