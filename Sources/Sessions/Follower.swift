import Formats
import Glibc
package import Signals
package import Telemetry

/// Reads a session that another process is writing, a little more each time it is asked.
package struct Follower {
  package enum Writer: Equatable, Sendable {
    case writing
    /// The run is over, or its writer left the session in order.
    case ended
    /// The writer is gone and the run was not over: it was killed, or the machine went down.
    case crashed
  }

  package let path: String
  package private(set) var writer = Writer.writing
  private var cursor = SessionCursor()
  private var state = RunState.starting
  private var lastStamp: [FileSystem.Stamp] = []

  /// - Throws: as ``SessionReader`` does.
  package init(path: String) throws(SessionError) {
    self.path = path
    _ = try SessionReader(path: path)
  }

  /// All there is, as a history of which the older samples of a long session stay in the file;
  /// `poll()` goes on from there. To be asked for before the first `poll()`.
  ///
  /// `damage` is given what turns out to be lost later on, a line each.
  /// - Throws: `unreadable`, `damaged`.
  package mutating func history(
    damage: @escaping @Sendable (RecordingDamage) -> Void = { _ in }
  ) throws(SessionError) -> RunHistory {
    let reader = try SessionReader(path: path)
    guard let (history, cursor) = try reader.archived(damage: damage) else {
      return RunHistory(try poll())
    }
    self.cursor = cursor
    state = history.state
    return history
  }

  /// What has come since the last call; the first call hands out all there is.
  ///
  /// Costs two questions to the file system where nothing has come. The file is not held open
  /// between two calls, so that its writer can end it in order.
  /// - Throws: `unreadable` where the file cannot be read just now, `damaged`.
  package mutating func poll() throws(SessionError) -> [RunRecord] {
    // Asked before reading: what a writer that is gone wrote is all there now.
    let isHeld = WriterLock.isHeld(session: path)
    let stamp = ["", "-wal"].map { FileSystem.stamp(path + $0) }
    defer { writer = isHeld ? .writing : state.isOver ? .ended : .crashed }
    guard stamp != lastStamp else { return [] }
    let records = try SessionReader(path: path).records(since: &cursor)
    lastStamp = stamp
    for case .state(let newState) in records { state = newState }
    return records
  }
}
