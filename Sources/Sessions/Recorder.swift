import Dispatch
import Formats
import Foundation
import Synchronization
package import Telemetry

/// Writes a run's records to its session as they come, and never holds the run up.
///
/// The first record is committed at once, later ones every 250 ms, from a queue of the recorder's
/// own. Where the disk is full or may not be written the records stay in memory until it can:
/// nothing is ever left out.
package final class Recorder: Sendable {
  private struct Inbox {
    var records: [(record: RunRecord, wallTime: Double)] = []
    var samples = 0
    var isCommitScheduled = false
    var lastCommit = DispatchTime(uptimeNanoseconds: 0)
  }

  static let commitInterval = DispatchTimeInterval.milliseconds(250)
  /// So many samples are committed without waiting for the interval's end.
  static let samplesWorthACommit = 1 << 16

  package let path: String
  private let store: SessionStore
  private let queue = DispatchQueue(label: "seismo.recorder", qos: .utility)
  private let inbox = Mutex(Inbox())
  /// Touched on the queue alone, so that nobody waits for it.
  private let draft: Mutex<SessionDraft>
  private let lastStatus = Mutex(RecorderStatus.ok)
  private let isClosed = Mutex(false)
  private let statusListener = Mutex<(@Sendable (RecorderStatus) -> Void)?>(nil)

  private init(store: SessionStore, draft: SessionDraft) {
    self.store = store
    path = store.path
    self.draft = Mutex(draft)
  }

  /// Records into a new session.
  package convenience init(store: SessionStore) {
    self.init(store: store, draft: SessionDraft())
  }

  /// Records on into a session that has an end.
  ///
  /// Where the session has reached the first step to come, or gone beyond it, a new generation
  /// begins.
  ///
  /// - Throws: `damaged` or `unwritable` where the session's end cannot be read.
  package convenience init(
    appendingTo store: SessionStore, generationStartingAt step: Int? = nil
  ) throws(SessionError) {
    var draft = try SessionDraft(continuing: store)
    if let step, let last = draft.lastTrainedStep, last >= step {
      draft.beginGeneration(at: step)
    }
    self.init(store: store, draft: draft)
  }

  /// Has `body` called after each commit that fails and after the first that succeeds again, on the
  /// recorder's queue: it must not call `flush` or `close`.
  package func onStatusChange(_ body: @escaping @Sendable (RecorderStatus) -> Void) {
    statusListener.withLock { $0 = body }
  }

  package var status: RecorderStatus { lastStatus.withLock { $0 } }

  /// Records that have been taken and not yet put into the draft of a commit.
  var recordsTaken: Int { inbox.withLock { $0.records.count } }

  /// Takes a record without waiting for anything. After `close()` it has no effect.
  package func record(_ record: RunRecord) {
    guard !isClosed.withLock({ $0 }) else { return }
    let wallTime = Date().timeIntervalSince1970
    let deadline = inbox.withLock { inbox -> DispatchTime? in
      inbox.records.append((record, wallTime))
      inbox.samples += record.sampleCount
      if inbox.samples >= Self.samplesWorthACommit {
        inbox.samples = 0
        return .now()
      }
      guard !inbox.isCommitScheduled else { return nil }
      inbox.isCommitScheduled = true
      return inbox.lastCommit + Self.commitInterval
    }
    guard let deadline else { return }
    queue.asyncAfter(deadline: deadline) { [weak self] in self?.commit() }
  }

  /// Waits until all that has been recorded is committed, or has been tried.
  package func flush() {
    queue.sync { commit() }
  }

  /// Commits all, closes every chunk and leaves one file.
  ///
  /// - Throws: `recordsUnwritten` where the disk does not take the rest; the records are kept, and
  ///   closing can be tried again.
  package func close() throws(SessionError) {
    let failure: SessionError? = queue.sync {
      guard !isClosed.withLock({ $0 }) else { return nil }
      takeRecords()
      draft.withLock { $0.closeChunks() }
      commit()
      if case .waiting(let reason, let records) = status {
        return .recordsUnwritten(path: path, records: records, reason: reason)
      }
      store.finish()
      isClosed.withLock { $0 = true }
      return nil
    }
    if let failure { throw failure }
  }

  /// Copies all that has been recorded into a new session at `path`, whole and with no writer.
  /// - Throws: `recordsUnwritten` where some of it is not in the file yet, `taken`, `unwritable`.
  package func copy(to path: String) throws(SessionError) {
    let failure: SessionError? = queue.sync {
      commit()
      if case .waiting(let reason, let records) = status {
        return .recordsUnwritten(path: self.path, records: records, reason: reason)
      }
      guard !FileSystem.exists(path) else { return .taken(path: path) }
      do {
        try store.copy(to: path)
        return nil
      } catch {
        try? FileManager.default.removeItem(atPath: path)
        return SessionError(writing: path, error)
      }
    }
    if let failure { throw failure }
  }

  private func takeRecords() {
    let taken = inbox.withLock { inbox in
      defer {
        inbox.records = []
        inbox.samples = 0
        inbox.isCommitScheduled = false
        inbox.lastCommit = .now()
      }
      return inbox.records
    }
    draft.withLock { draft in
      for (record, wallTime) in taken { draft.absorb(record, wallTime: wallTime) }
    }
  }

  private func commit() {
    guard !isClosed.withLock({ $0 }) else { return }
    takeRecords()
    let newStatus = draft.withLock { draft -> RecorderStatus in
      guard !draft.isWritten else { return .ok }
      do {
        try store.write(draft)
      } catch {
        return .waiting(
          reason: SessionError.obstacle(of: error), pendingRecords: max(1, draft.pendingRecords))
      }
      draft.markWritten()
      return .ok
    }
    if newStatus != .ok { scheduleRetry() }
    let isNews = lastStatus.withLock { status in
      defer { status = newStatus }
      return status != newStatus
    }
    if isNews { statusListener.withLock { $0 }?(newStatus) }
  }

  private func scheduleRetry() {
    let isMine = inbox.withLock { inbox in
      defer { inbox.isCommitScheduled = true }
      return !inbox.isCommitScheduled
    }
    guard isMine else { return }
    queue.asyncAfter(deadline: .now() + Self.commitInterval) { [weak self] in self?.commit() }
  }
}

extension RunRecord {
  fileprivate var sampleCount: Int {
    switch self {
    case .samples(let samples): samples.values.count
    case .column(let column): column.values.count
    case .description, .settings, .event, .state, .console, .damage, .generation: 0
    }
  }
}
