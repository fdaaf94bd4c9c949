import Foundation
import Glibc
import Synchronization
import Testing
import TestSupport

/// The program with a terminal of 120 columns and 40 rows around it. Nothing here waits longer than two
/// minutes, for a text as for the program's end.
final class TerminalScreen {
  private let process: Process
  private let written: TerminalOutput

  /// It is there once it has written `first`.
  init(_ binary: SeismoBinary, _ arguments: [String], until first: String = "loss") throws {
    let master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
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
      "TERM": "xterm-256color", "LANG": "C.UTF-8", "NO_COLOR": "",
    ]) { _, own in own }
    process.standardInput = handle
    process.standardOutput = handle
    process.standardError = handle
    try process.run()
    try handle.close()
    written = TerminalOutput(master)
    written.read()
    // With the header's first frame keys are taken.
    try #require(receives(first))
  }

  func type(_ text: String) {
    _ = write(written.master, text, text.utf8.count)
  }

  /// Waits until `text` has been written; false where it does not come.
  func receives(_ text: String) -> Bool {
    written.wait { $0.firstRange(of: Array(text.utf8)) != nil }
  }

  /// How often `text` has been written so far.
  func count(of text: String) -> Int {
    String(decoding: written.bytes, as: UTF8.self)
      .split(separator: text, omittingEmptySubsequences: false).count - 1
  }

  /// Leaves by the key, by force after two minutes, and gives the exit code.
  func end() -> Int32 {
    type("q")
    process.waitForEnd()
    return process.terminationStatus
  }
}

/// What a program writes to its terminal, read as it comes: a program whose terminal nobody reads
/// waits with its frame half written and takes no key.
private final class TerminalOutput: Sendable {
  /// Open for as long as anybody reads it or writes to it.
  let master: CInt
  private let state = Mutex<(bytes: [UInt8], isOver: Bool)>(([], false))

  init(_ master: CInt) { self.master = master }

  deinit { close(master) }

  var bytes: [UInt8] { state.withLock { $0.bytes } }

  /// Reads on a thread of its own until the program is gone.
  func read() {
    Thread.detachNewThread { [self] in
      var piece = [UInt8](repeating: 0, count: 8192)
      while true {
        let count = Glibc.read(master, &piece, piece.count)
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { break }
        state.withLock { $0.bytes += piece.prefix(count) }
      }
      state.withLock { $0.isOver = true }
    }
  }

  /// Waits until `isReached` holds of what was written, two minutes at most.
  func wait(until isReached: ([UInt8]) -> Bool) -> Bool {
    let deadline = ContinuousClock.now + .seconds(120)
    while true {
      let (bytes, isOver) = state.withLock { $0 }
      if isReached(bytes) { return true }
      if isOver || ContinuousClock.now > deadline { return false }
      usleep(5000)
    }
  }
}
