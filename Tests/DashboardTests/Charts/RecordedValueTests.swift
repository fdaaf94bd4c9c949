import Screen
import Signals
import Telemetry
import Testing

@testable import Dashboard

/// Charts show what was recorded: the smallest, the largest and the last value of a column, and the
/// exact place of what is measured seldom.
@Suite(.timeLimit(.minutes(15))) struct RecordedValueTests {
  private func time(_ steps: Int, columns: Int) -> (TimeScale, PaneContext) {
    let context = PaneContext(
      history: RunHistory(), playhead: steps - 1,
      window: TimeWindow(steps: 0..<steps, isAll: true))
    return (TimeScale(context, columns: columns), context)
  }

  private func dots(_ grid: CellGrid, column: Int, rows: Range<Int>) -> Set<Int> {
    let bits: [UInt32] = [0x09, 0x12, 0x24, 0xC0]
    return Set(
      rows.flatMap { row -> [Int] in
        let scalar = grid[column, row].scalar
        guard (0x2800...0x28FF).contains(scalar) else { return [] }
        return (0..<4).filter { (scalar - 0x2800) & bits[$0] != 0 }.map { row * 4 + $0 }
      })
  }

  @Test(arguments: [ChartLine.Shape.range, .points])
  func `a column never shows a value that was not recorded`(shape: ChartLine.Shape) {
    let seed = UInt64.random(in: 0 ... .max)
    var state = seed
    func next(_ bound: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % bound
    }
    for _ in 0..<50 {
      let count = 1 + next(3_000)
      let values = (0..<count).map { _ in Double(next(1_000)) }
      let line = ChartLine(
        series: Series(steps: Array(0..<count), values: values), shape: shape, role: .loss)
      let time = time(count, columns: 1 + next(40)).0
      for column in line.columns(time, playhead: count - 1) {
        let covered = values[time.edges[column.x]..<time.edges[column.x + 1]]
        #expect(column.low == covered.min() && column.high == covered.max(), "seed \(seed)")
      }
    }
  }

  @Test func `a rate that halves shows both halves and ends at the last`() throws {
    // 39 steps at the half of what went before: all in the last of few columns.
    var history = RunHistory()
    for step in 0..<1_000 {
      let rate = step < 961 ? 9.6e-3 : 4.8e-3
      history.append(
        .samples(
          StepSamples(
            step: step, wallTime: 0, names: [MetricCatalog.learningRate], values: [rate])))
    }
    let series = try #require(history[MetricCatalog.learningRate])
    let line = ChartLine(series: series, shape: .range, role: .learningRate)
    let last = line.columns(time(1_000, columns: 6).0, playhead: 999).last
    #expect(last?.low == 4.8e-3 && last?.high == 9.6e-3)
    let grid = PaneScreen(history: history).grid(LearningRatePane.pane, columns: 24, rows: 12)
    let heights = dots(grid, column: 23, rows: 0..<11)
    let right = (heights.min() ?? 0)...(heights.max() ?? 0)
    #expect(heights.count == right.count && right.count > 15, "a fall from one to the other")
  }

  @Test func `beyond a gap the line goes on from the last value, not from their mean`() {
    let series = Series(steps: [0, 1, 2, 3, 500, 501], values: [9, 1, 9, 2, 5, 7])
    let line = ChartLine(series: series, shape: .range, role: .loss)
    let columns = line.columns(time(1_000, columns: 10).0, playhead: 999)
    #expect(columns.map(\.last) == [2, 7])
    #expect(columns.map(\.first).last == 5)
  }

  @Test func `points lie at the dot of their value, a dot lower for each dot it falls`() {
    let values = (0..<8).map { 2 - Double($0) * 0.05 }
    let series = Series(steps: values.indices.map { $0 * 100 }, values: values)
    var chart = LineChart()
    chart.lines = [ChartLine(series: series, shape: .points, role: .title)]
    let (time, context) = time(701, columns: 60)
    let columns = chart.lines[0].columns(time, playhead: 700)
    let scale = chart.scale([columns], rows: 11)
    var grid = CellGrid(columns: 66, rows: 12)
    chart.draw(into: &grid, grid.bounds, context)
    for (step, value) in zip(series.steps, values) {
      let column = 6 + (time.column(of: step) ?? 0)
      let row = scale.dotRow(of: value, dotRows: 44)
      #expect(dots(grid, column: column, rows: 0..<11).contains(row), "\(value)")
    }
    let rows = values.map { scale.dotRow(of: $0, dotRows: 44) }
    #expect(Set(rows).count == rows.count, "no two share a row of dots: \(rows)")
  }
}
