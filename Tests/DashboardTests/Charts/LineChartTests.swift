import Foundation
import Screen
import Signals
import Telemetry
import Testing

@testable import Dashboard

@Suite(.timeLimit(.minutes(15))) struct LineChartTests {
  private func context(steps: Int, playhead: Int? = nil) -> PaneContext {
    PaneContext(
      history: RunHistory(), playhead: playhead ?? steps - 1,
      window: TimeWindow(steps: 0..<steps, isAll: true))
  }

  private func draw(
    _ chart: LineChart, columns: Int, rows: Int, _ context: PaneContext
  ) -> CellGrid {
    var grid = CellGrid(columns: columns, rows: rows)
    chart.draw(into: &grid, grid.bounds, context)
    return grid
  }

  private func chart(_ values: [Double], shape: ChartLine.Shape = .range) -> LineChart {
    let series = Series(steps: Array(values.indices), values: values)
    var chart = LineChart()
    chart.lines = [ChartLine(series: series, shape: shape, role: .loss)]
    return chart
  }

  @Test(arguments: [7, 5_000, 99_999])
  func `a one-step spike still shows at 80 columns`(spike: Int) {
    var values = [Double](repeating: 2, count: 100_000)
    values[spike] = 3
    let context = context(steps: values.count)
    let flat = draw(
      chart([Double](repeating: 2, count: 100_000)), columns: 80, rows: 12, context)
    let grid = draw(chart(values), columns: 80, rows: 12, context)
    #expect(grid.lines[1].unicodeScalars.contains { (0x2801...0x28FF).contains($0.value) })
    #expect(grid != flat)
  }

  @Test func `a spike that would press all else flat is cut off and named`() {
    var values = (0..<2_000).map { 2 + 0.1 * Double($0 % 7) }
    values[1_200] = 900
    var chart = chart(values)
    chart.clipsOutliers = true
    let lines = draw(chart, columns: 80, rows: 12, context(steps: 2_000)).lines
    #expect(lines[0].contains("▲900"))
    #expect(lines.filter { $0.hasPrefix("|  2.") || $0.hasPrefix("  2.") }.count >= 2)
  }

  @Test func `values that are not finite are marked with their step`() {
    var values = [Double](repeating: 2, count: 1_000)
    for step in 637..<660 { values[step] = .nan }
    let grid = draw(chart(values), columns: 80, rows: 12, context(steps: 1_000))
    #expect(grid.lines[0].contains("✗"))
    #expect(grid.text().contains("NaN from step 637"))
  }

  @Test(arguments: [
    (Double.infinity, "∞ from step 637"), (-.infinity, "\(NumberText.minus)∞ from step 637"),
  ])
  func `an infinite value is called one`(value: Double, words: String) {
    var values = [Double](repeating: 2, count: 1_000)
    values[637] = value
    let grid = draw(chart(values), columns: 80, rows: 12, context(steps: 1_000))
    #expect(grid.text().contains(words))
  }

  @Test func `what a logarithmic axis cannot hold is marked at its lower edge and named`() {
    var values = (0..<1_000).map { 100 + Double($0 % 50) }
    values[500] = 0
    values[700] = -3
    var chart = chart(values)
    chart.kind = .logarithmic
    chart.holds = [1]
    let bottom = draw(chart, columns: 80, rows: 12, context(steps: 1_000)).lines[10]
    #expect(bottom.filter { $0 == "▼" }.count == 2)
    #expect(bottom.contains("▼\(NumberText.minus)3.000"))
  }

  @Test func `an older generation beyond the axis is marked, faint`() {
    var chart = chart([Double](repeating: 2, count: 1_000))
    var old = [Double](repeating: 2, count: 1_000)
    old[400] = 80
    let series = Series(steps: Array(old.indices), values: old)
    chart.lines.insert(
      ChartLine(series: series, shape: .range, role: .track, isMeasured: false), at: 0)
    let grid = draw(chart, columns: 80, rows: 12, context(steps: 1_000))
    let marks = (0..<80).filter { grid[$0, 0].scalar == 0x25B2 }
    #expect(marks.count == 1)
    #expect(marks.allSatisfy { grid[$0, 0].style.role == Role.track.rawValue })
  }

  @Test func `a mark leaves the cursor's label whole`() {
    var context = context(steps: 1_000)
    context.cursorStep = 999
    for step in stride(from: 300, to: 1_000, by: 9) {
      var chart = chart((0..<1_000).map { Double($0 % 10) })
      chart.lines[0].name = "train"
      chart.unit = "nats"
      chart.holds = [12]
      chart.marks = [
        EventMark(RunEvent(step: step, wallTime: 0, kind: .rewind, by: "you", text: ""))
      ]
      .compactMap(\.self)
      let text = draw(chart, columns: 60, rows: 12, context).text()
      #expect(text.contains("step 999 · train 9.000 nats"), "\(step)")
    }
  }

  /// A run that falls, with noise and spikes: how often does its axis move as it grows?
  private func axes(_ values: [Double], kind: ValueScale.Kind) -> [ValueScale] {
    (20..<values.count).map { count in
      var chart = chart(Array(values.prefix(count)))
      chart.kind = kind
      chart.clipsOutliers = true
      let time = TimeScale(context(steps: count), columns: 74)
      return chart.scale(
        chart.lines.map { $0.columns(time, playhead: count - 1) }, rows: 12)
    }
  }

  @Test(arguments: [ValueScale.Kind.linear, .logarithmic])
  func `the axis does not jump about while a run grows`(kind: ValueScale.Kind) {
    var state: UInt64 = 20_261_124
    func noise() -> Double {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Double(state >> 11) / Double(1 << 53) - 0.5
    }
    let values: [Double] = (0..<1_500).map { step in
      let spike: Double = step % 331 == 330 ? 3 : 0
      let trend: Double = 1.2 + 3 * exp(-Double(step) / 60)
      return trend + 0.3 * noise() + spike
    }
    let axes = axes(values, kind: kind)
    let moves = zip(axes, axes.dropFirst()).filter { $0 != $1 }.count
    var returns = 0
    var seen: [ValueScale] = []
    for axis in axes where axis != seen.last {
      if seen.contains(axis) { returns += 1 }
      seen.append(axis)
    }
    #expect(moves <= 12, "\(seen.map { ($0.low, $0.high) })")
    #expect(returns <= 2)
  }

  @Test func `lines have no gaps, whether samples are many or few`() {
    for shape in [ChartLine.Shape.range, .average, .points] {
      let grid = draw(
        chart((0..<3_000).map { Double($0 * $0 % 977) }, shape: shape), columns: 60, rows: 10,
        context(steps: 3_000))
      let gaps = (6..<60).filter { column in
        (0..<9).allSatisfy { grid[column, $0].isBlank }
      }
      #expect(gaps.isEmpty)
    }
    let sparse = Series(steps: [0, 500, 999], values: [1, 3, 1])
    for shape in [ChartLine.Shape.range, .average, .points] {
      var chart = LineChart()
      chart.lines = [ChartLine(series: sparse, shape: shape, role: .loss)]
      let grid = draw(chart, columns: 60, rows: 10, context(steps: 1_000))
      #expect((6..<60).allSatisfy { column in (0..<9).contains { !grid[column, $0].isBlank } })
    }
  }

  @Test func `the words of marks never touch each other or are cut`() {
    let words = ["qk-layernorm on", "rate ×0.5", "z-loss 1e-4", "loss spike", "alarm", "a note"]
    var found = 0
    for count in 1...24 {
      for columns in stride(from: 16, through: 90, by: 7) {
        var chart = chart((0..<1_000).map { Double($0 % 10) })
        chart.holds = [30]
        chart.marks = (0..<count).compactMap { index in
          var mark = EventMark(
            RunEvent(
              step: index * 997 / count, wallTime: 0, kind: .note, by: "you",
              text: words[index % words.count]))
          mark?.texts = [words[index % words.count]]
          return mark
        }
        let grid = draw(chart, columns: columns, rows: 12, context(steps: 1_000))
        for row in 0..<grid.size.rows {
          let texts = pinkTexts(in: grid, row: row)
          found += texts.count
          for text in texts { #expect(words.contains(text), "'\(text)' at \(columns)") }
        }
      }
    }
    #expect(found > 100)
  }

  /// The runs of a person's cells in a row, without lines and signs.
  private func pinkTexts(in grid: CellGrid, row: Int) -> [String] {
    var texts: [String] = []
    var text = ""
    for column in 0...grid.size.columns {
      let cell = grid[column, row]
      let isText =
        cell.style.role == Role.person.rawValue && cell.scalar != 0x2506 && cell.scalar != 0x25C6
      if isText, let scalar = Unicode.Scalar(cell.scalar) {
        text.unicodeScalars.append(scalar)
      } else if !text.isEmpty {
        texts.append(text)
        text = ""
      }
    }
    return texts
  }

  @Test func `the axis stands still while values stay within it`() {
    let start = (0..<200).map { 3 - Double($0) / 200 }
    let first = draw(chart(start), columns: 60, rows: 14, context(steps: 400))
    let later = draw(chart(start + [2.4, 2.5, 2.6]), columns: 60, rows: 14, context(steps: 400))
    let gutters = [first, later].map { grid in grid.lines.map { String($0.prefix(6)) } }
    #expect(gutters[0] == gutters[1])
  }

  @Test func `the cursor reads the exact value`() {
    var context = context(steps: 100)
    context.cursorStep = 42
    var chart = chart((0..<100).map { Double($0) / 3 })
    chart.lines[0].name = "train"
    let text = draw(chart, columns: 70, rows: 12, context).text()
    #expect(text.contains("step 42 · train 14.00"))
  }

  @Test func `superseded samples stay, faint and behind`() {
    var history = RunHistory()
    for step in 0..<100 { history.append(samples(step, 2)) }
    history.append(.generation(startingAt: 50))
    for step in 50..<60 { history.append(samples(step, 1)) }
    let context = PaneContext(
      history: history, playhead: 99, window: TimeWindow(steps: 0..<100, isAll: true),
      smoothing: nil)
    let grid = PaneScreen(history: history, playhead: 99).grid(LossPane.pane, columns: 60, rows: 12)
    #expect(grid.text(roles: true).contains(Character(UnicodeScalar(Role.track.rawValue))))
    #expect(context.lines(MetricCatalog.loss, role: .loss, faint: .lossFaint, label: "").count == 2)
  }

  private func samples(_ step: Int, _ loss: Double) -> RunRecord {
    .samples(
      StepSamples(
        step: step, wallTime: Double(step), names: [MetricCatalog.loss], values: [loss]))
  }

  @Test func `what has a dot on the plot is not marked as beyond it`() {
    for rows in 4...12 {
      for top in stride(from: 1.05, to: 10, by: 0.15) {
        let text = draw(
          chart([0, top / 3, top, top / 2]), columns: 40, rows: rows, context(steps: 4)
        ).text()
        #expect(!text.contains("▲") && !text.contains("▼"), "\(top) on \(rows) rows")
      }
    }
  }

  @Test func `three rows are labelled at both ends`() {
    let lines = draw(chart([0, 1.3, 1.8]), columns: 40, rows: 4, context(steps: 3)).lines
    #expect(lines[0].contains("2") && lines[2].contains("0"), "\(lines)")
  }

  @Test func `small charts side by side leave the numbers of marks out`() {
    var chart = chart([1, 2, 3, 2])
    chart.marks = EventMark.numbered([
      RunEvent(step: 1, wallTime: 0, kind: .note, by: "you", text: "a note")
    ]) { _ in true }.map(\.mark)
    chart.namesMarks = false
    let context = context(steps: 4)
    #expect(draw(chart, columns: 40, rows: 8, context).text().contains("¹"))
    chart.numbersMarks = false
    let text = draw(chart, columns: 40, rows: 8, context).text()
    #expect(!text.contains("¹") && text.contains("┆"))
  }

  @Test func `of 256 colours no ground lies behind lines`() {
    var screen = PaneScreen()
    screen.change = { $0.theme = Theme.dark.adapted(to: .indexed256) }
    let grid = screen.grid(LossPane.pane, columns: 60, rows: 14)
    for column in 0..<60 {
      for row in 0..<14 {
        #expect(grid[column, row].style.background.isTerminalDefault)
      }
    }
  }
}
