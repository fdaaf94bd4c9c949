import Foundation
import Glibc
import Testing

/// `watch` on a terminal without a window, at a run of another process.
struct WatchCommandTests {
  @Test func `a key pressed while looking on reaches the run, and the event says from where`()
    throws
  {
    let run = try LiveBinary()
    defer { run.end() }
    let screen = try WatchingScreen(run.binary, ["watch", "a.seismo"])
    screen.type(" ")
    // Refused as long as the run goes on: once it is applied, the key has paused it.
    let resumed = try (0..<300).contains { _ in try run.control("resume").status == 0 }
    #expect(resumed)
    #expect(screen.end() == 0)
    #expect(try run.control("stop").status == 0)
    run.process.waitUntilExit()
    let events = try run.binary.run(["export", "a.seismo", "--format", "json"]).output
    #expect(events.contains("\"event\":\"pause\",\"by\":\"watch pts/"))
  }

  @Test func `with --read-only no key reaches the run`() throws {
    let run = try LiveBinary()
    defer { run.end() }
    let screen = try WatchingScreen(run.binary, ["watch", "--read-only", "a.seismo"])
    screen.type(" c}")
    #expect(screen.receives("only looks on"))
    #expect(screen.end() == 0)
    #expect(try run.control("stop").status == 0)
    run.process.waitUntilExit()
    let events = try run.binary.run(["export", "a.seismo", "--format", "json"]).output
    #expect(!events.contains("watch pts/"))
    #expect(!events.contains("\"event\":\"pause\""))
  }
}

/// The program with a terminal of 120 columns and 40 rows around it.
private final class WatchingScreen {
  private let process: Process
  private let master: CInt
  private var output: [UInt8] = []

  init(_ binary: SeismoBinary, _ arguments: [String]) throws {
    master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
    var isLocked: CInt = 0
    var number: CInt = 0
    var size = winsize(ws_row: 40, ws_col: 120, ws_xpixel: 0, ws_ypixel: 0)
    // Unlocks the other side and asks for its name, as unlockpt and ptsname do.
    try #require(ioctl(master, 0x4004_5431, &isLocked) == 0)
    try #require(ioctl(master, 0x8004_5430, &number) == 0)
    _ = ioctl(master, UInt(TIOCSWINSZ), &size)
    let slave = open("/dev/pts/\(number)", O_RDWR | O_NOCTTY | O_CLOEXEC)
    let handle = FileHandle(fileDescriptor: slave, closeOnDealloc: true)
    // A terminal is a program's own where it leads a session.
    process = binary.process(arguments)
    process.arguments = ["--ctty", "--wait", process.executableURL?.path ?? ""] + arguments
    process.executableURL = URL(fileURLWithPath: "/usr/bin/setsid")
    process.environment = binary.environment.merging([
      "TERM": "xterm-256color", "LANG": "C.UTF-8",
    ]) { _, own in own }
    process.standardInput = handle
    process.standardOutput = handle
    process.standardError = handle
    try process.run()
    try handle.close()
    // The header's first frame: from now on keys are taken.
    try #require(receives("loss"))
  }

  deinit {
    close(master)
  }

  func type(_ text: String) {
    _ = write(master, text, text.utf8.count)
  }

  /// Reads until `text` has been written; false where it does not come.
  func receives(_ text: String) -> Bool {
    let wanted = Array(text.utf8)
    while output.firstRange(of: wanted) == nil {
      var waiting = pollfd(fd: master, events: CShort(POLLIN), revents: 0)
      guard poll(&waiting, 1, 20_000) > 0 else { return false }
      var bytes = [UInt8](repeating: 0, count: 8192)
      let count = read(master, &bytes, bytes.count)
      guard count > 0 else { return false }
      output += bytes.prefix(count)
    }
    return true
  }

  /// Leaves by the key and gives the exit code.
  func end() -> Int32 {
    type("q")
    while receives("nothing that is ever written") {}
    process.waitUntilExit()
    return process.terminationStatus
  }
}
