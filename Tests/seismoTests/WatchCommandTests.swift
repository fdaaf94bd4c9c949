import Foundation
import Testing
import TestSupport

/// `watch` on a terminal without a window, at a run of another process.
@Suite(.timeLimit(.minutes(15)))
struct WatchCommandTests {
  /// Tries for two minutes to let the run of `session` go on, which only a paused run takes.
  private static func resumes(_ binary: SeismoBinary, _ session: String) throws -> Bool {
    let deadline = ContinuousClock.now + .seconds(120)
    repeat {
      if try binary.run(["control", session, "resume"]).status == 0 { return true }
    } while ContinuousClock.now < deadline
    return false
  }

  @Test func `a key pressed while looking on reaches the run, and the event says from where`()
    throws
  {
    let run = try LiveBinary()
    defer { run.end() }
    let screen = try TerminalScreen(run.binary, ["watch", "a.seismo"])
    screen.type(" ")
    // Refused as long as the run goes on: once it is applied, the key has paused it.
    #expect(try Self.resumes(run.binary, "a.seismo"))
    #expect(screen.end() == 0)
    #expect(try run.control("stop").status == 0)
    run.process.waitForEnd()
    let events = try run.binary.run(["export", "a.seismo", "--format", "json"]).output
    #expect(events.contains("\"event\":\"pause\",\"by\":\"watch pts/"))
  }

  @Test func `a run that branches off is followed into its new session`() throws {
    let run = try LiveBinary()
    defer { run.end() }
    let screen = try TerminalScreen(run.binary, ["watch", "a"])
    #expect(try run.control("branch", "probe").status == 0)
    #expect(screen.receives("probe"))
    screen.type(" ")
    // Refused as long as the run goes on: once it is applied, the key has paused the branch.
    #expect(try Self.resumes(run.binary, "probe"))
    #expect(screen.end() == 0)
    let gone = try run.control("pause")
    #expect(gone.status == 65 && gone.error.contains("it goes on in"), "\(gone.error)")
    #expect(try run.binary.run(["control", "probe", "stop"]).status == 0)
    run.process.waitForEnd()
  }

  @Test func `with --read-only no key reaches the run`() throws {
    let run = try LiveBinary()
    defer { run.end() }
    let screen = try TerminalScreen(run.binary, ["watch", "--read-only", "a.seismo"])
    screen.type(" c}")
    #expect(screen.receives("only looks on"))
    #expect(screen.end() == 0)
    #expect(try run.control("stop").status == 0)
    run.process.waitForEnd()
    let events = try run.binary.run(["export", "a.seismo", "--format", "json"]).output
    #expect(!events.contains("watch pts/"))
    #expect(!events.contains("\"event\":\"pause\""))
  }
}
