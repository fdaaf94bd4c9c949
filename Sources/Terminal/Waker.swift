import Foundation

/// Ends a wait for keys from a signal handler.
final class Waker: Sendable {
  let readEnd: Int32
  private let writeEnd: Int32

  init() {
    // Without a pipe (no descriptors left) a wait lasts its timeout, which is short.
    (readEnd, writeEnd) = Waker.pipe() ?? (-1, -1)
  }

  deinit {
    close(readEnd)
    close(writeEnd)
  }

  /// A pipe of which neither end waits or is handed to other programs.
  static func pipe() -> (readEnd: Int32, writeEnd: Int32)? {
    var ends: [Int32] = [-1, -1]
    guard Foundation.pipe(&ends) == 0 else { return nil }
    for end in ends {
      _ = fcntl(end, F_SETFL, O_NONBLOCK)
      _ = fcntl(end, F_SETFD, FD_CLOEXEC)
    }
    return (ends[0], ends[1])
  }

  /// For a signal handler, which may not touch objects: a byte written there wakes, and so does a pipe
  /// that is full.
  var handlerDescriptor: Int32 { writeEnd }

  func drain() {
    var bytes = [UInt8](repeating: 0, count: 64)
    while read(readEnd, &bytes, bytes.count) == bytes.count {}
  }
}
