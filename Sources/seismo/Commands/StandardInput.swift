import Glibc

/// What comes in on standard input, as it comes.
enum StandardInput {
  private static let pieceSize = 1 << 16

  /// So often somebody who waits looks whether to end.
  private static let waitMilliseconds: Int32 = 100

  /// The bytes that have come, waiting for the first; nil at the end, and once `isOver` says so.
  static func next(unless isOver: () -> Bool) -> [UInt8]? {
    var place = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
    repeat {
      if isOver() { return nil }
    } while poll(&place, 1, waitMilliseconds) <= 0
    let bytes = [UInt8](unsafeUninitializedCapacity: pieceSize) { buffer, count in
      var length = read(STDIN_FILENO, buffer.baseAddress, buffer.count)
      while length < 0, errno == EINTR {
        length = read(STDIN_FILENO, buffer.baseAddress, buffer.count)
      }
      count = max(0, length)
    }
    return bytes.isEmpty ? nil : bytes
  }
}
