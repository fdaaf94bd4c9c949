import Signals

/// What a chunk holds, without its samples: where its steps lie, and what each 64 samples come to.
struct ChunkSummary: Equatable {
  /// Number of its first sample among the metric's.
  let start: Int
  let chunk: ArchivedColumn.Chunk
  let blocks: [ColumnSummary]

  init(of chunk: ColumnChunk, start: Int) {
    let steps = chunk.steps
    let distance = steps.count > 1 ? steps[1] &- steps[0] : 1
    let isEven =
      distance > 0 && (steps.first ?? 0) <= (steps.last ?? 0)
      && zip(steps, steps.dropFirst()).allSatisfy { $1 &- $0 == distance }
    self.start = start
    self.chunk = ArchivedColumn.Chunk(
      count: steps.count, firstStep: steps.first ?? 0, lastStep: steps.last ?? 0,
      stride: isEven ? distance : 0)
    let length = ArchivedColumn.blockLength
    blocks = stride(from: 0, to: steps.count, by: length).map { first in
      chunk.values[first..<min(first + length, steps.count)]
        .reduce(into: ColumnSummary()) { $0.add($1) }
    }
  }

  /// A chunk whose samples are lost: as many NaNs.
  init(lost place: ChunkPlace) {
    start = place.start
    chunk = ArchivedColumn.Chunk(
      count: place.count, firstStep: place.firstStep, lastStep: place.lastStep, stride: 0)
    let length = ArchivedColumn.blockLength
    blocks = stride(from: 0, to: place.count, by: length).map { first in
      (first..<min(first + length, place.count))
        .reduce(into: ColumnSummary()) { summary, _ in summary.add(.nan) }
    }
  }

  init(start: Int, chunk: ArchivedColumn.Chunk, blocks: [ColumnSummary]) {
    self.start = start
    self.chunk = chunk
    self.blocks = blocks
  }
}

/// The summaries of consecutive chunks of one metric, as a row of the file: what is read to draw a
/// metric at any zoom.
///
/// Layout: the number of chunks in a byte, the ``ValueCoding`` of minima and maxima in another, then
/// in ``IntegerCoding`` the chunks' counts, first steps, last steps and strides, and the blocks'
/// counts of values that are not finite, minima, maxima and sums. A block without a finite value
/// has zeros for the three. All of it is exact.
struct SummaryRow {
  /// Chunks in a full row; what is in none is read whole when a session is opened.
  static let capacity = 16

  let place: ChunkPlace
  let bytes: [UInt8]

  /// nil where there are no chunks.
  init?(metric: Int, generation: Int, chunks: [ChunkSummary]) {
    guard let first = chunks.first, let last = chunks.last else { return nil }
    place = ChunkPlace(
      metric: metric, generation: generation, start: first.start,
      count: chunks.reduce(0) { $0 + $1.chunk.count }, firstStep: first.chunk.firstStep,
      lastStep: last.chunk.lastStep)
    bytes = Self.encoded(chunks)
  }

  private static func encoded(_ chunks: [ChunkSummary]) -> [UInt8] {
    var writer = BitWriter()
    let wide = IntegerCoding(width: 64)
    for part: KeyPath<ArchivedColumn.Chunk, Int> in [\.count, \.firstStep, \.lastStep, \.stride] {
      wide.encode(
        chunks.map { UInt64(bitPattern: Int64($0.chunk[keyPath: part])) }, into: &writer)
    }
    let blocks = chunks.flatMap(\.blocks)
    let extremes = [
      blocks.map { $0.finiteCount > 0 ? $0.minimum : 0 },
      blocks.map { $0.finiteCount > 0 ? $0.maximum : 0 },
    ]
    wide.encode(blocks.map { UInt64($0.nonFiniteCount) }, into: &writer)
    let coding = ValueCoding.encode(extremes, into: &writer)
    FloatBits(isSingle: false).encode(blocks.map(\.sum), into: &writer)
    return [UInt8(chunks.count), coding.rawValue] + writer.bytes()
  }

  /// Reads what `bytes` say; nil where they cannot have been written by this.
  static func decoded(_ bytes: [UInt8]) -> ArchivedColumn.Index? {
    guard bytes.count > 2, let coding = ValueCoding(rawValue: bytes[1]) else { return nil }
    var reader = BitReader(bytes.dropFirst(2))
    let wide = IntegerCoding(width: 64)
    let count = Int(bytes[0])
    var parts: [[Int]] = []
    for _ in 0..<4 {
      guard let numbers = wide.decode(count: count, from: &reader) else { return nil }
      parts.append(numbers.map { Int(Int64(bitPattern: $0)) })
    }
    guard parts[0].allSatisfy({ (1...ColumnChunk.capacity).contains($0) }) else { return nil }
    let chunks = (0..<count).map {
      ArchivedColumn.Chunk(
        count: parts[0][$0], firstStep: parts[1][$0], lastStep: parts[2][$0], stride: parts[3][$0])
    }
    guard let blocks = blocks(of: chunks, coding, from: &reader) else {
      return nil
    }
    return ArchivedColumn.Index(chunks: chunks, blocks: blocks)
  }

  private static func blocks(
    of chunks: [ArchivedColumn.Chunk], _ coding: ValueCoding, from reader: inout BitReader
  ) -> [ColumnSummary]? {
    let length = ArchivedColumn.blockLength
    let counts = chunks.flatMap { chunk in
      stride(from: 0, to: chunk.count, by: length).map { min(length, chunk.count - $0) }
    }
    guard let odd = IntegerCoding(width: 64).decode(count: counts.count, from: &reader),
      let low = coding.decode(count: counts.count, from: &reader),
      let high = coding.decode(count: counts.count, from: &reader),
      let sums = FloatBits(isSingle: false).decode(count: counts.count, from: &reader)
    else { return nil }
    return counts.indices.map { index in
      let finite = counts[index] - min(Int(truncatingIfNeeded: odd[index]), counts[index])
      return ColumnSummary(
        minimum: finite > 0 ? low[index] : .infinity,
        maximum: finite > 0 ? high[index] : -.infinity, sum: sums[index], finiteCount: finite,
        nonFiniteCount: counts[index] - finite)
    }
  }
}

extension ArchivedColumn.Index {
  mutating func append(_ summary: ChunkSummary) {
    chunks.append(summary.chunk)
    blocks += summary.blocks
  }
}
