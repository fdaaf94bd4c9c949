import Foundation
import Glibc
import Synchronization

/// A terminal without a window: what is written to it is kept, and keys can be typed.
final class PseudoTerminal: Sendable {
  /// The side that a terminal's window would hold, and what has come out of it.
  private final class Master: Sendable {
    let descriptor: Int32
    let received = Mutex<[UInt8]>([])
    let arrival = DispatchSemaphore(value: 0)
    let isOpen = Atomic(true)
    let isReadToTheEnd = DispatchSemaphore(value: 0)

    init(_ descriptor: Int32) { self.descriptor = descriptor }

    /// Reads until there will be nothing more.
    func read() {
      while isOpen.load(ordering: .acquiring), readSome() {}
      isReadToTheEnd.signal()
    }

    private func readSome() -> Bool {
      var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      guard poll(&request, 1, 20) > 0 else { return true }
      var bytes = [UInt8](repeating: 0, count: 4096)
      let count = Glibc.read(descriptor, &bytes, bytes.count)
      guard count > 0 else { return false }
      received.withLock { $0 += bytes[..<count] }
      arrival.signal()
      return true
    }
  }

  let path: String
  private let master: Master
  /// Held open so that the modes survive the program that leaves.
  private let slave: Int32

  init(columns: UInt16, rows: UInt16) throws {
    let descriptor = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
    var isLocked: Int32 = 0
    var number: Int32 = 0
    // Unlocks the other side and asks for its name, as unlockpt and ptsname do.
    guard ioctl(descriptor, 0x4004_5431, &isLocked) == 0,
      ioctl(descriptor, 0x8004_5430, &number) == 0
    else { throw POSIXError(.ENXIO) }
    master = Master(descriptor)
    path = "/dev/pts/\(number)"
    slave = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC)
    resize(columns: columns, rows: rows)
    Thread.detachNewThread { [master] in master.read() }
  }

  deinit {
    hangUp()
    close(slave)
  }

  func resize(columns: UInt16, rows: UInt16) {
    var size = winsize(ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
    _ = ioctl(master.descriptor, UInt(TIOCSWINSZ), &size)
  }

  func type(_ text: String) {
    _ = text.withCString { write(master.descriptor, $0, strlen($0)) }
  }

  var modes: [UInt32] {
    var modes = termios()
    tcgetattr(slave, &modes)
    return [modes.c_iflag, modes.c_oflag, modes.c_cflag, modes.c_lflag]
  }

  var output: String { master.received.withLock { String(decoding: $0, as: UTF8.self) } }

  /// Returns as soon as the text has arrived; false if it does not.
  func receives(_ text: String) -> Bool {
    while !output.contains(text) {
      guard master.arrival.wait(timeout: .now() + 20) == .success else { return false }
    }
    return true
  }

  /// Closes the terminal's window. The thread that reads has left before: the descriptor's number is
  /// soon somebody else's.
  func hangUp() {
    guard master.isOpen.exchange(false, ordering: .acquiringAndReleasing) else { return }
    master.isReadToTheEnd.wait()
    close(master.descriptor)
  }
}
