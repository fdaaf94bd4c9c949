import Foundation
package import Telemetry

/// One line of the list of sessions.
package struct SessionSummary: Sendable {
  /// The file's name without its ending.
  package var name: String
  package var path: String
  /// Bytes on disk, the log included.
  package var bytes: Int
  /// Steps done: one more than the last step's number.
  package var steps = 0
  package var totalSteps: Int?
  package var finalLoss: Double?
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

  /// Whether its writer ended without saying so.
  package var isKilled: Bool { !isLive && !state.isOver && flaw == nil }
}

extension SessionSummary {
  package static let ending = ".seismo"

  /// The sessions in `folder`, the one written last first; none where there is no such folder.
  ///
  /// A file that cannot be read is listed with the reason.
  /// - Throws: `unreadable` where the folder is there and cannot be listed.
  package static func sessions(in folder: String) throws(SessionError) -> [SessionSummary] {
    guard FileSystem.exists(folder) else { return [] }
    let names: [String]
    do {
      names = try FileManager.default.contentsOfDirectory(atPath: folder)
    } catch {
      throw .unreadable(path: folder, reason: "it cannot be listed")
    }
    let paths = names.filter { $0.hasSuffix(ending) }.sorted().map { "\(folder)/\($0)" }
    return paths.map { SessionSummary(path: $0) }.sorted { $0.lastWritten > $1.lastWritten }
  }

  /// The readable session in `folder` that was written last.
  package static func latest(in folder: String) throws(SessionError) -> SessionSummary? {
    try sessions(in: folder).first { $0.flaw == nil }
  }

  /// Sums up one file; what is wrong with it becomes its flaw.
  package init(path: String) {
    let file = path.split(separator: "/").last.map(String.init) ?? path
    name = file.hasSuffix(Self.ending) ? String(file.dropLast(Self.ending.count)) : file
    self.path = path
    bytes = (FileSystem.size(path) ?? 0) + (FileSystem.size(path + "-wal") ?? 0)
    lastWritten = Double(FileSystem.stamp(path).seconds)
    isLive = WriterLock.isHeld(session: path)
    do {
      let reader = try SessionReader(path: path)
      let digest = try reader.read { try SessionDigest(database: $0) }
      take(digest)
    } catch {
      flaw = "\(error)"
    }
  }

  private mutating func take(_ digest: SessionDigest) {
    totalSteps = digest.description?.totalSteps
    state = digest.state?.state ?? .starting
    alarms = digest.alarms
    finalLoss = digest.lastLoss?.value
    steps = (digest.lastWallTime?.step ?? digest.lastLoss?.step).map { $0 + 1 } ?? 0
    if let first = digest.firstWallTime?.value, let last = digest.lastWallTime?.value {
      seconds = max(0, last - first)
      lastWritten = last
    } else if let created = digest.description?.created {
      lastWritten = created
    }
  }
}
