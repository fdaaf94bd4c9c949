import Signals
import Testing

/// A series whose older samples lie in archived columns answers as one that has all in memory.
@Suite(.timeLimit(.minutes(15))) struct ArchivedSeriesTests {
  private struct Samples {
    var steps: [Int] = []
    var values: [Double] = []

    init(count: Int, isEven: Bool, from first: Int = 0, using random: inout SeededGenerator) {
      var step = first
      for _ in 0..<count {
        steps.append(step)
        values.append(
          Int.random(in: 0..<50, using: &random) == 0
            ? [.nan, .infinity, -.infinity, -0.0].randomElement(using: &random) ?? .nan
            : Double.random(in: -1...1, using: &random))
        step += isEven ? 3 : Int.random(in: 1...5, using: &random)
      }
    }
  }

  /// A column of chunks of the given lengths, its last samples left to memory.
  private func column(_ samples: Samples, lengths: [Int], losing lost: Int? = nil) -> ArchivedColumn
  {
    var index = ArchivedColumn.Index()
    var starts: [Int: Range<Int>] = [:]
    var start = 0
    for (number, length) in lengths.enumerated() {
      let range = start..<start + length
      let steps = samples.steps[range]
      let distance = length > 1 ? steps[start + 1] - steps[start] : 1
      let isEven = zip(steps, steps.dropFirst()).allSatisfy { $1 - $0 == distance }
      index.chunks.append(
        ArchivedColumn.Chunk(
          count: length, firstStep: samples.steps[start], lastStep: samples.steps[range.last ?? 0],
          stride: isEven ? distance : 0))
      for block in stride(from: start, to: range.upperBound, by: ArchivedColumn.blockLength) {
        let end = min(block + ArchivedColumn.blockLength, range.upperBound)
        index.blocks.append(
          samples.values[block..<end].reduce(into: ColumnSummary()) { $0.add($1) })
      }
      if number != lost { starts[samples.steps[start]] = range }
      start += length
    }
    return ArchivedColumn(
      count: start, firstStep: samples.steps[0], lastStep: samples.steps[start - 1],
      cache: ChunkCache(capacity: 4), readIndex: { [index] in index },
      readChunk: { [starts] chunk in
        starts[chunk.firstStep].map {
          ArchivedColumn.Samples(
            steps: Array(samples.steps[$0]), values: Array(samples.values[$0]))
        }
      })
  }

  private func pair(seed: UInt64) -> (archived: Series, plain: Series) {
    var random = SeededGenerator(seed: seed)
    let lengths = (0..<Int.random(in: 1...6, using: &random)).map { _ in
      Int.random(in: 1...300, using: &random)
    }
    let stored = lengths.reduce(0, +)
    let count = stored + Int.random(in: 0...200, using: &random)
    let samples = Samples(count: count, isEven: seed % 2 == 0, from: 17, using: &random)
    var archived = Series()
    archived.append(column(samples, lengths: lengths))
    for index in stored..<count {
      archived.append(step: samples.steps[index], value: samples.values[index])
    }
    return (archived, Series(steps: samples.steps, values: samples.values))
  }

  private func expectEqual(_ archived: Series, _ plain: Series, _ what: String) {
    #expect(archived.count == plain.count, "\(what)")
    #expect(archived.steps == plain.steps, "\(what)")
    #expect(archived.values.map(\.bitPattern) == plain.values.map(\.bitPattern), "\(what)")
    #expect(archived.firstStep == plain.firstStep && archived.lastStep == plain.lastStep, "\(what)")
    #expect(archived.lastValue?.bitPattern == plain.lastValue?.bitPattern, "\(what)")
  }

  @Test(arguments: 0..<20) func `every step finds the sample it finds in memory`(seed: UInt64) {
    let (archived, plain) = pair(seed: seed)
    expectEqual(archived, plain, "seed \(seed)")
    for step in 0..<(plain.lastStep ?? 0) + 5 {
      #expect(archived.index(atOrAfter: step) == plain.index(atOrAfter: step))
      #expect(archived.index(atOrBefore: step) == plain.index(atOrBefore: step))
      #expect(archived.value(at: step)?.bitPattern == plain.value(at: step)?.bitPattern)
    }
  }

  @Test(arguments: 0..<20) func `any stretch comes to what it comes to in memory`(seed: UInt64) {
    let (archived, plain) = pair(seed: seed)
    var random = SeededGenerator(seed: seed + 100)
    for _ in 0..<200 {
      let low = Int.random(in: 0...(plain.lastStep ?? 0) + 3, using: &random)
      let range = low..<Int.random(in: low...(plain.lastStep ?? 0) + 5, using: &random)
      expectAlike(archived.summary(of: range), plain.summary(of: range), "\(range)")
      let indices = Array(plain.steps.indices)[plain.index(atOrAfter: low)...].prefix(90)
      guard let first = indices.first, let last = indices.last else { continue }
      let part = archived.samples(in: first..<last + 1)
      #expect(part.steps == Array(plain.steps[first...last]))
    }
  }

  private func expectAlike(_ one: ColumnSummary, _ other: ColumnSummary, _ what: String) {
    #expect(one.minimum == other.minimum && one.maximum == other.maximum, "\(what)")
    #expect(one.finiteCount == other.finiteCount, "\(what)")
    #expect(one.nonFiniteCount == other.nonFiniteCount, "\(what)")
    #expect(abs(one.sum - other.sum) < 1e-9, "\(what)")
  }

  @Test(arguments: 0..<20) func `narrow columns are those of memory`(seed: UInt64) {
    let (archived, plain) = pair(seed: seed)
    let edges = Array(stride(from: 0, through: (plain.lastStep ?? 0) + 60, by: 50))
    for (one, other) in zip(archived.columns(edges: edges), plain.columns(edges: edges)) {
      expectAlike(one, other, "seed \(seed)")
    }
  }

  @Test(arguments: 0..<10)
  func `wide columns hold each sample once, and none beyond the last edge`(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let samples = Samples(count: 20_000, isEven: true, using: &random)
    var archived = Series()
    archived.append(column(samples, lengths: [Int](repeating: 1000, count: 20)))
    let plain = Series(steps: samples.steps, values: samples.values)
    let width = Int.random(in: 1000...9000, using: &random)
    let end = Int.random(in: 30_000...60_000, using: &random)
    let edges = Array(stride(from: 0, to: end, by: width)) + [end]
    let columns = archived.columns(edges: edges)
    let exact = plain.columns(edges: edges)
    let whole = columns.reduce(into: ColumnSummary()) { $0.add($1) }
    expectAlike(whole, plain.summary(of: 0..<end), "all columns")
    for (one, other) in zip(columns, exact) {
      let (counted, expected) = (
        one.finiteCount + one.nonFiniteCount, other.finiteCount + other.nonFiniteCount
      )
      #expect(abs(counted - expected) <= ArchivedColumn.blockLength)
    }
  }

  @Test(arguments: 0..<20) func `a cut leaves and gives what it does in memory`(seed: UInt64) {
    let (archived, plain) = pair(seed: seed)
    var random = SeededGenerator(seed: seed + 200)
    let step = Int.random(in: 0...(plain.lastStep ?? 0) + 2, using: &random)
    var (one, other) = (archived, plain)
    let cutOff = one.cut(from: step)
    let expected = other.cut(from: step)
    expectEqual(cutOff, expected, "cut off from \(step)")
    expectEqual(one, other, "left before \(step)")
    let more = Samples(count: 150, isEven: true, from: step, using: &random)
    one.append(column(more, lengths: [100, 50]))
    for (step, value) in zip(more.steps, more.values) { other.append(step: step, value: value) }
    expectEqual(one, other, "and more behind \(step)")
  }

  @Test func `a chunk that cannot be fetched has no numbers and its neighbours have`() {
    var random = SeededGenerator(seed: 5)
    var samples = Samples(count: 300, isEven: true, using: &random)
    samples.values = samples.values.map { $0.isFinite ? $0 : 0 }
    var series = Series()
    series.append(column(samples, lengths: [100, 100, 100], losing: 1))
    #expect(series.steps == samples.steps)
    #expect(Array(series.values[..<100]) == Array(samples.values[..<100]))
    #expect(series.values[100..<200].allSatisfy { $0.isNaN })
    #expect(Array(series.values[200...]) == Array(samples.values[200...]))
  }

  @Test func `an index that cannot be read leaves a series without numbers`() {
    let column = ArchivedColumn(
      count: 70, firstStep: 10, lastStep: 79, cache: ChunkCache(),
      readIndex: { ArchivedColumn.Index() }, readChunk: { _ in nil })
    var series = Series()
    series.append(column)
    #expect(series.steps == Array(10..<80))
    #expect(series.values.allSatisfy { $0.isNaN })
    #expect(series.summary(of: 0..<100).nonFiniteCount > 0)
  }
}
