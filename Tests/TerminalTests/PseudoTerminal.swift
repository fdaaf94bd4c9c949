import Foundation
import Synchronization

/// A terminal without a window: what is written to it is kept, and keys can be typed.
final class PseudoTerminal: Sendable {
  let path: String
  private let master: Int32
  /// Held open so that the modes survive the program that leaves.
  private let slave: Int32
  private let received = Mutex<[UInt8]>([])
  private let arrival = DispatchSemaphore(value: 0)
  private let isOpen = Mutex(true)

  init(columns: UInt16, rows: UInt16) throws {
    master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
    var isLocked: Int32 = 0
    var number: Int32 = 0
    // Unlocks the other side and asks for its name, as unlockpt and ptsname do.
    guard ioctl(master, 0x4004_5431, &isLocked) == 0, ioctl(master, 0x8004_5430, &number) == 0
    else { throw POSIXError(.ENXIO) }
    path = "/dev/pts/\(number)"
    slave = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC)
    resize(columns: columns, rows: rows)
    Thread.detachNewThread { [weak self] in
      while let self, readSome() {}
    }
  }

  deinit {
    hangUp()
    close(slave)
  }

  func resize(columns: UInt16, rows: UInt16) {
    var size = winsize(ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
    _ = ioctl(master, UInt(TIOCSWINSZ), &size)
  }

  func type(_ text: String) {
    _ = text.withCString { write(master, $0, strlen($0)) }
  }

  var modes: [UInt32] {
    var modes = termios()
    tcgetattr(slave, &modes)
    return [modes.c_iflag, modes.c_oflag, modes.c_cflag, modes.c_lflag]
  }

  var output: String { received.withLock { String(decoding: $0, as: UTF8.self) } }

  /// Returns as soon as the text has arrived; false if it does not.
  func receives(_ text: String) -> Bool {
    while !output.contains(text) {
      guard arrival.wait(timeout: .now() + 20) == .success else { return false }
    }
    return true
  }

  func hangUp() {
    isOpen.withLock { isOpen in
      if isOpen { close(master) }
      isOpen = false
    }
  }

  /// False when there will be nothing more.
  private func readSome() -> Bool {
    guard isOpen.withLock({ $0 }) else { return false }
    var descriptor = pollfd(fd: master, events: Int16(POLLIN), revents: 0)
    guard poll(&descriptor, 1, 50) > 0 else { return true }
    var bytes = [UInt8](repeating: 0, count: 4096)
    let count = read(master, &bytes, bytes.count)
    guard count > 0 else { return false }
    received.withLock { $0 += bytes[..<count] }
    arrival.signal()
    return true
  }
}
