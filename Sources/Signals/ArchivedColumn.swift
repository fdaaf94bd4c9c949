import Synchronization

/// Samples of one metric that lie elsewhere, in chunks that are fetched when they are asked for.
///
/// What every 64 samples come to is in memory once the column is first looked into, so that any
/// stretch is summed up from that and, at its ends, from at most two chunks. A chunk that cannot be
/// fetched has NaN for samples, which every chart shows as such.
package final class ArchivedColumn: Sendable {
  /// Samples that a block sums up; the last block of a chunk may hold fewer.
  package static let blockLength = 64

  /// A chunk as the index knows it.
  package struct Chunk: Sendable, Equatable {
    package var count: Int
    package var firstStep: Int
    package var lastStep: Int
    /// The distance of its steps; 0 where that differs from step to step.
    package var stride: Int

    package init(count: Int, firstStep: Int, lastStep: Int, stride: Int) {
      self.count = count
      self.firstStep = firstStep
      self.lastStep = lastStep
      self.stride = stride
    }

    var blockCount: Int {
      (count + ArchivedColumn.blockLength - 1) / ArchivedColumn.blockLength
    }
  }

  /// The chunks in order, none of them empty, and the summaries of their blocks.
  package struct Index: Sendable {
    package var chunks: [Chunk]
    package var blocks: [ColumnSummary]

    package init(chunks: [Chunk] = [], blocks: [ColumnSummary] = []) {
      self.chunks = chunks
      self.blocks = blocks
    }
  }

  package struct Samples: Sendable {
    /// Empty where the chunk's stride says them.
    var steps: [Int]
    var values: [Double]

    package init(steps: [Int], values: [Double]) {
      self.steps = steps
      self.values = values
    }
  }

  package let count: Int
  package let firstStep: Int
  package let lastStep: Int
  private let cache: ChunkCache
  private let number: Int
  private let readIndex: @Sendable () -> Index
  private let readChunk: @Sendable (Chunk) -> Samples?
  private let opened = Mutex<OpenedIndex?>(nil)

  /// `readIndex` gives chunks that together hold `count` samples, in order; `readChunk` as many
  /// samples as the chunk has, nil where they are lost.
  package init(
    count: Int, firstStep: Int, lastStep: Int, cache: ChunkCache,
    readIndex: @escaping @Sendable () -> Index,
    readChunk: @escaping @Sendable (Chunk) -> Samples?
  ) {
    self.count = count
    self.firstStep = firstStep
    self.lastStep = lastStep
    self.cache = cache
    number = cache.newColumn()
    self.readIndex = readIndex
    self.readChunk = readChunk
  }

  private var index: OpenedIndex {
    opened.withLock { opened in
      if let opened { return opened }
      let made = OpenedIndex(readIndex(), count: count, lastStep: lastStep)
      opened = made
      return made
    }
  }

  private func samples(ofChunk number: Int, _ index: OpenedIndex) -> Samples {
    cache.samples(of: self.number, chunk: number) {
      let chunk = index.chunks[number]
      guard var samples = readChunk(chunk), samples.values.count == chunk.count,
        samples.steps.count == chunk.count
      else { return chunk.lost }
      if chunk.stride > 0 { samples.steps = [] }
      return samples
    }
  }
}

extension ArchivedColumn {
  package func value(at position: Int) -> Double {
    let index = index
    let chunk = index.chunk(holding: position)
    return samples(ofChunk: chunk, index).values[position - index.starts[chunk]]
  }

  package func step(at position: Int) -> Int {
    let index = index
    let chunk = index.chunk(holding: position)
    return step(at: position - index.starts[chunk], inChunk: chunk, index)
  }

  private func step(at offset: Int, inChunk number: Int, _ index: OpenedIndex) -> Int {
    let chunk = index.chunks[number]
    if chunk.stride > 0 { return chunk.firstStep + offset * chunk.stride }
    return samples(ofChunk: number, index).steps[offset]
  }

  /// The number of the first sample at or after `step`.
  package func position(atOrAfter step: Int) -> Int {
    guard step > firstStep else { return 0 }
    guard step <= lastStep else { return count }
    let index = index
    let number = index.chunk(reaching: step)
    guard number < index.chunks.count else { return count }
    let chunk = index.chunks[number]
    guard step > chunk.firstStep else { return index.starts[number] }
    if chunk.stride > 0 {
      return index.starts[number] + (step - chunk.firstStep + chunk.stride - 1) / chunk.stride
    }
    let steps = samples(ofChunk: number, index).steps
    return index.starts[number] + steps.partitioningIndex { $0 >= step }
  }

  /// The border of a block that is nearest to `position`.
  package func nearestBorder(to position: Int) -> Int {
    guard position > 0, position < count else { return position }
    let index = index
    let number = index.chunk(holding: position)
    let offset = position - index.starts[number]
    let half = Self.blockLength / 2
    let rounded = (offset + half) / Self.blockLength * Self.blockLength
    return index.starts[number] + min(rounded, index.chunks[number].count)
  }

  package func add(_ range: Range<Int>, to total: inout ColumnSummary) {
    guard !range.isEmpty else { return }
    let index = index
    let first = index.chunk(holding: range.lowerBound)
    let last = index.chunk(holding: range.upperBound - 1)
    let start = range.lowerBound - index.starts[first]
    let end = range.upperBound - index.starts[last]
    guard first < last else { return add(start..<end, ofChunk: first, index, to: &total) }
    add(start..<index.chunks[first].count, ofChunk: first, index, to: &total)
    index.pyramid.add(index.firstBlocks[first + 1]..<index.firstBlocks[last], to: &total)
    add(0..<end, ofChunk: last, index, to: &total)
  }

  /// Whole blocks from the pyramid, the samples before and after them one by one.
  private func add(
    _ range: Range<Int>, ofChunk number: Int, _ index: OpenedIndex, to total: inout ColumnSummary
  ) {
    let length = Self.blockLength
    let isToEnd = range.upperBound == index.chunks[number].count
    let firstBlock = (range.lowerBound + length - 1) / length
    let endBlock = isToEnd ? index.chunks[number].blockCount : range.upperBound / length
    guard firstBlock < endBlock else {
      for value in samples(ofChunk: number, index).values[range] { total.add(value) }
      return
    }
    let before = range.lowerBound..<firstBlock * length
    let after = isToEnd ? range.upperBound..<range.upperBound : endBlock * length..<range.upperBound
    if !before.isEmpty || !after.isEmpty {
      let values = samples(ofChunk: number, index).values
      for value in values[before] { total.add(value) }
      for value in values[after] { total.add(value) }
    }
    let base = index.firstBlocks[number]
    index.pyramid.add(base + firstBlock..<base + endBlock, to: &total)
  }

  /// Adds the samples of `range` to the ends of two arrays.
  package func append(_ range: Range<Int>, to steps: inout [Int], _ values: inout [Double]) {
    guard !range.isEmpty else { return }
    let index = index
    for number in index.chunk(
      holding: range.lowerBound)...index.chunk(
        holding: range.upperBound - 1)
    {
      let start = index.starts[number]
      let chunk = index.chunks[number]
      let part = range.clamped(to: start..<start + chunk.count)
      let samples = samples(ofChunk: number, index)
      let offsets = part.lowerBound - start..<part.upperBound - start
      values += samples.values[offsets]
      steps +=
        chunk.stride > 0
        ? offsets.map { chunk.firstStep + $0 * chunk.stride } : Array(samples.steps[offsets])
    }
  }
}

extension ArchivedColumn.Chunk {
  /// Stands for samples that cannot be fetched: evenly spaced, and no numbers.
  fileprivate var lost: ArchivedColumn.Samples {
    let distance = (lastStep &- firstStep) / max(1, count - 1)
    return ArchivedColumn.Samples(
      steps: stride > 0 ? [] : (0..<count).map { firstStep &+ distance &* $0 },
      values: [Double](repeating: .nan, count: count))
  }
}

/// The index with what is looked up in it.
private struct OpenedIndex: Sendable {
  var chunks: [ArchivedColumn.Chunk]
  /// Where each chunk begins, in samples and in blocks.
  var starts: [Int] = []
  var firstBlocks: [Int] = []
  var pyramid: SummaryPyramid

  /// An index that does not hold what the column was said to hold stands for lost samples.
  init(_ index: ArchivedColumn.Index, count: Int, lastStep: Int) {
    let isWhole =
      index.chunks.reduce(0) { $0 + $1.count } == count
      && index.chunks.reduce(0) { $0 + $1.blockCount } == index.blocks.count
    chunks = isWhole ? index.chunks : []
    var blocks = isWhole ? index.blocks : []
    if !isWhole, count > 0 {
      chunks = [
        ArchivedColumn.Chunk(
          count: count, firstStep: lastStep - count + 1, lastStep: lastStep, stride: 1)
      ]
      var lost = ColumnSummary()
      lost.add(.nan)
      blocks = [ColumnSummary](repeating: lost, count: chunks[0].blockCount)
    }
    var (start, block) = (0, 0)
    for chunk in chunks {
      starts.append(start)
      firstBlocks.append(block)
      start += chunk.count
      block += chunk.blockCount
    }
    pyramid = SummaryPyramid(blocks)
  }

  func chunk(holding position: Int) -> Int {
    starts.partitioningIndex { $0 > position } - 1
  }

  /// The first chunk that does not end before `step`.
  func chunk(reaching step: Int) -> Int {
    chunks.partitioningIndex { $0.lastStep >= step }
  }
}

extension Array {
  /// Of an array whose elements at first do not and then do satisfy the predicate: the first that
  /// do.
  fileprivate func partitioningIndex(where predicate: (Element) -> Bool) -> Int {
    var (low, high) = (0, count)
    while low < high {
      let middle = (low + high) / 2
      if predicate(self[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
