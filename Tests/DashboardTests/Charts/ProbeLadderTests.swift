import Screen
import Signals
import Telemetry
import Testing

@testable import Dashboard

@Suite(.timeLimit(.minutes(15))) struct ProbeLadderTests {
  /// Probes every 10 steps whose best multiplier and cliff are as told.
  private func history(_ probes: [(best: Double, cliff: Double?)]) -> RunHistory {
    var history = RunHistory()
    for step in 0..<(probes.count * 10) {
      var names: [MetricName] = [MetricCatalog.learningRate]
      var values = [1e-2]
      if step % 10 == 0 {
        let (best, cliff) = probes[step / 10]
        for multiplier in MetricCatalog.probeMultipliers {
          names.append(MetricCatalog.probeLoss(multiplier: multiplier))
          let isBeyond = cliff.map { multiplier >= $0 } ?? false
          values.append(multiplier == best ? 1 : isBeyond ? 3 : multiplier == 0 ? 2 : 1.5)
        }
      }
      history.append(
        .samples(
          StepSamples(step: step, wallTime: Double(step), names: names, values: values)))
    }
    return history
  }

  private func context(_ history: RunHistory) -> PaneContext {
    PaneScreen(history: history).context(.learningRate)
  }

  @Test func `each column shows what the last probes up to it say`() throws {
    let probes =
      Array(repeating: (1.0, 16.0 as Double?), count: 8)
      + Array(repeating: (2, 4), count: 12)
    let context = context(history(probes))
    let ladder = try #require(ProbeLadder(context))
    let wide = ladder.columns(TimeScale(context, columns: 40), count: 40).compactMap(\.self)
    #expect(wide.count == 40)
    #expect(wide.first == ProbeLadder.Column(best: 1...1, cliff: 16...16))
    #expect(wide.last == ProbeLadder.Column(best: 2...2, cliff: 4...4))
    let changes = zip(wide, wide.dropFirst()).filter { $0 != $1 }.count
    #expect((1...4).contains(changes), "it does not flip with a probe")
    let narrow = ladder.columns(TimeScale(context, columns: 1), count: 1)
    #expect(narrow == [wide.last])
  }

  @Test func `the ladder comes with the second probe and at twenty rows`() {
    #expect(ProbeLadder(context(history([(1, nil)]))) == nil)
    let screen = PaneScreen(history: history([(1, nil), (4, 16), (4, 16)]))
    func text(_ rows: Int) -> String {
      screen.grid(LearningRatePane.pane, columns: 90, rows: rows).text()
    }
    #expect(!text(19).contains("best"))
    for rows in [20, 36] {
      #expect(text(rows).contains("best ×4 · cliff ×16 or more  at step 20"))
      for label in ["×16", "×8", "×4", "×2", "×1", "×½", "×¼", "×⅛", "×0"] {
        #expect(text(rows).contains(label + " "), "\(label)")
      }
    }
  }

  @Test func `the cursor reads the probe that was in force`() {
    var screen = PaneScreen(history: history([(1, nil), (2, 16), (4, 8)]))
    screen.change = { $0.cursorStep = 17 }
    let text = screen.grid(LearningRatePane.pane, columns: 120, rows: 24).text()
    #expect(text.contains("best ×1–2 · cliff ×16 or more  at step 10"))
  }

  @Test func `where nothing stands above the noise nothing is coloured`() throws {
    var history = RunHistory()
    for step in 0..<200 {
      var names: [MetricName] = [MetricCatalog.learningRate]
      var values = [1e-2]
      for multiplier in MetricCatalog.probeMultipliers where step % 10 == 0 {
        names += [
          MetricCatalog.probeLoss(multiplier: multiplier),
          MetricCatalog.probeError(multiplier: multiplier),
        ]
        let luck = step % 20 == 0 ? 1.0 : -1
        values += [2 + 1e-5 * luck * multiplier, 1e-5 * multiplier]
      }
      history.append(
        .samples(StepSamples(step: step, wallTime: 0, names: names, values: values)))
    }
    let grid = PaneScreen(history: history).grid(LearningRatePane.pane, columns: 100, rows: 26)
    #expect(grid.text().contains("flat: nothing above the noise"))
    let coloured = [Role.good, .trouble].map(\.rawValue)
    let cells = grid.rows.flatMap { Array($0) }
    #expect(!cells.contains { coloured.contains($0.style.role) })
  }

  @Test func `bars stand on a numbered axis and are coloured above the noise only`() {
    var history = RunHistory()
    let rises = [0, -0.004, -0.008, -0.015, -0.02, -0.012, 0.004, 0.3, 2.5]
    for step in stride(from: 0, to: 100, by: 10) {
      let multipliers = MetricCatalog.probeMultipliers
      let names =
        multipliers.map { MetricCatalog.probeLoss(multiplier: $0) }
        + multipliers.map { MetricCatalog.probeError(multiplier: $0) }
        + [MetricCatalog.learningRate]
      let values = rises.map { 2 + $0 } + multipliers.map { 0.002 * $0 } + [1e-2]
      history.append(
        .samples(StepSamples(step: step, wallTime: 0, names: names, values: values)))
    }
    let grid = PaneScreen(history: history).grid(LearningRatePane.pane, columns: 110, rows: 14)
    for number in ["10", "1", "0.1", "0.01"] {
      #expect(grid.lines.contains { $0.contains(" \(number) ") }, "\(number)")
    }
    let bars = Symbols.unicode.bars.dropFirst().map(\.value)
    let roles = grid.rows[grid.rows.count - 2].filter { bars.contains($0.scalar) }
      .map(\.style.role).reduce(into: [UInt8]()) { if $0.last != $1 { $0.append($1) } }
    #expect(
      roles == [Role.learningRate, .good, .learningRate, .faint, .trouble].map(\.rawValue),
      "\(grid.text())")
  }
}
