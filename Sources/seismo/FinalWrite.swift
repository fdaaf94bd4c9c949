import Dispatch
import Sessions
import Synchronization

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

  /// Closes `recorder`. Where its records have to wait, `say` is given a line about it, and
  /// `onceWritten` is called after the wait, before the session is closed.
  ///
  /// - Throws: a failure that counts the records that are lost.
  func close(
    _ recorder: Recorder, say: (String) -> Void, onceWritten: () -> Void
  ) throws(Failure) {
    guard let rest = Self.rest(closing: recorder) else { return }
    say(
      "\(recorder.path) lacks \(rest.records) records that wait in memory: \(rest.reason): "
        + "\(SessionError.remedy(for: rest.reason)) within \(seconds) s, or give them up with "
        + "Ctrl-C")
    isWaiting.withLock { $0 = true }
    defer { isWaiting.withLock { $0 = false } }
    if isWritten(recorder) { onceWritten() }
    guard let lost = Self.rest(closing: recorder) else { return }
    throw Failure(
      .failed,
      "\(lost.records) records are lost, \(recorder.path) ends before them: \(lost.reason): "
        + "\(SessionError.remedy(for: lost.reason)) sooner, or name another file with --session")
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
  private static func rest(closing recorder: Recorder) -> (records: Int, reason: String)? {
    do throws(SessionError) {
      try recorder.close()
      return nil
    } catch .recordsUnwritten(_, let records, let reason) {
      return (records, reason)
    } catch {
      return (0, "\(error)")
    }
  }
}
