import Dispatch
import GRDB
import Synchronization

/// The file that an archive fetches from.
///
/// A session that is being written is not held open for long: its writer could not leave it as one
/// file otherwise.
final class ArchiveReader: Sendable {
  private let path: String
  private let isHeldOpen: Bool
  private let reader: Mutex<SessionReader?>

  private static let openTime = DispatchTimeInterval.milliseconds(200)

  init(_ reader: SessionReader) {
    path = reader.path
    isHeldOpen = true
    self.reader = Mutex(reader)
  }

  init(reopening path: String) {
    self.path = path
    isHeldOpen = false
    reader = Mutex(nil)
  }

  /// Runs `body` without the cost of a transaction: for a single statement.
  func fetch<Value>(_ body: (Database) throws -> Value) throws -> Value {
    try present().fetch(body)
  }

  private func present() throws(SessionError) -> SessionReader {
    try reader.withLock { reader throws(SessionError) in
      if let reader { return reader }
      let opened = try SessionReader(path: path)
      if !isHeldOpen {
        DispatchQueue.global(qos: .utility).asyncAfter(deadline: .now() + Self.openTime) {
          [weak self] in
          self?.reader.withLock { $0 = nil }
        }
      }
      reader = opened
      return opened
    }
  }
}
