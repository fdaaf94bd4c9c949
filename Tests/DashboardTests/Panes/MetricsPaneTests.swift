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
}
