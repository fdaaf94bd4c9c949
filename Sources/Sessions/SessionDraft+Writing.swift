import Formats
import Foundation
import GRDB
import Signals
import Telemetry

extension SessionDraft {
  var isWritten: Bool { pendingRecords == 0 && newChunks.isEmpty && newSummaries.isEmpty }

  /// Writes all that is not in the file yet. Changes nothing of the draft: the caller says
  /// `markWritten()` once the transaction is through.
  func write(to database: Database) throws {
    try writeStructure(to: database)
    try writeHappenings(to: database)
    try writeChunks(to: database)
    try writeSummaries(to: database)
    try writeRestarts(to: database)
    try writeTail(to: database)
  }

  private func writeStructure(to database: Database) throws {
    let row = try database.cachedStatement(
      sql: "INSERT INTO metrics (id, name, checksum) VALUES (?, ?, ?)")
    for metric in newMetrics {
      try row.execute(arguments: [
        metric.metric, metric.name.path, Checksum.of(metric.name.path, metric.metric),
      ])
    }
    for generation in newGenerations {
      try database.execute(
        sql: "INSERT INTO generations (id, starting_step, checksum) VALUES (?, ?, ?)",
        arguments: [
          generation.number, generation.startingStep,
          Checksum.of("", generation.number, generation.startingStep),
        ])
    }
    // Before the documents say what the run is from now on.
    for generation in newGenerations where generation.number > 0 {
      try LineEnding(before: generation, in: database).write(to: database)
    }
    if let newDescription { try write(newDescription, as: .description, to: database) }
    if let newSettings { try write(newSettings, as: .settings, to: database) }
    if let newState { try write(newState, as: .state, to: database) }
  }

  private func write(
    _ value: some Encodable, as document: SessionDocument, to database: Database
  ) throws {
    let body = try JSONText.encode(value)
    try database.execute(
      sql: "INSERT OR REPLACE INTO documents (name, body, checksum) VALUES (?, ?, ?)",
      arguments: [document.rawValue, body, Checksum.of(body)])
  }

  private func writeHappenings(to database: Database) throws {
    let event = try database.cachedStatement(
      sql: "INSERT INTO events (generation, step, kind, body, checksum) VALUES (?, ?, ?, ?, ?)")
    for placed in newEvents {
      let body = try JSONText.encode(placed.event)
      try event.execute(arguments: [
        placed.generation, placed.event.step, placed.event.kind.rawValue, body,
        Checksum.of(body, placed.generation),
      ])
    }
    let line = try database.cachedStatement(
      sql: "INSERT INTO console (generation, body, checksum) VALUES (?, ?, ?)")
    for placed in newLines {
      let body = try JSONText.encode(placed.line)
      try line.execute(arguments: [
        placed.generation, body, Checksum.of(body, placed.generation),
      ])
    }
  }

  private func writeChunks(to database: Database) throws {
    guard !newChunks.isEmpty else { return }
    let row = try database.cachedStatement(
      sql: """
        INSERT INTO chunks (metric, generation, start, count, first_step, last_step, minimum,
          maximum, sum, finite_count, checksum) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        """)
    let payload = try database.cachedStatement(
      sql: "INSERT INTO payloads (chunk, bytes) VALUES (?, ?)")
    for closed in newChunks {
      let (place, summary) = (closed.place, closed.summary)
      let isFinite = summary.finiteCount > 0
      try row.execute(arguments: [
        place.metric, place.generation, place.start, place.count, place.firstStep, place.lastStep,
        isFinite ? summary.minimum : nil, isFinite ? summary.maximum : nil, summary.sum,
        summary.finiteCount, place.checksum(of: closed.bytes),
      ])
      try payload.execute(arguments: [database.lastInsertedRowID, Data(closed.bytes)])
    }
  }

  private func writeSummaries(to database: Database) throws {
    guard !newSummaries.isEmpty else { return }
    let statement = try database.cachedStatement(
      sql: """
        INSERT OR REPLACE INTO summaries (metric, generation, start, count, first_step, last_step,
          bytes, checksum) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
        """)
    for row in newSummaries {
      let place = row.place
      try statement.execute(arguments: [
        place.metric, place.generation, place.start, place.count, place.firstStep, place.lastStep,
        Data(row.bytes), place.checksum(of: row.bytes),
      ])
    }
  }

  private func writeRestarts(to database: Database) throws {
    guard !newRestarts.isEmpty else { return }
    let row = try database.cachedStatement(
      sql: "INSERT OR IGNORE INTO restarts (metric, generation, start) VALUES (?, ?, ?)")
    for restart in newRestarts {
      try row.execute(arguments: [restart.metric, restart.generation, restart.start])
    }
  }

  /// Whether more than half of the tail stands in chunks by now, so that it is written anew.
  private var rewritesTail: Bool {
    let live = columns.reduce(0) { $0 + $1.tailed }
    return tailedSamples > 0 && live * 2 < tailedSamples
  }

  private func writeTail(to database: Database) throws {
    let isRewritten = rewritesTail
    if isRewritten { try database.execute(sql: "DELETE FROM tail") }
    let pieces = columns.compactMap { column -> ColumnPiece? in
      let skipped = isRewritten ? 0 : column.tailed
      guard column.steps.count > skipped else { return nil }
      return ColumnPiece(
        metric: column.metric, generation: generation?.number ?? 0, start: column.start + skipped,
        chunk: ColumnChunk(
          steps: column.steps.dropFirst(skipped), values: column.values.dropFirst(skipped)))
    }
    guard !pieces.isEmpty else { return }
    let bytes = TailRow.encoded(pieces)
    try database.execute(
      sql: "INSERT INTO tail (bytes, checksum) VALUES (?, ?)",
      arguments: [Data(bytes), Checksum.of(bytes)])
  }

  /// The file holds all this draft has written to it.
  mutating func markWritten() {
    let isRewritten = rewritesTail
    if isRewritten { tailedSamples = 0 }
    for index in columns.indices {
      tailedSamples += isRewritten ? columns[index].steps.count : columns[index].untailed
      columns[index].tailed = columns[index].steps.count
    }
    newMetrics.removeAll()
    newGenerations.removeAll()
    newDescription = nil
    newSettings = nil
    newState = nil
    newEvents.removeAll()
    newLines.removeAll()
    newChunks.removeAll()
    newSummaries.removeAll()
    newRestarts.removeAll()
    pendingRecords = 0
  }
}

/// What the table `documents` holds.
enum SessionDocument: String, CaseIterable {
  case description, settings, state
  /// A person's words about the session; no part of the run.
  case tags
}
