import Screen
import Signals
import Telemetry
import Testing

@testable import Dashboard

@Suite(.timeLimit(.minutes(15))) struct ValueZoomTests {
  private func state(_ pane: PaneID = .loss) -> DashboardState {
    var state = UpdateTests.live(120, 40, history: SampleRun.full)
    state.arrangement.focus = pane
    return state
  }

  private func type(_ words: String, into state: inout DashboardState) {
    for key in [Key.character(":")] + words.map(Key.character) + [.enter] {
      _ = update(&state, .keyPressed(key))
    }
  }

  @Test func `words give the focused pane's axis a range, and its frame says so`() {
    var state = state()
    type("y 1.5 2.5", into: &state)
    #expect(state.viewport.valueZoom == [.loss: .range(low: 1.5, high: 2.5)])
    #expect(view(state).text().contains("y 1.5–2.5"))
    type("y auto", into: &state)
    #expect(state.viewport.valueZoom.isEmpty)
    #expect(!view(state).text().contains("y 1.5"))
    type("y robust", into: &state)
    #expect(state.viewport.valueZoom == [.loss: .robust])
  }

  @Test(arguments: [
    ("2 1", PaneID.loss, "the lower end comes first: y 0.5 2.5"),
    ("x", .loss, "'x' is no range: write y LOW HIGH, y auto, y all or y robust"),
    ("0 5", .attentionLogits, "a logarithmic axis begins above 0: y switches it to linear"),
    ("1 2", .events, "events has no vertical axis: focus a chart first"),
  ])
  func `what is no range is refused with a reason`(words: String, pane: PaneID, reason: String) {
    let state = state(pane)
    #expect(throws: ValueZoom.Flaw.self) { _ = try state.valueZoom(named: words) }
    do throws(ValueZoom.Flaw) { _ = try state.valueZoom(named: words) } catch {
      #expect(error.description == reason)
    }
  }

  @Test(arguments: [
    PaneID.loss, .attentionLogits, .learningRate, .gradients, .experts, .throughput, .activations,
    .outputs,
  ])
  func `keys narrow the axis around the line's value and widen it to all again`(pane: PaneID) {
    var state = state(pane)
    state.arrangement.zoomed = pane
    var widths: [Double] = []
    for _ in 0..<3 {
      _ = update(&state, .keyPressed(.character(")")))
      guard case .range(let low, let high) = state.viewport.valueZoom[pane] else { break }
      widths.append(high - low)
    }
    #expect(!widths.isEmpty && widths == widths.sorted(by: >))
    for _ in 0..<8 { _ = update(&state, .keyPressed(.character("("))) }
    #expect(state.viewport.valueZoom[pane] == nil)
  }

  @Test func `a narrowed axis keeps the last value in sight`() throws {
    var state = state()
    for _ in 0..<3 { _ = update(&state, .keyPressed(.character(")"))) }
    guard case .range(let low, let high) = state.viewport.valueZoom[.loss] else {
      Issue.record("not zoomed")
      return
    }
    let value = try #require(state.history[MetricCatalog.evalLoss]?.lastValue)
    #expect(low <= value && value <= high)
  }

  @Test func `an axis without outliers leaves out what few columns have`() {
    var values = (0..<1_000).map { 2 + 0.01 * Double($0 % 10) }
    (values[300], values[600]) = (-40, 90)
    var chart = LineChart()
    chart.lines = [
      ChartLine(
        series: Series(steps: Array(0..<1_000), values: values), shape: .range, role: .loss)
    ]
    let context = PaneContext(
      history: RunHistory(), playhead: 999, window: TimeWindow(steps: 0..<1_000, isAll: true))
    let columns = [chart.lines[0].columns(TimeScale(context, columns: 70), playhead: 999)]
    let robust = chart.scale(columns, rows: 12, .robust)
    #expect(robust.low > 1.9 && robust.high < 2.2)
    let all = chart.scale(columns, rows: 12, .everything)
    #expect(all.low <= -40 && all.high >= 90)
  }

  @Test func `a pane without a chart says that it has no axis`() {
    var state = state(.events)
    _ = update(&state, .keyPressed(.character(")")))
    #expect(state.toast?.text == "events has no vertical axis: focus a chart first")
  }
}
