import GRDB

/// A chunk as it is selected from the file.
enum ChunkRow {
  static let query = """
    SELECT id, metric, generation, start, count, first_step, last_step, checksum, bytes
    FROM chunks LEFT JOIN payloads ON chunk = id
    """

  enum Content {
    case piece(ColumnPiece)
    /// The samples are damaged; where they belong is known.
    case lost(ChunkPlace)
    case unreadable
  }

  /// Reads a row of `query`.
  static func read(_ row: Row) -> Content {
    let numbers = (1...7).compactMap { row.integer($0) }
    guard numbers.count == 7 else { return .unreadable }
    let place = ChunkPlace(
      metric: numbers[0], generation: numbers[1], start: numbers[2], count: numbers[3],
      firstStep: numbers[4], lastStep: numbers[5])
    guard let bytes = row.bytes(8), place.checksum(of: bytes) == numbers[6],
      let chunk = ColumnChunk(encoded: bytes)
    else { return .lost(place) }
    return .piece(
      ColumnPiece(
        metric: place.metric, generation: place.generation, start: place.start, chunk: chunk))
  }
}
