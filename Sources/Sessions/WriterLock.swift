import Formats
import Foundation
import Glibc

/// The right to write a session: an `flock` on a file beside it, which ends with the process that
/// holds it, however that ends.
///
/// It cannot be a lock on the session itself: closing any descriptor of the database would drop the
/// locks that SQLite holds on it.
package struct WriterLock: ~Copyable {
  private let descriptor: CInt
  private let path: String

  static func path(besides session: String) -> String { session + ".lock" }

  /// Takes the lock of the session at `session`.
  ///
  /// A reader's question holds it for an instant, so a refusal is tried again a few times.
  init(session: String) throws(SessionError) {
    path = Self.path(besides: session)
    for attempt in 0..<20 {
      if attempt > 0 { usleep(5000) }
      let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
      guard descriptor >= 0 else {
        throw .unwritable(path: session, reason: .ofLastCall)
      }
      // The holder may have removed the file between the two calls: then it is nobody's lock.
      if flock(descriptor, LOCK_EX | LOCK_NB) == 0, Self.isFile(path, descriptor) {
        self.descriptor = descriptor
        return
      }
      close(descriptor)
    }
    throw .alreadyWritten(path: session)
  }

  private static func isFile(_ path: String, _ descriptor: CInt) -> Bool {
    var named = stat()
    var opened = stat()
    guard stat(path, &named) == 0, fstat(descriptor, &opened) == 0 else { return false }
    return named.st_ino == opened.st_ino && named.st_dev == opened.st_dev
  }

  /// Whether somebody is writing the session at `session`.
  package static func isHeld(session: String) -> Bool {
    let descriptor = open(path(besides: session), O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    return flock(descriptor, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK
  }

  /// Leaves no trace of the lock, once the session is whole; the right itself ends with this value.
  func removeFile() {
    unlink(path)
  }

  deinit {
    close(descriptor)
  }
}
