import Foundation
package import Kernels
package import Training

/// Looks at tensors one after the other, each in chunks, so that memory is bounded whatever their
/// size.
///
/// A chunk is read, turned into Float32 and cut in pieces that workers take; the pieces are the same
/// for any number of workers and their sums are added in order, so that the bits are too.
///
/// A first walk over a tensor finds its peak and, where whole rows fit in a piece, all that rows and
/// blocks cost; a second one what a scale for the whole tensor costs.
package final class TensorSurvey {
  /// Numbers of a piece, about.
  private static let piece = 1 << 16
  /// Above it a row is no part of a piece.
  private static let longRow = 4096
  static let block = 64

  private let reader: ChunkReader
  private let pool: WorkerPool
  private let chunk: Int
  private var scratch: [FloatBuffer]

  /// `chunk` is how many numbers are in memory at a time, about.
  package init(_ files: TensorFiles, pool: WorkerPool, chunk: Int = 1 << 22) {
    reader = ChunkReader(files, pool: pool)
    (self.pool, self.chunk) = (pool, chunk)
    scratch = (0..<pool.workers).map { _ in FloatBuffer(count: 0) }
  }

  /// - Returns: nil for a tensor that has no floating-point numbers or none at all
  /// - Throws: `CheckpointError` where the file cannot be read to the tensor's end.
  package func report(on entry: TensorFiles.Entry) throws(CheckpointError) -> TensorReport? {
    guard let type = entry.number, entry.count > 0 else { return nil }
    let cutting = Cutting(shape: entry.shape)
    var total = Costs()
    var moments = Moments()
    let rows = cutting.rowsFit ? nil : FloatBuffer(count: entry.count / cutting.columns)
    try forEachChunk(entry, type, cutting) { chunk in
      moments.add(firstWalk(chunk, cutting, &total))
      if let rows { findPeaks(ofRows: rows, in: chunk, cutting) }
    }
    guard moments.nonFinite == 0 else { return TensorReport(entry, moments, formats: []) }
    let peak = FloatBuffer(repeating: moments.peak, count: 1)
    try forEachChunk(entry, type, cutting) { chunk in
      secondWalk(chunk, cutting, rows, peak: peak, &total)
    }
    if cutting.isOneRow { total.copyTensorToRow() }
    return TensorReport(entry, moments, formats: total.formats(moments))
  }

  /// A tensor of one chunk is read once.
  private func forEachChunk(
    _ entry: TensorFiles.Entry, _ type: StoredNumber, _ cutting: Cutting,
    _ body: (Range<Int>) -> Void
  ) throws(CheckpointError) {
    let length = cutting.piece * max(1, chunk / cutting.piece)
    for range in chunks(of: entry.count, length: length) {
      try reader.read(entry, as: type, range)
      body(range)
    }
  }

  /// For each worker room for a peak for each number of a piece.
  private func peaks(_ count: Int) -> [FloatBuffer] {
    if scratch[0].count < count { scratch = scratch.map { _ in FloatBuffer(count: count) } }
    return scratch
  }
}

extension TensorSurvey {
  /// How a tensor is cut: pieces are whole blocks and, unless rows are long, whole rows.
  private struct Cutting {
    /// Numbers of a row.
    let columns: Int
    let piece: Int
    let rowsFit: Bool
    let isOneRow: Bool

    /// A matrix's rows are its last dimension; of a tensor of more dimensions too, where those are
    /// matrices one after the other, as stacked experts are; the filters of a convolution are rows by
    /// their first.
    init(shape: [Int]) {
      let (count, last) = (shape.reduce(1, *), shape.last ?? 1)
      isOneRow = shape.count < 2
      columns = isOneRow ? count : shape.count == 2 || last >= 32 ? last : count / shape[0]
      rowsFit = !isOneRow && columns <= TensorSurvey.longRow
      let unit =
        rowsFit
        ? columns / gcd(columns, TensorSurvey.block) * TensorSurvey.block : TensorSurvey.block
      piece = unit * max(1, TensorSurvey.piece / unit)
    }
  }

  private func firstWalk(_ chunk: Range<Int>, _ cutting: Cutting, _ total: inout Costs) -> Moments {
    let pieces = (chunk.count + cutting.piece - 1) / cutting.piece
    let found = Buffer(repeating: Moments(), count: pieces)
    let costs = CostTable(pieces: pieces)
    let (values, scratch) = (reader.values, peaks(cutting.piece))
    pool.run(jobs: pieces) { job, worker in
      let start = job * cutting.piece
      let count = min(cutting.piece, chunk.count - start)
      let peaks = scratch[worker]
      found[job] = moments(values, from: start, count: count)
      guard found[job].nonFinite == 0 else { return }
      costs.add(.block64, job, values, start, count, group: Self.block, peaks)
      if cutting.rowsFit {
        costs.add(.row, job, values, start, count, group: cutting.columns, peaks)
      }
    }
    total.add(costs)
    return (0..<pieces).reduce(into: Moments()) { $0.add(found[$1]) }
  }

  /// Of rows that are longer than a piece, each worker takes those that reach into the chunk.
  private func findPeaks(ofRows rows: FloatBuffer, in chunk: Range<Int>, _ cutting: Cutting) {
    guard !cutting.isOneRow else { return }
    let (values, columns) = (reader.values, cutting.columns)
    let first = chunk.lowerBound / columns
    let last = (chunk.upperBound - 1) / columns
    pool.run(jobs: last - first + 1) { job, _ in
      let row = first + job
      let begin = max(row * columns, chunk.lowerBound) - chunk.lowerBound
      let end = min((row + 1) * columns, chunk.upperBound) - chunk.lowerBound
      rows[row] = max(rows[row], peak(values, from: begin, count: end - begin))
    }
  }

  private func secondWalk(
    _ chunk: Range<Int>, _ cutting: Cutting, _ rows: FloatBuffer?, peak: FloatBuffer,
    _ total: inout Costs
  ) {
    let pieces = (chunk.count + cutting.piece - 1) / cutting.piece
    let costs = CostTable(pieces: pieces)
    let (values, columns) = (reader.values, cutting.columns)
    pool.run(jobs: pieces) { job, _ in
      var start = job * cutting.piece
      let end = min(start + cutting.piece, chunk.count)
      costs.add(.tensor, job, values, start, end - start, peaks: peak, firstPeak: 0)
      guard let rows, !cutting.isOneRow else { return }
      while start < end {
        let row = (chunk.lowerBound + start) / columns
        let next = min(end, (row + 1) * columns - chunk.lowerBound)
        costs.add(.row, job, values, start, next - start, peaks: rows, firstPeak: row)
        start = next
      }
    }
    total.add(costs)
  }
}

private func gcd(_ a: Int, _ b: Int) -> Int { b == 0 ? a : gcd(b, a % b) }

/// What formats and scales cost, by piece.
private struct CostTable: Sendable {
  private let costs: Buffer<RoundingError>
  let pieces: Int

  init(pieces: Int) {
    self.pieces = pieces
    costs = Buffer(repeating: RoundingError(), count: pieces * Costs.width)
  }

  subscript(piece: Int, place: Int) -> RoundingError { costs[piece * Costs.width + place] }

  /// Each group scaled by its own peak.
  func add(
    _ scale: ScaleGroup, _ piece: Int, _ values: FloatBuffer, _ start: Int, _ count: Int,
    group: Int, _ peaks: FloatBuffer
  ) {
    groupPeaks(values, from: start, count: count, group: group, into: peaks)
    add(scale, piece, values, start, count, group: group, peaks: peaks, firstPeak: 0)
  }

  /// A part of one group whose peak is known.
  func add(
    _ scale: ScaleGroup, _ piece: Int, _ values: FloatBuffer, _ start: Int, _ count: Int,
    peaks: FloatBuffer, firstPeak: Int
  ) {
    add(
      scale, piece, values, start, count, group: count, peaks: peaks, firstPeak: firstPeak)
  }

  private func add(
    _ scale: ScaleGroup, _ piece: Int, _ values: FloatBuffer, _ start: Int, _ count: Int,
    group: Int, peaks: FloatBuffer, firstPeak: Int
  ) {
    for format in NumberFormat.allCases {
      let place = piece * Costs.width + Costs.place(format, scale)
      costs[place] += roundingError(
        values, from: start, count: count, group: group, peaks: peaks, firstPeak: firstPeak,
        to: format)
    }
  }
}

/// The same of a tensor.
private struct Costs {
  static let width = NumberFormat.allCases.count * ScaleGroup.allCases.count

  static func place(_ format: NumberFormat, _ scale: ScaleGroup) -> Int {
    (NumberFormat.allCases.firstIndex(of: format) ?? 0) * ScaleGroup.allCases.count
      + (ScaleGroup.allCases.firstIndex(of: scale) ?? 0)
  }

  private var errors = [RoundingError](repeating: RoundingError(), count: width)

  mutating func add(_ table: CostTable) {
    for piece in 0..<table.pieces {
      for place in errors.indices { errors[place] += table[piece, place] }
    }
  }

  mutating func copyTensorToRow() {
    for format in NumberFormat.allCases {
      errors[Self.place(format, .row)] = errors[Self.place(format, .tensor)]
    }
  }

  func formats(_ moments: Moments) -> [FormatCost] {
    let rms = moments.rootMeanSquare
    let (count, signal) = (Double(moments.count), rms * rms * Double(moments.count))
    return NumberFormat.allCases.flatMap { format in
      ScaleGroup.allCases.map { scale in
        let error = errors[Self.place(format, scale)]
        return FormatCost(
          format: format, scale: scale, decibels: decibels(signal: signal, noise: error.squares),
          flushed: Double(error.flushed) / count)
      }
    }
  }
}

/// Infinite without noise; NaN without signal.
func decibels(signal: Double, noise: Double) -> Double {
  guard signal > 0 else { return .nan }
  return noise > 0 ? 10 * log10(signal / noise) : .infinity
}

extension TensorReport {
  fileprivate init(_ entry: TensorFiles.Entry, _ moments: Moments, formats: [FormatCost]) {
    self.init(
      name: entry.name, shape: entry.shape, type: entry.type, rms: moments.rootMeanSquare,
      absmax: Double(moments.peak), kurtosis: moments.kurtosis, nonFinite: moments.nonFinite,
      formats: formats)
  }
}
