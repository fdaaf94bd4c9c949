import Formats
import GRDB

/// A stretch of one column and where in the run it belongs.
///
/// `start` counts the metric's samples over all generations, so that a stretch that stands in the
/// file twice, as its open end and in a closed chunk, is read once.
struct ColumnPiece: Equatable {
  var metric: Int
  var generation: Int
  var start: Int
  var chunk: ColumnChunk

  var end: Int { start + chunk.steps.count }

  /// The samples from number `first` on; nil where there are none.
  func dropping(before first: Int) -> ColumnPiece? {
    guard end > first else { return nil }
    guard start < first else { return self }
    let steps = chunk.steps.dropFirst(first - start)
    let values = chunk.values.dropFirst(first - start)
    return ColumnPiece(
      metric: metric, generation: generation, start: first,
      chunk: ColumnChunk(steps: steps, values: values))
  }
}

/// The newest samples of many columns in one row, written at each commit until they fill chunks.
///
/// A piece is four numbers of 8 bytes, low byte first (metric, generation, start, length of what
/// follows), and the coded chunk.
enum TailRow {
  private static let headerLength = 32

  static func encoded(_ pieces: [ColumnPiece]) -> [UInt8] {
    var bytes: [UInt8] = []
    for piece in pieces {
      let chunk = piece.chunk.encoded()
      for number in [piece.metric, piece.generation, piece.start, chunk.count] {
        withUnsafeBytes(of: Int64(number).littleEndian) { bytes.append(contentsOf: $0) }
      }
      bytes.append(contentsOf: chunk)
    }
    return bytes
  }

  /// nil where the bytes are no row of a tail.
  static func decoded(_ bytes: [UInt8]) -> [ColumnPiece]? {
    var pieces: [ColumnPiece] = []
    var rest = bytes[...]
    while !rest.isEmpty {
      guard rest.count >= headerLength else { return nil }
      let numbers = stride(from: rest.startIndex, to: rest.startIndex + headerLength, by: 8)
        .map { number(rest[$0..<$0 + 8]) }
      rest = rest.dropFirst(headerLength)
      let length = numbers[3]
      guard numbers.allSatisfy({ $0 >= 0 && $0 < 1 << 48 }), length <= rest.count,
        let chunk = ColumnChunk(encoded: rest.prefix(length))
      else { return nil }
      pieces.append(
        ColumnPiece(metric: numbers[0], generation: numbers[1], start: numbers[2], chunk: chunk))
      rest = rest.dropFirst(length)
    }
    return pieces
  }

  /// The pieces of a row with the columns sequence, bytes, checksum; nil where it is damaged.
  static func checked(_ row: Row) -> [ColumnPiece]? {
    guard let bytes = row.bytes(1), row.integer(2) == Checksum.of(bytes) else { return nil }
    return decoded(bytes)
  }

  private static func number(_ bytes: ArraySlice<UInt8>) -> Int {
    Int(truncatingIfNeeded: bytes.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
  }
}
