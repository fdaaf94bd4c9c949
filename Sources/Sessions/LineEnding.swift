import Formats
import GRDB
import Telemetry

/// What a run was when it left a line: later it may be called otherwise and have other options.
struct LineEnding {
  let generation: Int
  private let description: String
  private let state: String

  /// Of the generation that `next` puts an end to.
  init(before next: SessionDraft.Generation, in database: Database) throws {
    generation = next.number - 1
    description =
      try next.before.description.map { try JSONText.encode($0) }
      ?? Self.document(.description, in: database)
    state =
      try next.before.state.map { try JSONText.encode($0) } ?? Self.document(.state, in: database)
  }

  private static func document(_ document: SessionDocument, in database: Database) throws -> String
  {
    let row = try Row.fetchOne(
      database, sql: "SELECT body FROM documents WHERE name = ?", arguments: [document.rawValue])
    return row?.text(0) ?? ""
  }

  func write(to database: Database) throws {
    try database.execute(
      sql: """
        INSERT OR REPLACE INTO endings (generation, description, state, checksum)
        VALUES (?, ?, ?, ?)
        """,
      arguments: [
        generation, description, state, Checksum.of(description + state, generation),
      ])
  }
}

extension LineEnding {
  /// What is known of the generations' ends; a file of an older format knows nothing of them.
  static func all(in database: Database) throws -> [Int: LineEnding] {
    guard try Migrations.userVersion(database) >= 3 else { return [:] }
    let rows = try Row.fetchAll(
      database, sql: "SELECT generation, description, state, checksum FROM endings")
    return rows.reduce(into: [:]) { endings, row in
      guard let generation = row.integer(0), let description = row.text(1),
        let state = row.text(2), row.integer(3) == Checksum.of(description + state, generation)
      else { return }
      endings[generation] = LineEnding(
        generation: generation, description: description, state: state)
    }
  }

  private init(generation: Int, description: String, state: String) {
    self.generation = generation
    self.description = description
    self.state = state
  }

  var runDescription: RunDescription? {
    try? JSONText.decode(RunDescription.self, from: description)
  }

  /// A run that was going on when it left the line stopped there.
  var runState: RunState {
    let stored = try? JSONText.decode(StoredState.self, from: state)
    return stored.flatMap { $0.state.isOver ? $0.state : nil } ?? .stopped
  }
}
