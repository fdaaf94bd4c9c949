import Glibc

/// What comes in on standard input, as it comes.
enum StandardInput {
  private static let pieceSize = 1 << 16

  /// The bytes that have come, waiting for the first; nil at the end.
  static func next() -> [UInt8]? {
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
