import GRDB

/// The schema's versions, each with the statements that lead to it from the one before.
///
/// `user_version` holds the number. A migration never changes once it has been released.
enum Migrations {
  /// `SEIS` in ASCII.
  static let applicationID = 0x5345_4953

  private struct Migration {
    let name: String
    let statements: [String]
  }

  private static let all: [Migration] = [
    Migration(
      name: "samples in chunks, events, console",
      statements: [
        """
        CREATE TABLE documents (
          name TEXT PRIMARY KEY, body TEXT NOT NULL, checksum INTEGER NOT NULL
        ) WITHOUT ROWID
        """,
        """
        CREATE TABLE generations (
          id INTEGER PRIMARY KEY, starting_step INTEGER NOT NULL, checksum INTEGER NOT NULL
        )
        """,
        """
        CREATE TABLE metrics (
          id INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum INTEGER NOT NULL
        )
        """,
        """
        CREATE TABLE chunks (
          id INTEGER PRIMARY KEY, metric INTEGER NOT NULL, generation INTEGER NOT NULL,
          start INTEGER NOT NULL, count INTEGER NOT NULL,
          first_step INTEGER NOT NULL, last_step INTEGER NOT NULL,
          minimum REAL, maximum REAL, sum REAL NOT NULL, finite_count INTEGER NOT NULL,
          checksum INTEGER NOT NULL
        )
        """,
        """
        CREATE INDEX chunks_by_step ON chunks (metric, generation, first_step)
        """,
        """
        CREATE TABLE payloads (chunk INTEGER PRIMARY KEY, bytes BLOB NOT NULL)
        """,
        """
        CREATE TABLE tail (
          sequence INTEGER PRIMARY KEY AUTOINCREMENT, bytes BLOB NOT NULL, checksum INTEGER NOT NULL
        )
        """,
        """
        CREATE TABLE events (
          id INTEGER PRIMARY KEY, generation INTEGER NOT NULL, step INTEGER NOT NULL,
          kind TEXT NOT NULL, body TEXT NOT NULL, checksum INTEGER NOT NULL
        )
        """,
        """
        CREATE TABLE console (
          id INTEGER PRIMARY KEY, generation INTEGER NOT NULL, body TEXT NOT NULL,
          checksum INTEGER NOT NULL
        )
        """,
      ]),
    Migration(
      name: "summaries of the chunks",
      statements: [
        """
        CREATE TABLE summaries (
          metric INTEGER NOT NULL, generation INTEGER NOT NULL, start INTEGER NOT NULL,
          count INTEGER NOT NULL, first_step INTEGER NOT NULL, last_step INTEGER NOT NULL,
          bytes BLOB NOT NULL, checksum INTEGER NOT NULL,
          PRIMARY KEY (metric, generation, start)
        ) WITHOUT ROWID
        """
      ]),
    Migration(
      name: "what a run was when a line of it was left",
      statements: [
        """
        CREATE TABLE endings (
          generation INTEGER PRIMARY KEY, description TEXT NOT NULL, state TEXT NOT NULL,
          checksum INTEGER NOT NULL
        )
        """
      ]),
    Migration(
      name: "samples at which a metric went back by itself",
      statements: [
        """
        CREATE TABLE restarts (
          metric INTEGER NOT NULL, generation INTEGER NOT NULL, start INTEGER NOT NULL,
          PRIMARY KEY (metric, generation, start)
        ) WITHOUT ROWID
        """
      ]),
    // The tables stay: an older Seismo would take such chunks for damaged ones.
    Migration(name: "values that are short decimals", statements: []),
  ]

  static var currentVersion: Int { all.count }

  /// Leads a new file, or one of an older version, to the current version in one transaction each.
  static func migrate(_ database: Database) throws {
    let version = try userVersion(database)
    for number in version..<max(version, currentVersion) {
      try database.inTransaction {
        for statement in all[number].statements { try database.execute(sql: statement) }
        try database.execute(sql: "PRAGMA application_id = \(applicationID)")
        try database.execute(sql: "PRAGMA user_version = \(number + 1)")
        return .commit
      }
    }
  }

  /// Refuses a file that is not a session or that a newer Seismo wrote.
  static func check(_ database: Database, path: String) throws {
    let identity = try Row.fetchOne(database, sql: "PRAGMA application_id")?.integer(0) ?? 0
    guard identity == applicationID else {
      throw SessionError.notASession(
        path: path, found: identity == 0 ? "some SQLite database" : "another program's database")
    }
    let version = try userVersion(database)
    guard version <= currentVersion else {
      throw SessionError.newer(path: path, found: version, known: currentVersion)
    }
    guard version > 0 else {
      throw SessionError.damaged(path: path, what: "format version \(version)")
    }
    try checkSchema(database, version: version, path: path)
  }

  /// SQLite keeps each statement that made a table as it was written. With one letter of it changed
  /// it may still find the table and no rows in it.
  private static func checkSchema(_ database: Database, version: Int, path: String) throws {
    let rows = try Row.fetchAll(database, sql: "SELECT sql FROM sqlite_master")
    let found = Set(rows.compactMap { $0.text(0) })
    guard found.isSuperset(of: all[..<version].flatMap(\.statements)) else {
      throw SessionError.damaged(path: path, what: "its schema is not that of format \(version)")
    }
  }

  static func userVersion(_ database: Database) throws -> Int {
    try Row.fetchOne(database, sql: "PRAGMA user_version")?.integer(0) ?? 0
  }
}
