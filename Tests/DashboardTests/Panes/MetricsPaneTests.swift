import Screen
import Signals
import Telemetry
import Testing

@testable import Dashboard

@Suite(.timeLimit(.minutes(15))) struct MetricsPaneTests {
  private func tiles(_ history: RunHistory = SampleRun.full, filter: String? = nil) -> [MetricTile]
  {
    var screen = PaneScreen(history: history)
    screen.change = { $0.filter = filter }
    return MetricsPane.tiles(screen.context(.metrics))
  }

  @Test func `what matters stands on top`() {
    #expect(
      tiles().prefix(5).map(\.title) == [
        "loss", "loss/eval", "lr", "attention_logit_max", "grad_norm",
      ])
  }

  @Test func `layers, experts and tensors are one chart each, and none is left out`() {
    let all = tiles()
    #expect(all.map(\.title).contains("attention_logit_max L0–L3"))
    #expect(all.map(\.title).contains("expert_load L0–L3 E0–E7"))
    #expect(all.map(\.title).contains("grad_rms 87 tensors"))
    #expect(Set(all.flatMap(\.metrics)) == Set(SampleRun.full.names))
    #expect(all.flatMap(\.metrics).count == SampleRun.full.names.count)
    #expect(all.count < 40)
  }

  @Test func `a family says its smallest and its largest value`() throws {
    let screen = PaneScreen(history: SampleRun.full)
    let tile = try #require(tiles().first { $0.title == "attention_logit_max L0–L3" })
    let values = (0..<4).compactMap {
      SampleRun.full[MetricCatalog.attentionLogitMax(layer: $0)]?.lastValue
    }
    let (least, most) = (try #require(values.min()), try #require(values.max()))
    #expect(
      tile.reading(screen.context(.metrics)).text
        == "\(NumberText.compact(least)) … \(NumberText.compact(most))")
  }

  @Test func `of very many metrics a chart draws some, the smallest and the largest among them`()
    throws
  {
    let names = (0..<12_345).map { MetricName("probe/\($0)") }
    let peak = 7_777
    let values = names.indices.map { $0 == peak ? 50.0 : Double($0 % 3) }
    let history = RunHistory(
      (0..<3).map { step in
        .samples(StepSamples(step: step, wallTime: Double(step), names: names, values: values))
      })
    let screen = PaneScreen(history: history)
    let tile = try #require(tiles(history).first)
    #expect(tiles(history).count == 1 && tile.metrics.count == 12_345)
    #expect(tile.title == "probe/0–12344")
    let drawn = tile.drawn(screen.context(.metrics))
    #expect(drawn.count <= 202 && drawn.contains(names[peak]) && drawn.last == names.last)
    #expect(tile.reading(screen.context(.metrics)).text == "0 … 50.0")
  }

  @Test func `a search shows each metric by itself`() {
    #expect(
      tiles(filter: "logit_max").map(\.title) == [
        "attention_logit_max", "attention_logit_max/0", "attention_logit_max/1",
        "attention_logit_max/2", "attention_logit_max/3",
      ])
  }

  @Test func `metrics that only the run knows come last`() {
    var history = SampleRun.rescue
    history.append(
      .samples(StepSamples(step: 1_400, wallTime: 0, names: ["abc/own"], values: [1])))
    #expect(tiles(history).last?.title == "abc/own")
  }

  @Test func `scrolling ends with the last row of charts`() {
    var state = UpdateTests.live(120, 40, history: SampleRun.full)
    (state.arrangement.zoomed, state.arrangement.focus) = (.metrics, .metrics)
    for _ in 0..<300 { _ = update(&state, .keyPressed(.down)) }
    let end = view(state).text()
    #expect(end.contains("step_share 4 phases"))
    _ = update(&state, .keyPressed(.up))
    #expect(view(state).text() != end)
  }

  private func logged(_ names: [String], steps: Int = 40) -> RunHistory {
    var history = RunHistory()
    history.append(.description(RunDescription(name: "theirs", created: 0)))
    for step in 0..<steps {
      history.append(
        .samples(
          StepSamples(
            step: step, wallTime: Double(step), names: names.map { MetricName($0) },
            values: names.indices.map { Double($0 + step) })))
    }
    return history
  }

  @Test func `names of another trainer that differ in a number from four on are one chart`() {
    let layers = (0..<12).map { "layer_\($0)/norm" }
    let titles = tiles(logged(layers + ["acc_top5", "acc_top1"])).map(\.title)
    #expect(titles == ["acc_top1", "acc_top5", "layer_0–11/norm"])
  }

  @Test(arguments: [(40, 12), (80, 24), (120, 40), (200, 60)])
  func `a run of another trainer shows what it logs, and no pane that waits in vain`(
    columns: Int, rows: Int
  ) {
    for names in [["reward"], ["loss", "lr", "accuracy"], ["grad_norm", "reward"]] {
      var state = UpdateTests.live(columns, rows, history: RunHistory())
      _ = update(&state, .recordingOpened(logged(names)))
      let shown = state.layout.panes
      #expect(shown[.metrics] != nil && shown[state.arrangement.focus] != nil, "\(names)")
      let text = view(state).text().replacing("nothing happened yet", with: "")
      #expect(text.contains(names.contains("reward") ? "reward" : "accuracy"), "\(text)")
      for word in ["waiting", " yet"] { #expect(!text.contains(word), "\(text)") }
      #expect(text.contains("loss") == names.contains("loss"), "\(text)")
    }
  }

  @Test func `a run of Seismo's own keeps its panes while their metrics are still to come`() {
    var history = RunHistory()
    let model = RunDescription.Model(
      preset: nil, width: 64, layers: 4, heads: 2, context: 64, batch: 16, experts: 0,
      parameters: 229_000)
    history.append(.description(RunDescription(name: "own", created: 0, model: model)))
    history.append(.samples(StepSamples(step: 0, wallTime: 0, names: ["loss"], values: [4])))
    let state = UpdateTests.live(history: history)
    #expect(state.silentPanes.isEmpty && state.layout.panes[.attentionLogits] != nil)
  }
}
