import Foundation

/// Standard output, written at once and without a buffer.
enum StandardOutput {
  /// Writes all of `text`.
  /// - Returns: false where nobody reads, or nothing can be written.
  static func write(_ text: String) -> Bool {
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
      let count = bytes.withUnsafeBytes {
        Foundation.write(STDOUT_FILENO, $0.baseAddress, $0.count)
      }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { return false }
      bytes = bytes.dropFirst(count)
    }
    return true
  }

  /// Writes what a command was asked for.
  /// - Throws: a failure where it cannot be written, but for a reader that has seen enough.
  static func print(_ text: String) throws(Failure) {
    guard !write(text + "\n") else { return }
    guard errno != EPIPE else { return }
    throw Failure(
      .failed, "standard output cannot be written: \(String(cString: strerror(errno)))")
  }
}
