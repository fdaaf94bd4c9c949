import Formats
import Foundation
import GRDB
import Glibc
import Telemetry

/// A session file opened for writing, with the right to be its only writer.
package final class SessionStore: Sendable {
  package let path: String
  let database: DatabaseQueue
  private let lock: WriterLock

  /// Makes a new session.
  ///
  /// - Throws: `exists` where the file is there already and not empty, `alreadyWritten`,
  ///   `unwritable`.
  package convenience init(creating path: String) throws(SessionError) {
    try self.init(creating: path, pageSize: 2048)
  }

  /// Most chunks have one to three KB. Pages of 2,048 bytes leave least of them empty: a recorded
  /// mixture of 1,600 steps takes 344 KB, with pages of 4,096 it takes 373, with 8,192 it takes
  /// 401.
  init(creating path: String, pageSize: Int) throws(SessionError) {
    guard FileSystem.size(path) ?? 0 == 0 else { throw .exists(path: path) }
    lock = try WriterLock(session: path)
    self.path = path
    do {
      // Asked again: another writer may have made it before the lock was ours.
      guard FileSystem.size(path) ?? 0 == 0 else { throw SessionError.exists(path: path) }
      database = try Self.open(path)
      try database.writeWithoutTransaction { database in
        try database.execute(sql: "PRAGMA page_size = \(pageSize)")
        try Migrations.migrate(database)
      }
      try Self.prepareWriting(database, path: path)
    } catch {
      lock.removeFile()
      throw SessionError(writing: path, error)
    }
  }

  /// Opens a session that was ended or whose writer was killed, to write on.
  package init(appendingTo path: String) throws(SessionError) {
    guard FileSystem.exists(path) else { throw .absent(path: path) }
    guard !FileSystem.isFolder(path) else { throw .notASession(path: path, found: "a folder") }
    lock = try WriterLock(session: path)
    self.path = path
    do {
      database = try Self.open(path)
      try database.writeWithoutTransaction { database in
        try Migrations.check(database, path: path)
        try Migrations.migrate(database)
      }
      try Self.prepareWriting(database, path: path)
    } catch {
      lock.removeFile()
      throw SessionError(writing: path, error)
    }
  }

  private static func open(_ path: String) throws -> DatabaseQueue {
    var configuration = Configuration()
    configuration.busyMode = .timeout(2)
    configuration.label = "seismo.session"
    return try DatabaseQueue(path: path, configuration: configuration)
  }

  /// A killed process loses nothing that is committed; a power cut may lose the last commits, never
  /// the file: the log is synced before it is taken over.
  private static func prepareWriting(_ database: DatabaseQueue, path: String) throws {
    let mode = FileSystem.isRemote(path) ? "TRUNCATE" : "WAL"
    try database.writeWithoutTransaction { database in
      try database.execute(sql: "PRAGMA journal_mode = \(mode)")
      try database.execute(sql: "PRAGMA synchronous = NORMAL")
      // Writes the log's first frame, so that a reader finds the log from now on.
      try database.execute(sql: "PRAGMA user_version = \(Migrations.currentVersion)")
    }
  }

  /// Writes what is no part of the run while another connection records it: SQLite gives each its
  /// turn.
  /// - Throws: `notASession`, `newer`, `damaged`, `unwritable`.
  static func writeBesideWriter(
    of path: String, _ body: (Database) throws -> Void
  ) throws(SessionError) {
    do {
      let database = try open(path)
      defer { try? database.close() }
      try database.write { connection in
        try Migrations.check(connection, path: path)
        try body(connection)
      }
    } catch {
      throw SessionError(writing: path, error)
    }
  }

  func write(_ draft: SessionDraft) throws {
    try database.write { try draft.write(to: $0) }
  }

  /// Writes a copy of the session to a file that is not there yet.
  func copy(to path: String) throws {
    try database.writeWithoutTransaction { database in
      try database.execute(sql: "VACUUM INTO ?", arguments: [path])
    }
  }

  /// Leaves one file without a log or a lock beside it, unless a reader holds the log: then it goes
  /// with that reader.
  func finish() {
    // Nothing is lost where one of these fails: the log is part of the session.
    database.writeWithoutTransaction { database in
      try? database.execute(sql: "PRAGMA wal_checkpoint(TRUNCATE)")
      guard Self.leaveLog(database) else { return }
      try? Self.shrink(database)
    }
    try? database.close()
    lock.removeFile()
  }

  /// Readers hold the file for a few milliseconds at a time.
  private static func leaveLog(_ database: Database) -> Bool {
    for attempt in 0..<40 {
      if attempt > 0 { usleep(25_000) }
      let row = try? Row.fetchOne(database, sql: "PRAGMA journal_mode = DELETE")
      if row?.text(0) == "delete" { return true }
    }
    return false
  }

  /// Gives the room of the former tail back where that takes no noticeable time.
  private static func shrink(_ database: Database) throws {
    let pages = try Row.fetchOne(database, sql: "PRAGMA page_count")?.integer(0) ?? 0
    let size = try Row.fetchOne(database, sql: "PRAGMA page_size")?.integer(0) ?? 0
    guard pages * size <= 32 << 20 else { return }
    try database.execute(sql: "VACUUM")
  }
}
