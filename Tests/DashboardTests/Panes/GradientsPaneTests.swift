import Screen
import Signals
import Telemetry
import Testing

@testable import Dashboard

@Suite(.timeLimit(.minutes(15))) struct GradientsPaneTests {
  private static let tensors = SampleRun.full.names.filter { $0.path.hasPrefix("grad_rms/") }

  private func names(atMost limit: Int) -> [String] {
    TensorRows(Self.tensors, atMost: limit).rows.map(\.name)
  }

  @Test func `tensors come in the order of a step`() {
    let all = names(atMost: 1_000)
    #expect(all.count == Self.tensors.count)
    #expect(
      Array(all.prefix(8)) == [
        "embed", "L0 norm1", "L0 qkv", "L0 out", "L0 norm2", "L0 router", "L0 E0 up", "L0 E0 down",
      ])
    #expect(all.suffix(2) == ["final norm", "head"])
  }

  @Test(arguments: [(1_000, 87), (60, 55), (30, 27), (14, 11), (8, 7), (1, 7)])
  func `tensors fold into as few rows as there are, none left out`(limit: Int, count: Int) {
    let rows = TensorRows(Self.tensors, atMost: limit).rows
    #expect(rows.count == count)
    #expect(Set(rows.flatMap(\.metrics)) == Set(Self.tensors))
    #expect(Set(rows.map(\.name)).count == count)
  }

  @Test func `a tensor that fades turns amber, then red`() throws {
    let name = MetricName("grad_rms/\(SampleRun.fadingTensor)")
    let series = try #require(SampleRun.full[name])
    func first(below limit: Double) -> Int? {
      series.steps.first { (series.value(at: $0) ?? 1) < limit }
    }
    let amber = try #require(first(below: 1e-7))
    let red = try #require(first(below: 1e-8))
    func colors(_ playhead: Int) -> Set<Color> {
      let grid = PaneScreen(history: SampleRun.full, playhead: playhead)
        .grid(GradientsPane.pane, columns: 112, rows: 36)
      return Set((20..<112).flatMap { x in (14..<35).map { grid[x, $0].style.foreground } })
    }
    let warning = Theme.dark.style(.warning).foreground
    let trouble = Theme.dark.style(.trouble).foreground
    #expect(colors(amber - 1).isDisjoint(with: [warning, trouble]))
    #expect(colors(amber + 40).contains(warning) && !colors(amber + 40).contains(trouble))
    #expect(colors(red + 40).isSuperset(of: [warning, trouble]))
  }

  @Test func `without colours digits say how far above epsilon a gradient is`() {
    var screen = PaneScreen(history: SampleRun.full)
    screen.change = {
      $0.theme = $0.theme.adapted(to: .none)
      $0.symbols = .ascii
    }
    let text = screen.grid(GradientsPane.pane, columns: 112, rows: 46).text()
    #expect(text.contains("digits are powers of ten: 4 is 1e-4, 0 is below 10 eps"))
    #expect(text.contains("L2 qkv"))
  }

  @Test func `a tensor without any gradient is no alarm`() {
    var history = RunHistory()
    for record in SampleRun(steps: 200, measuresAll: true).records { history.append(record) }
    for step in 200..<300 {
      let names: [MetricName] = [MetricCatalog.gradNorm, "grad_rms/frozen", "grad_rms/head"]
      history.append(
        .samples(StepSamples(step: step, wallTime: 0, names: names, values: [1, 0, 1e-3])))
    }
    let context = PaneScreen(history: history).context(.gradients)
    #expect(GradientsPane.least(["grad_rms/frozen", "grad_rms/head"], context) == 1e-3)
    #expect(GradientsPane.role(of: 0, context) == nil)
    #expect(GradientsPane.role(of: 9e-8, context) == .warning)
    #expect(GradientsPane.role(of: 9e-9, context) == .trouble)
    #expect(GradientsPane.role(of: .nan, context) == .trouble)
  }

  @Test func `the numbers beside a field are the cursor's`() {
    var screen = PaneScreen(history: SampleRun.full)
    let name = MetricName("grad_rms/head")
    func text() -> String { screen.grid(GradientsPane.pane, columns: 112, rows: 40).text() }
    let value = SampleRun.full[name]?.value(atOrBefore: 405) ?? .nan
    let words = RoundNumber.twoDigits(value)
    screen.change = { $0.cursorStep = 405 }
    let line = text().split(separator: "\n").first { $0.contains("head ") }
    #expect(line?.contains(words) == true, "\(words)")
  }

  @Test func `the headline names the tensors that are red, an expert's as one`() {
    let full = PaneScreen(history: SampleRun.full)
    #expect(full.headline(GradientsPane.pane).contains(" · L2 qkv below ε · clipped"))
    var history = SampleRun.full
    let names: [MetricName] = [
      MetricCatalog.gradNorm, "grad_rms/L2.qkv", "grad_rms/L3.E7.up", "grad_rms/L3.E7.down",
    ]
    history.append(
      .samples(StepSamples(step: 1_401, wallTime: 0, names: names, values: [1, 1, 8e-20, 8e-20])))
    let screen = PaneScreen(history: history)
    #expect(GradientsPane.belowEpsilon(screen.context(.gradients)) == ["L3 E7"])
    let experts = screen.grid(ExpertsPane.pane, columns: 112, rows: 30).text()
    #expect(experts.contains("gradient below ε L3 E7"))
  }
}
