import Screen
import Signals
import Telemetry
import Testing

@testable import Dashboard

@Suite(.timeLimit(.minutes(15))) struct ScaleTests {
  private static let seed: UInt64 = 20_261_124

  /// Pairs of ends of any size and distance.
  private static func ends(_ count: Int) -> [(Double, Double)] {
    var state = seed
    func next() -> Double {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Double(state >> 11) / Double(1 << 53)
    }
    return (0..<count).map { _ in
      let size = 24 * next() - 12
      let low = (next() - 0.5) * power(size)
      return (low, low + next() * power(size + 4 * next() - 3))
    }
  }

  private static func power(_ exponent: Double) -> Double {
    (0..<Int(abs(exponent) * 10)).reduce(1) { value, _ in
      exponent > 0 ? value * 1.2589 : value / 1.2589
    }
  }

  @Test func `an axis holds its values, wastes little and has round ticks inside`() {
    for (low, high) in Self.ends(2_000) {
      let scale = ValueScale(fitting: low, high)
      #expect(scale.low <= low && scale.high >= high, "\(low) \(high), seed \(Self.seed)")
      if high > low + abs(low) * 1e-9 {
        #expect(scale.high - scale.low <= 2.1 * (high - low), "\(low) \(high)")
      }
      for limit in 1...5 {
        let ticks = scale.ticks(atMost: limit)
        #expect(!ticks.isEmpty && ticks.count <= limit)
        #expect(ticks == ticks.sorted())
        let margin = (scale.high - scale.low) * 1e-6
        #expect(ticks.allSatisfy { $0 >= scale.low - margin && $0 <= scale.high + margin })
      }
    }
  }

  @Test func `a logarithmic axis ends at round numbers`() {
    let wide = ValueScale(fitting: 3, 9_278, kind: .logarithmic)
    #expect(wide == ValueScale(from: 1, to: 1e4, kind: .logarithmic))
    #expect(wide.ticks(atMost: 3).map(wide.label) == ["1", "100", "1e4"])
    #expect(wide.ticks(atMost: 5).map(wide.label) == ["1", "10", "100", "1e3", "1e4"])
    let narrow = ValueScale(fitting: 0.15, 0.4, kind: .logarithmic)
    #expect(narrow.ticks(atMost: 4).map(narrow.label) == ["0.1", "0.5"])
    #expect(ValueScale(fitting: -1, 0, kind: .logarithmic).low == 1)
  }

  @Test(arguments: [
    (1.85, 4.2, ["2", "3", "4"]), (0, 0.04, ["0", "2e-2", "4e-2"]),
    (0, 104_000, ["0", "50,000", "100,000"]), (-3, 4.4, ["\(NumberText.minus)2", "0", "2", "4"]),
  ])
  func `labels are short and exact`(low: Double, high: Double, labels: [String]) {
    let scale = ValueScale(fitting: low, high)
    #expect(scale.ticks(atMost: labels.count).map(scale.label) == labels)
  }

  @Test func `rows of dots go from the top down and beyond`() {
    let scale = ValueScale(from: 0, to: 1)
    #expect(scale.dotRow(of: 1, dotRows: 41) == 0)
    #expect(scale.dotRow(of: 0, dotRows: 41) == 40)
    #expect(scale.dotRow(of: 2, dotRows: 41) < 0)
    #expect(scale.dotRow(of: .infinity, dotRows: 41) < 0)
    #expect(ValueScale(from: 1, to: 10, kind: .logarithmic).dotRow(of: 0, dotRows: 4) > 4)
  }

  @Test(arguments: [ValueScale.Kind.linear, .logarithmic])
  func `round values lie in the middle of rows, evenly, and the axis holds its values`(
    kind: ValueScale.Kind
  ) {
    for (first, second) in Self.ends(2_000) where first != second {
      let ends = kind == .linear ? (first, second) : (abs(first) + 1e-9, abs(second) + 1e-9)
      let (low, high) = (min(ends.0, ends.1), max(ends.0, ends.1))
      for rows in [4, 7, 12, 13, 26] {
        let scale = ValueScale(fitting: low, high, kind: kind, rows: rows)
        let dots = [low, high].map { scale.dotRow(of: $0, dotRows: rows * 4) }
        #expect(dots.allSatisfy { $0 >= 0 && $0 < rows * 4 }, "\(low) \(high) on \(rows)")
        guard scale.step != nil else { continue }
        let places = scale.ticks(atMost: 5).map { scale.dotRow(of: $0, dotRows: rows * 4) / 4 }
        let gaps = Set(zip(places, places.dropFirst()).map { $0 - $1 })
        #expect(gaps.count == 1, "\(low) \(high) on \(rows): \(places)")
      }
    }
  }

  @Test(arguments: [ValueScale.Kind.linear, .logarithmic])
  func `an axis on rows bears values of any size`(kind: ValueScale.Kind) {
    let wild: [Double] = [
      -1e300, -1, 0, .leastNonzeroMagnitude, 1e-300, 1e-150, 1, 1 + 1e-15, 1e150, 1e300, .infinity,
      -.infinity, .nan,
    ]
    for low in wild {
      for high in wild {
        for rows in [0, 1, 4, 12, 60] {
          let scale = ValueScale(fitting: low, high, kind: kind, rows: rows)
          #expect(scale.low < scale.high && scale.low.isFinite && scale.high.isFinite)
          for value in wild { _ = scale.dotRow(of: value, dotRows: rows * 4) }
          #expect(scale.ticks(atMost: 5).count < 100, "\(low) \(high)")
        }
      }
    }
  }

  @Test func `the rows of most axes are used`() {
    var used: [Double] = []
    for (low, high) in Self.ends(2_000) where high > low {
      let scale = ValueScale(fitting: low, high, rows: 12)
      used.append((high - low) / (scale.high - scale.low))
    }
    #expect(used.reduce(0, +) / Double(used.count) > 0.75)
    #expect((used.min() ?? 0) > 0.4)
  }

  @Test func `charts beside each other share the values along the time`() {
    for columns in [40, 50, 66, 90] {
      for steps in [0..<1_401, 0..<2_500, 700..<1_400, 0..<120_000] {
        let shown = [6, 7, 8, 10].map { gutter in
          time(steps, columns: columns - gutter)
            .labels(columns: columns - gutter, shared: columns - 10).dropLast().map(\.text)
        }
        #expect(Set(shown).count == 1, "\(columns) \(steps): \(shown)")
      }
    }
  }

  private func time(
    _ steps: Range<Int>, columns: Int, axis: AxisKind = .step, isLogX: Bool = false
  ) -> TimeScale {
    TimeScale(
      PaneContext(
        history: SampleRun.rescue, playhead: steps.upperBound - 1,
        window: TimeWindow(steps: steps, isAll: true), axis: axis, isLogX: isLogX),
      columns: columns)
  }

  @Test(arguments: AxisKind.usual, [false, true])
  func `each step lies in the column whose edges hold it`(axis: AxisKind, isLogX: Bool) {
    for steps in [0..<1, 0..<2, 0..<37, 900..<1_400, 0..<1_401] {
      let scale = time(steps, columns: 40, axis: axis, isLogX: isLogX)
      #expect(scale.edges.count == 81 && scale.edges == scale.edges.sorted())
      for step in steps {
        let column = scale.dotColumn(of: step) ?? -1
        let covered = scale.edges[column]..<scale.edges[column + 1]
        #expect(covered.contains(step), "\(axis) \(step)")
      }
      #expect(scale.dotColumn(of: steps.upperBound) == nil)
    }
  }

  @Test(arguments: AxisKind.usual, [false, true])
  func `labels below a chart never touch or leave it`(axis: AxisKind, isLogX: Bool) {
    for columns in 0...120 {
      for steps in [0..<1, 0..<5, 0..<1_401, 700..<1_400, 0..<120_000] {
        let labels = time(steps, columns: columns, axis: axis, isLogX: isLogX)
          .labels(columns: columns)
        var free = 0
        for label in labels {
          #expect(label.column >= free && label.column + label.text.count <= columns)
          free = label.column + label.text.count + 1
        }
        if columns >= 20 { #expect(!labels.isEmpty) }
      }
    }
  }

  @Test func `the axis counts steps, tokens, the run's time or the clock`() {
    let ends = AxisKind.usual.map { axis in
      time(0..<1_401, columns: 50, axis: axis).labels(columns: 50).last?.text
    }
    #expect(ends == ["step 1,400", "tokens 1.43M", "time 0:00:16", "clock 22:13:36"])
  }

  @Test func `the axis of tokens follows a batch that was changed`() {
    var history = SampleRun(steps: 1_001).history
    history.append(
      .event(
        RunEvent(
          step: 500, wallTime: 0, kind: .set, by: "you", name: SettingCatalog.batch,
          before: .number(16), after: .number(48), text: "")))
    let context = PaneContext(
      history: history, playhead: 1_000, window: TimeWindow(steps: 0..<1_001, isAll: true),
      axis: .tokens)
    let scale = TimeScale(context, columns: 80)
    // Three of four tokens were seen in the second half.
    #expect(scale.column(of: 500) == 20)
    #expect(scale.labels(columns: 80).last?.text == "tokens 2.05M")
    let rows = PaneScreen(history: history).grid(ThroughputPane.pane, columns: 60, rows: 12).lines
    #expect(rows.contains { $0.contains("tokens seen") && $0.contains("2.05M") })
    let run = PaneScreen(history: history).grid(RunPane.pane, columns: 90, rows: 40).text()
    #expect(run.contains("48 × 64 = 3,072 tokens"))
  }

  @Test func `round times of day stand below a chart by the clock, in the person's zone`() {
    func texts(seconds: Double, zone: Int, isLogX: Bool = false) -> [String] {
      var history = RunHistory()
      for step in 0..<200 {
        let time = SampleRun.created + Double(step) * seconds
        history.append(.samples(StepSamples(step: step, wallTime: time, names: [], values: [])))
      }
      var context = PaneContext(
        history: history, playhead: 199, window: TimeWindow(steps: 0..<200, isAll: true),
        axis: .clock, isLogX: isLogX)
      context.secondsFromGMT = zone
      return TimeScale(context, columns: 70).labels(columns: 70).map(\.text)
    }
    // 14 November 2023, 22:13:20 at Greenwich.
    #expect(
      texts(seconds: 1, zone: 0) == [
        "22:13:30", "22:14:00", "22:14:30", "22:15:00", "22:15:30", "clock 22:16:39",
      ])
    #expect(texts(seconds: 60, zone: 3600).first == "23:30")
    #expect(texts(seconds: 60, zone: 3600).last == "clock 02:32")
    #expect(
      texts(seconds: 3600, zone: 0) == [
        "16 Nov", "18 Nov", "20 Nov", "clock 23 Nov 05:13",
      ])
    #expect(texts(seconds: 1, zone: 0, isLogX: true).count >= 3)
  }

  @Test func `labels of one axis have the same decimals`() {
    let scale = ValueScale(from: 1.5, to: 2.5)
    #expect(scale.labels([1.5, 2, 2.5]) == ["1.5", "2.0", "2.5"])
    #expect(scale.labels([0, 0.25, 0.5]) == ["0", "0.25", "0.50"])
    #expect(scale.labels([500, 1000]) == ["500", "1,000"])
  }

  @Test(arguments: [
    (9.96e-3, "1e-2"), (1e-2, "1e-2"), (2.94e-2, "2.9e-2"), (0.29, "0.29"), (4e-4, "4e-4"),
  ])
  func `rates are short`(rate: Double, text: String) {
    #expect(RoundNumber.rate(rate) == text)
  }

  @Test(arguments: [
    (9_278.4, "9,278"), (999_999, "999,999"), (7.2e16, "7.2e16"), (1_000_000, "1.0e6"),
    (.infinity, "∞"),
  ])
  func `what is huge is short`(value: Double, text: String) {
    #expect(RoundNumber.groupedOrPower(value) == text)
  }

  @Test(arguments: [
    (0.92, 2.5, ValueScale.Kind.linear, 36, 7), (1, 11_148, .logarithmic, 19, 5),
  ])
  func `on many rows round values do not stand far apart`(
    low: Double, high: Double, kind: ValueScale.Kind, rows: Int, count: Int
  ) {
    let ticks = ValueScale(fitting: low, high, kind: kind, rows: rows).ticks(atMost: 5)
    #expect(ticks.count >= count, "\(ticks)")
  }
}
