import Formats
import Foundation

/// Standard output and standard error: every line of the program goes through here, at once and
/// without a buffer.
///
/// A stream may be closed, its reader gone or its disk full; none of that ends the program by
/// itself, so whoever writes is told and decides.
enum StandardStream: Int32, CaseIterable {
  case output = 1
  case error = 2

  /// Why a stream takes no more.
  struct Refusal: Error, Equatable {
    let code: Int32

    /// The reader has seen enough, which is no fault.
    var isReaderGone: Bool { code == EPIPE }
    /// Whoever started the program wanted nothing to be written.
    var isClosed: Bool { code == EBADF }
    var reason: String { isClosed ? "it is closed" : FileSystem.systemWords(code) }
  }

  /// Writes all of `bytes`.
  func write(_ bytes: [UInt8]) throws(Refusal) {
    try Self.write(bytes, to: rawValue)
  }

  /// Writes all of `bytes` to an open file, a device or a pipe.
  static func write(_ bytes: [UInt8], to descriptor: Int32) throws(Refusal) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
      let code = errno
      if count > 0 {
        rest = rest.dropFirst(count)
      } else if count == 0 || !mayGoOn(descriptor, after: code) {
        throw Refusal(code: count == 0 ? ENOSPC : code)
      }
    }
  }

  func write(_ text: String) throws(Refusal) {
    try write(Array(text.utf8))
  }

  /// Whether it is worth trying again; waits until then.
  private static func mayGoOn(_ descriptor: Int32, after code: Int32) -> Bool {
    guard code == EAGAIN || code == EWOULDBLOCK else { return code == EINTR }
    var place = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
    _ = poll(&place, 1, -1)
    return true
  }

  /// Gives a stream that was closed a descriptor that refuses: else the next file to be opened, a
  /// session above all, would get its number and the lines that are meant for it.
  static func occupyClosed() {
    for descriptor in STDIN_FILENO...STDERR_FILENO where fcntl(descriptor, F_GETFD) < 0 {
      _ = open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY)
    }
  }
}

/// What a command was asked for.
enum StandardOutput {
  /// Writes `text` and the end of its line.
  /// - Throws: a failure where it cannot be written, but for a reader that has seen enough.
  static func print(_ text: String) throws(Failure) {
    do throws(StandardStream.Refusal) {
      try StandardStream.output.write(text + "\n")
    } catch {
      if !error.isReaderGone { throw failure(error) }
    }
  }

  /// Writes `text`, which is said beside what the command does: whether it can be read makes no
  /// difference.
  static func say(_ text: String) {
    try? StandardStream.output.write(text)
  }

  static func failure(_ refusal: StandardStream.Refusal) -> Failure {
    Failure(.failed, "standard output cannot be written: \(refusal.reason): choose another place")
  }
}
