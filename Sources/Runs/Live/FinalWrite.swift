import Dispatch
package import Sessions
import Synchronization

/// What a session lacks at the end of its run because its disk does not take it.
package struct UnwrittenRecords: Sendable, Equatable {
  package let session: String
  package let records: Int
  package let reason: FileObstacle
  /// So long the disk is given.
  package let seconds: Int
}

/// The end of a recording: a disk that does not take the rest is given some time to.
final class FinalWrite: Sendable {
  private static let interval = DispatchTimeInterval.milliseconds(250)

  private let seconds: Int
  private let isWaiting = Mutex(false)
  private let isCutShort = DispatchSemaphore(value: 0)

  init(seconds: Int = 30) {
    self.seconds = seconds
  }

  /// Gives up what still waits, from any thread; false where nothing does.
  func cutShort() -> Bool {
    isWaiting.withLock { isWaiting in
      if isWaiting { isCutShort.signal() }
      return isWaiting
    }
  }

  /// Closes `recorder`. Where its records have to wait, `onWait` is told, and `onceWritten` is
  /// called after the wait, before the session is closed.
  ///
  /// - Throws: ``RunError/recordsLost(session:records:reason:remedy:)``.
  func close(
    _ recorder: Recorder, onWait: (UnwrittenRecords) -> Void, onceWritten: () -> Void
  ) throws(RunError) {
    guard let rest = unwritten(closing: recorder) else { return }
    onWait(rest)
    isWaiting.withLock { $0 = true }
    defer { isWaiting.withLock { $0 = false } }
    if isWritten(recorder) { onceWritten() }
    guard let lost = unwritten(closing: recorder) else { return }
    throw .recordsLost(
      session: recorder.path, records: lost.records, reason: lost.reason.description,
      remedy: lost.reason.remedy)
  }

  /// Asks the disk again and again; once more where the wait is cut short.
  private func isWritten(_ recorder: Recorder) -> Bool {
    let end = DispatchTime.now() + .seconds(seconds)
    while true {
      let isOver = isCutShort.wait(timeout: min(end, .now() + Self.interval)) == .success
      recorder.flush()
      if recorder.status == .ok { return true }
      if isOver || DispatchTime.now() >= end { return false }
    }
  }

  /// What keeps `recorder` from being closed; nil where it is closed now.
  private func unwritten(closing recorder: Recorder) -> UnwrittenRecords? {
    func unwritten(_ records: Int, _ reason: FileObstacle) -> UnwrittenRecords {
      UnwrittenRecords(
        session: recorder.path, records: records, reason: reason, seconds: seconds)
    }
    do throws(SessionError) {
      try recorder.close()
      return nil
    } catch .recordsUnwritten(_, let records, let reason) {
      return unwritten(records, reason)
    } catch {
      return unwritten(0, .other("\(error)"))
    }
  }
}
