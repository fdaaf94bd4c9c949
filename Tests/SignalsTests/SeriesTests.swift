import Telemetry
import Testing

@testable import Signals

@Suite(.timeLimit(.minutes(15)))
struct SeriesTests {
  private func plain(_ values: some Sequence<Double>) -> ColumnSummary {
    values.reduce(into: ColumnSummary()) { $0.add($1) }
  }

  private func expectEqual(
    _ left: ColumnSummary, _ right: ColumnSummary, _ comment: Comment,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(left.minimum == right.minimum, comment, sourceLocation: sourceLocation)
    #expect(left.maximum == right.maximum, comment, sourceLocation: sourceLocation)
    #expect(left.finiteCount == right.finiteCount, comment, sourceLocation: sourceLocation)
    #expect(left.nonFiniteCount == right.nonFiniteCount, comment, sourceLocation: sourceLocation)
    #expect(abs(left.sum - right.sum) < 1e-9, comment, sourceLocation: sourceLocation)
  }

  @Test func `samples that come in columns are those that come one by one`() {
    var (together, single) = (Series(), Series())
    var step = 0
    for length in [1, 7, 8, 9, 0, 64, 500, 3, 513] {
      let steps = (0..<length).map { step + 2 * $0 }
      let values = steps.map { $0 % 97 == 0 ? .nan : Double(($0 * 7919) % 1000) }
      let column = MetricColumn(name: "m", steps: steps, values: values)
      #expect(together.extend(with: column, from: 0) == length)
      for (step, value) in zip(steps, values) { single.append(step: step, value: value) }
      // A column may begin with the sample that ended the one before.
      let end = single.lastStep ?? 0
      let last = MetricColumn(
        name: "m", steps: [end, end + 2], values: [single.lastValue ?? 0, 1.5])
      #expect(together.extend(with: last, from: 0) == 2)
      single.append(step: end + 2, value: 1.5)
      step = end + 4
    }
    #expect(together.steps == single.steps && together.count > 1_000)
    for width in [1, 3, 64, 700] {
      let edges = Array(stride(from: 0, through: step, by: width))
      #expect(together.columns(edges: edges) == single.columns(edges: edges))
    }
    let back = MetricColumn(name: "m", steps: [step, step + 1, 5, 6], values: [1, 2, 3, 4])
    #expect(together.extend(with: back, from: 0) == 2)
  }

  @Test func `every stretch of every short series is summed up exactly`() {
    for count in 0...70 {
      let values = (0..<count).map { Double(($0 * 7919) % 101) }
      let series = Series(steps: Array(0..<count), values: values)
      for low in 0...count {
        for high in low...count {
          expectEqual(
            series.summary(of: low..<high), plain(values[low..<high]),
            "\(low)..<\(high) of \(count)")
        }
      }
    }
  }

  @Test func `random appends, cuts and replacements leave the pyramid right`() {
    let seed = UInt64.random(in: 0 ... .max)
    var generator = SeededGenerator(seed: seed)
    var series = Series()
    var expected: [(step: Int, value: Double)] = []
    for _ in 0..<3000 {
      let value = Int.random(in: 0..<40, using: &generator) == 0 ? .nan : generator.normal()
      switch Int.random(in: 0..<60, using: &generator) {
      case 0:
        let step = Int.random(in: 0...(series.lastStep ?? 0) + 2, using: &generator)
        let cut = series.cut(from: step)
        #expect(cut.count == expected.filter { $0.step >= step }.count, "seed \(seed)")
        expected.removeAll { $0.step >= step }
      case 1:
        guard let last = series.lastStep else { continue }
        series.append(step: last, value: value)
        expected[expected.count - 1].value = value
      default:
        let step = (series.lastStep ?? -1) + Int.random(in: 1...3, using: &generator)
        series.append(step: step, value: value)
        expected.append((step, value))
      }
      let end = (series.lastStep ?? 0) + 2
      let low = Int.random(in: 0..<end, using: &generator)
      let high = Int.random(in: low..<end, using: &generator)
      let inside = expected.filter { $0.step >= low && $0.step < high }.map(\.value)
      expectEqual(series.summary(of: low..<high), plain(inside), "seed \(seed)")
    }
  }

  @Test func `a one-step spike still shows in 80 columns of a million steps`() {
    var series = Series()
    for step in 0..<1_000_000 { series.append(step: step, value: step == 654_321 ? 99 : 1) }
    let columns = series.columns(edges: (0...80).map { $0 * 12_500 })
    #expect(columns.filter { $0.maximum == 99 }.count == 1)
    #expect(columns[52].maximum == 99)
    #expect(columns.allSatisfy { $0.finiteCount == 12_500 && $0.minimum == 1 })
  }

  @Test func `columns without samples are empty and edges may repeat`() {
    let series = Series(steps: [0, 10, 20], values: [1, 2, 3])
    let columns = series.columns(edges: [0, 5, 5, 10, 11, 100])
    #expect(columns.map(\.finiteCount) == [1, 0, 0, 1, 1])
    #expect(series.columns(edges: [3]).isEmpty && series.columns(edges: []).isEmpty)
  }

  @Test func `samples are found by step`() {
    let series = Series(steps: [0, 10, 20], values: [1, 2, 3])
    #expect(series.index(atOrAfter: -5) == 0 && series.index(atOrAfter: 21) == 3)
    #expect(series.index(atOrBefore: -1) == nil && series.index(atOrBefore: 15) == 1)
    #expect(series.value(at: 10) == 2 && series.value(at: 11) == nil)
    #expect(series.value(atOrBefore: 19) == 2 && series.value(atOrBefore: -1) == nil)
    #expect(series.index(atOrBefore: .max) == 2)
  }

  @Test func `a step that is there takes the new value and an earlier one is left out`() {
    var series = Series(steps: [0, 1], values: [5, 6])
    series.append(step: 1, value: 7)
    series.append(step: 0, value: 9)
    #expect(series.steps == [0, 1] && series.values == [5, 7])
    #expect(series.truncations == 1)
  }
}
