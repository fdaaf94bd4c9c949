import Formats
import Foundation
import GRDB
package import Signals
package import Telemetry

/// Reads a session, whether it is being written, was ended, or its writer was killed. Never writes
/// to the session's folder and leaves nothing there.
package final class SessionReader: Sendable {
  package let path: String
  private let database: DatabaseQueue
  private let copy: TemporaryCopy?

  /// - Throws: `absent`, `unreadable`, `notASession`, `newer`, `damaged`.
  package init(path: String) throws(SessionError) {
    self.path = path
    do {
      let access = try SessionAccess.choose(path: path)
      copy = access.copy
      database = access.database
      try database.read { try Migrations.check($0, path: path) }
    } catch {
      throw SessionError(reading: path, error)
    }
  }

  deinit {
    try? database.close()
    copy?.remove()
  }

  /// All that is recorded, in an order from which ``RunHistory`` rebuilds the run: description and
  /// settings, each generation with its columns, events and console lines, the state.
  ///
  /// What is damaged is left out and told behind it.
  package func records() throws(SessionError) -> [RunRecord] {
    var cursor = SessionCursor()
    return try read { database in
      let records = try cursor.read(from: database)
      return records + Self.doubts(about: database)
    }
  }

  /// All that is recorded of a line: as `records()` would have told it before the run left it; nil
  /// stands for the newest.
  ///
  /// - Throws: `noLine` too.
  package func records(line: Int?) throws(SessionError) -> [RunRecord] {
    guard let line else { return try records() }
    var cursor = SessionCursor()
    return try read { database in
      let findings = try cursor.find(in: database).upTo(
        line: line, endings: LineEnding.all(in: database), path: path)
      return findings.records + Self.doubts(about: database)
    }
  }

  /// What is recorded as a history, of which the older samples of a long session stay in the file
  /// and are fetched when they are looked at.
  ///
  /// A session that is short or of an older format is read whole. `damage` is given what turns out
  /// to be lost later on. `line` is one as of ``records(line:)``.
  package func history(
    line: Int? = nil, damage: @escaping @Sendable (RecordingDamage) -> Void = { _ in }
  ) throws(SessionError) -> RunHistory {
    if var (history, _) = try archived(line: line, damage: damage) {
      history.append(contentsOf: try read { Self.doubts(about: $0) })
      return history
    }
    return RunHistory(try records(line: line))
  }

  /// The run as it is recorded by now, its older samples left in the file; nil where the session is
  /// too short for that. `damage` is as of ``history(line:damage:)``.
  package func archivedHistory(
    damage: @escaping @Sendable (RecordingDamage) -> Void
  ) throws(SessionError) -> RunHistory? {
    try archived(damage: damage)?.history
  }

  /// What is recorded with the older samples left in the file, and where reading goes on; nil where
  /// the session is to be read whole.
  func archived(
    line: Int? = nil, damage: @escaping @Sendable (RecordingDamage) -> Void
  ) throws(SessionError) -> (history: RunHistory, cursor: SessionCursor)? {
    let isGrowing = WriterLock.isHeld(session: path)
    let archive = SessionArchive(
      reader: isGrowing ? ArchiveReader(reopening: path) : ArchiveReader(self), damage: damage)
    // Where a page is damaged, reading all of it keeps the rest and says what is lost.
    let found = (try? read { (try archive.contents(of: $0), try LineEnding.all(in: $0)) })
    guard let found, var contents = found.0 else { return nil }
    if let line {
      contents.findings = try contents.findings.upTo(line: line, endings: found.1, path: path)
    }
    return (archive.history(of: contents), contents.cursor)
  }

  /// Runs `body` without the cost of a transaction: for a single statement.
  func fetch<Value>(_ body: (Database) throws -> Value) throws -> Value {
    try database.unsafeRead(body)
  }

  /// Rows can vanish without a trace where a page is damaged: the pages are checked against each
  /// other where that takes milliseconds.
  private static func doubts(about database: Database) -> [RunRecord] {
    let pages = try? Row.fetchOne(database, sql: "PRAGMA page_count")?.integer(0)
    let size = try? Row.fetchOne(database, sql: "PRAGMA page_size")?.integer(0)
    guard let pages, let size, pages * size <= 16 << 20 else { return [] }
    let verdict = try? Row.fetchOne(database, sql: "PRAGMA quick_check(1)")?.text(0)
    guard verdict != "ok" else { return [] }
    return [.damage(.pages, wallTime: 0)]
  }

  func records(since cursor: inout SessionCursor) throws(SessionError) -> [RunRecord] {
    try read { try cursor.read(from: $0) }
  }

  func read<Value>(_ body: (Database) throws -> Value) throws(SessionError) -> Value {
    do {
      return try database.read(body)
    } catch {
      throw SessionError(reading: path, error)
    }
  }
}

/// The way in which a session is opened for reading.
private enum SessionAccess {
  /// SQLite itself would make a log and its index beside a file that had a log, and leave them
  /// there, or fail where it may not: such a file is read from a copy.
  static func choose(path: String) throws -> (database: DatabaseQueue, copy: TemporaryCopy?) {
    for attempt in 0..<20 {
      if hasLiveLog(path) {
        if let database = try? open(path, isReadOnly: true) { return (database, nil) }
        break
      }
      guard try needsRecovery(path) else { return (try open(path, isReadOnly: true), nil) }
      // A writer is about to begin or to end: a moment later there is a log, or none is needed.
      guard WriterLock.isHeld(session: path), attempt < 19 else { break }
      usleep(5000)
    }
    let copy = try TemporaryCopy(of: path)
    do {
      return (try open(copy.path, isReadOnly: false), copy)
    } catch {
      copy.remove()
      throw error
    }
  }

  private static func open(_ path: String, isReadOnly: Bool) throws -> DatabaseQueue {
    var configuration = Configuration()
    configuration.readonly = isReadOnly
    configuration.busyMode = .timeout(2)
    configuration.label = "seismo.reader"
    return try DatabaseQueue(path: path, configuration: configuration)
  }

  private static func hasLiveLog(_ path: String) -> Bool {
    FileSystem.exists(path + "-wal") && FileSystem.exists(path + "-shm")
  }

  /// Whether the file's first page says that it has a log, or a rollback waits beside it.
  private static func needsRecovery(_ path: String) throws -> Bool {
    guard !FileSystem.isFolder(path) else {
      throw SessionError.notASession(path: path, found: "a folder")
    }
    let header = try FileSystem.firstBytes(of: path, count: 100)
    guard !header.isEmpty else {
      throw SessionError.notASession(path: path, found: "an empty file")
    }
    guard header.starts(with: Array("SQLite format 3\0".utf8)) else {
      throw SessionError.notASession(path: path, found: "another kind of file")
    }
    guard header.count == 100 else {
      throw SessionError.damaged(path: path, what: "it ends after \(header.count) bytes")
    }
    let hasLog = header[18] == 2 || header[19] == 2
    return hasLog || FileSystem.size(path + "-journal") ?? 0 > 0
  }
}

/// A copy of a session and its log in a folder of its own.
private struct TemporaryCopy: Sendable {
  private let folder: URL
  let path: String

  init(of session: String) throws {
    folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("seismo-\(UUID().uuidString)")
    path = folder.appendingPathComponent("session").path
    let files = FileManager.default
    try files.createDirectory(
      at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    for ending in ["", "-wal", "-journal"] where FileSystem.exists(session + ending) {
      try files.copyItem(atPath: session + ending, toPath: path + ending)
      try files.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path + ending)
    }
  }

  func remove() {
    try? FileManager.default.removeItem(at: folder)
  }
}
