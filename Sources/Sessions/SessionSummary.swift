import Formats
import Foundation
package import Telemetry

/// One line of the list of sessions.
package struct SessionSummary: Sendable {
  /// The file's name without its ending.
  package var name: String
  package var path: String
  /// Bytes on disk, the log included.
  package var bytes: Int
  /// Steps done.
  package var steps = 0
  package var totalSteps: Int?
  /// Every option of the run under its long name.
  package var options: [String: String] = [:]
  package var environment: [String: String] = [:]
  /// The training loss of the last batch: noisy, see ``judgedLoss``.
  package var finalLoss: Double?
  /// The run as it went in the end.
  package var newest = SessionLine(number: 1)
  /// The ways it had gone before it was resumed from an earlier step or went back, oldest first.
  package var abandoned: [SessionLine] = []
  package var alarms = 0
  /// Wall time from the first sample to the last.
  package var seconds = 0.0
  package var state = RunState.starting
  /// Whether a process is writing it now.
  package var isLive = false
  /// When it was last written, seconds since 1970.
  package var lastWritten = 0.0
  /// Why it cannot be read; nil where it can.
  package var flaw: String?

  /// The held-out loss measured last, and the lowest one.
  package var heldOut: StepValue? { newest.heldOut }
  package var best: StepValue? { newest.best }
  /// The training loss, smoothed as the charts do it.
  package var smoothedLoss: Double? { newest.smoothedLoss }
  /// What the run is judged by in lists, their order and filters: the held-out loss, or where none
  /// was measured the smoothed one.
  package var judgedLoss: Double? { newest.judgedLoss }

  /// Whether its writer ended without saying so.
  package var isKilled: Bool { !isLive && !state.isOver && flaw == nil }

  /// How it stands, as the list says it.
  package var word: String {
    if flaw != nil { return "unreadable" }
    return isKilled ? "killed" : isLive ? "live" : state.word
  }
}

extension SessionSummary {
  package static let ending = ".seismo"

  /// The sessions in `folder`, the one written last first; none where there is no such folder.
  ///
  /// A file that cannot be read is listed with the reason.
  /// - Throws: `unreadable` where the folder is there and cannot be listed.
  package static func sessions(in folder: String) throws(SessionError) -> [SessionSummary] {
    guard FileSystem.exists(folder) else { return [] }
    return try paths(in: folder).map { SessionSummary(path: $0) }
      .sorted { $0.lastWritten > $1.lastWritten }
  }

  /// The files in `folder` that are named as sessions are, by name.
  package static func paths(in folder: String) throws(SessionError) -> [String] {
    let names: [String]
    do {
      names = try FileManager.default.contentsOfDirectory(atPath: folder)
    } catch {
      throw .unreadable(path: folder, reason: "it cannot be listed")
    }
    return names.filter { $0.hasSuffix(ending) }.sorted().map { "\(folder)/\($0)" }
  }

  /// The readable session in `folder` that was written last.
  package static func latest(in folder: String) throws(SessionError) -> SessionSummary? {
    try sessions(in: folder).first { $0.flaw == nil }
  }

  /// Sums up one file; what is wrong with it becomes its flaw.
  package init(path: String) {
    self.init(fileAt: path)
    _ = take(path)
  }

  /// A session as a list shows it: summed up, and what is drawn of it, nil where it cannot be read.
  /// The file is opened once, as one that a killed process left has to be copied for that.
  package static func outlined(
    path: String
  ) -> (summary: SessionSummary, outline: SessionOutline?) {
    var summary = SessionSummary(fileAt: path)
    guard let reader = summary.take(path) else { return (summary, nil) }
    return (summary, try? SessionOutline(summary, from: reader))
  }

  /// The sessions in `folder` as ``outlined(path:)`` gives them, in the order of ``sessions(in:)``.
  package static func outlines(
    in folder: String
  ) throws(SessionError) -> [(summary: SessionSummary, outline: SessionOutline?)] {
    guard FileSystem.exists(folder) else { return [] }
    return try paths(in: folder).map { outlined(path: $0) }
      .sorted { $0.summary.lastWritten > $1.summary.lastWritten }
  }

  /// What the file system says of it.
  private init(fileAt path: String) {
    let file = path.split(separator: "/").last.map(String.init) ?? path
    name = file.hasSuffix(Self.ending) ? String(file.dropLast(Self.ending.count)) : file
    self.path = path
    bytes = (FileSystem.size(path) ?? 0) + (FileSystem.size(path + "-wal") ?? 0)
    lastWritten = Double(FileSystem.stamp(path).seconds)
    isLive = WriterLock.isHeld(session: path)
  }

  /// Reads what is recorded.
  /// - Returns: the reader; nil where it cannot be read, which is its flaw then.
  private mutating func take(_ path: String) -> SessionReader? {
    do {
      let reader = try SessionReader(path: path)
      let (digest, lines) = try reader.read { database in
        let digest = try SessionDigest(database: database)
        let total = digest.description?.totalSteps
        return (
          digest,
          try LineDigest(
            database: database, totalSteps: total, state: digest.state?.state ?? .running,
            isForeign: digest.description?.isForeign ?? false)
        )
      }
      take(digest)
      (newest, abandoned, steps) = (lines.newest, lines.abandoned, lines.newest.steps)
      return reader
    } catch {
      flaw = "\(error)"
      return nil
    }
  }

  private mutating func take(_ digest: SessionDigest) {
    totalSteps = digest.description?.totalSteps
    options = digest.description?.options ?? [:]
    environment = digest.description?.environment ?? [:]
    state = digest.state?.state ?? .starting
    alarms = digest.alarms
    finalLoss = digest.lastLoss?.value
    if let first = digest.firstWallTime?.value, let last = digest.lastWallTime?.value {
      seconds = max(0, last - first)
      lastWritten = last
    } else if let created = digest.description?.created {
      lastWritten = created
    }
  }
}

extension SessionSummary {
  /// What a list can be ordered by.
  package enum Order: String, Sendable, CaseIterable {
    /// The lowest ``SessionSummary/judgedLoss`` first; runs without one, and diverged ones, last.
    case loss
    /// The most first.
    case steps
    /// The one written last first.
    case date
    /// The largest first.
    case size
    case name
  }
}

extension [SessionSummary] {
  /// In `order`, and what is equal in it by name.
  package func sorted(by order: SessionSummary.Order) -> [SessionSummary] {
    sorted { one, other in
      switch order {
      case .loss:
        let (left, right) = (one.sortingLoss, other.sortingLoss)
        return left == right ? one.name < other.name : left < right
      case .steps:
        return one.steps == other.steps ? one.name < other.name : one.steps > other.steps
      case .date:
        let isTie = one.lastWritten == other.lastWritten
        return isTie ? one.name < other.name : one.lastWritten > other.lastWritten
      case .size:
        return one.bytes == other.bytes ? one.name < other.name : one.bytes > other.bytes
      case .name: return one.name < other.name
      }
    }
  }
}

extension SessionSummary {
  fileprivate var sortingLoss: Double {
    guard let judgedLoss, !judgedLoss.isNaN, finalLoss?.isNaN != true else { return .infinity }
    return judgedLoss
  }
}
