import Foundation
import Glibc
import Testing

/// The program with a terminal of 120 columns and 40 rows around it.
final class TerminalScreen {
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
      "TERM": "xterm-256color", "LANG": "C.UTF-8", "NO_COLOR": "",
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

  /// How often `text` has been written so far.
  func count(of text: String) -> Int {
    String(decoding: output, as: UTF8.self).split(separator: text, omittingEmptySubsequences: false)
      .count - 1
  }

  /// Leaves by the key and gives the exit code.
  func end() -> Int32 {
    type("q")
    while receives("nothing that is ever written") {}
    process.waitUntilExit()
    return process.terminationStatus
  }
}
