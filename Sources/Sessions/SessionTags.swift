import Formats
import GRDB
import Telemetry

/// The words by which a person sorts sessions, kept in the session beside what is recorded.
enum SessionTags {
  static func read(from database: Database) throws -> [String] {
    let row = try Row.fetchOne(
      database, sql: "SELECT body, checksum FROM documents WHERE name = ?",
      arguments: [SessionDocument.tags.rawValue])
    guard let body = row?.text(0), row?.integer(1) == Checksum.of(body) else { return [] }
    return (try? JSONText.decode([String].self, from: body)) ?? []
  }

  static func write(_ tags: [String], to database: Database) throws {
    let body = try JSONText.encode(tags)
    try database.execute(
      sql: "INSERT OR REPLACE INTO documents (name, body, checksum) VALUES (?, ?, ?)",
      arguments: [SessionDocument.tags.rawValue, body, Checksum.of(body)])
  }
}

extension SessionFiles {
  /// The tags in `text`, each once: words apart by blanks or commas.
  package static func tags(in text: String) -> [String] {
    var seen: Set<String> = []
    return text.split { $0.isWhitespace || $0 == "," }.map(String.init)
      .filter { seen.insert($0).inserted }
  }

  /// - Throws: as ``SessionReader`` does.
  package func tags() throws(SessionError) -> [String] {
    try SessionReader(path: path).read { try SessionTags.read(from: $0) }
  }

  /// Gives a session these tags in place of those it had, also while it is being written: no
  /// recorder touches them.
  ///
  /// - Throws: `absent`, `notASession`, `damaged`, `unwritable`; `alreadyWritten` where a writer
  ///   comes just now.
  package func set(tags: [String]) throws(SessionError) {
    try check()
    guard !WriterLock.isHeld(session: path) else {
      return try SessionStore.writeBesideWriter(of: path) { try SessionTags.write(tags, to: $0) }
    }
    let store = try SessionStore(appendingTo: path)
    defer { store.finish() }
    do {
      try store.database.write { try SessionTags.write(tags, to: $0) }
    } catch {
      throw SessionError(writing: path, error)
    }
  }
}
