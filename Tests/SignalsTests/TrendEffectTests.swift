import Telemetry
import Testing

@testable import Signals

@Suite(.timeLimit(.minutes(15)))
struct TrendEffectTests {
  private func series(_ steps: Range<Int>, _ value: (Int) -> Double) -> Series {
    Series(steps: Array(steps), values: steps.map(value))
  }

  @Test func `known values on both sides of a blend`() throws {
    let loss = series(0..<400) { $0 < 150 ? 2 : ($0 == 200 ? 2.07 : ($0 < 250 ? 1.9 : 1.81)) }
    let effect = try #require(TrendEffect(series: loss, changeStep: 150, blendEnd: 250))
    #expect(effect.count == 100)
    #expect(abs(effect.change + 0.19) < 1e-12)
    #expect(abs(effect.changeBeyondTrend + 0.19) < 1e-12)
    #expect(abs(effect.largestJump - 0.07) < 1e-12)
    #expect(abs(effect.largestStep - 0.17) < 1e-12)
  }

  @Test func `a straight line goes on as if nothing happened beyond its trend`() throws {
    let falling = series(0..<300) { 5 - Double($0) / 100 }
    let effect = try #require(TrendEffect(series: falling, changeStep: 100, blendEnd: 150))
    #expect(abs(effect.change + 1.5) < 1e-12)
    #expect(abs(effect.changeBeyondTrend) < 1e-9)
    #expect(effect.largestJump < 0)
    #expect(effect.largestStep < 0)
  }

  @Test func `both sides share the shorter window`() throws {
    let loss = series(0..<200) { Double($0) }
    let early = try #require(TrendEffect(series: loss, changeStep: 30, blendEnd: 30))
    #expect(early.count == 30)
    #expect(early.meanBefore == 14.5 && early.meanAfter == 44.5)
    let late = try #require(TrendEffect(series: loss, changeStep: 150, blendEnd: 190))
    #expect(late.count == 10)
    #expect(late.meanBefore == 144.5 && late.meanAfter == 194.5)
  }

  @Test func `too few samples on a side say nothing`() {
    let loss = series(0..<200) { Double($0) }
    #expect(TrendEffect(series: loss, changeStep: 4, blendEnd: 4) == nil)
    #expect(TrendEffect(series: loss, changeStep: 100, blendEnd: 196) == nil)
    #expect(TrendEffect(series: Series(), changeStep: 0, blendEnd: 0) == nil)
    let lost = series(0..<200) { $0 < 100 ? 2 : .nan }
    #expect(TrendEffect(series: lost, changeStep: 100, blendEnd: 100) == nil)
  }

  @Test func `values that are not finite are left out`() throws {
    let loss = series(0..<300) { $0 % 3 == 0 ? .nan : ($0 < 150 ? 2 : 1) }
    let effect = try #require(TrendEffect(series: loss, changeStep: 150, blendEnd: 200))
    #expect(effect.meanBefore == 2 && effect.meanAfter == 1)
  }

  @Test func `the event of qk-layernorm reads as a sentence`() throws {
    let loss = series(0..<400) { $0 < 150 ? 2 : ($0 == 200 ? 2.07 : ($0 < 250 ? 1.9 : 1.81)) }
    let logits = series(0..<400) { $0 < 150 ? 9278 : 12 }
    let change = RunEvent(
      step: 150, wallTime: 1, kind: .set, by: "you", name: SettingCatalog.qkLayerNorm,
      before: .flag(false), after: .flag(true), text: "qk_layernorm on")
    let event = try #require(
      TrendEffect.event(
        of: change, in: [MetricCatalog.loss: loss, MetricCatalog.attentionLogitMax: logits],
        blendSteps: 100, step: 350, wallTime: 2))
    #expect(
      event.text
        == "attention logits 9,278 → 12, loss 2.00 → 1.81 over 100 steps (−0.19), "
        + "at most 2.07 on the way")
    #expect(event.kind == .effect && event.step == 350 && event.by == "run")
    #expect(event.name == "qk_layernorm" && event.after == .flag(true))
    #expect(event.values["attention_logit_max.before"] == 9278)
    #expect(event.values.values.allSatisfy { $0.isFinite })
  }

  @Test func `the balance loss is judged by the layer that stood worst`() throws {
    let series: [MetricName: Series] = [
      MetricCatalog.loss: series(0..<200) { _ in 2 },
      MetricCatalog.expertMaxViolation(layer: 0): series(0..<200) { _ in 0.3 },
      MetricCatalog.expertMaxViolation(layer: 1): series(0..<200) { $0 < 100 ? 2.5 : 0.25 },
    ]
    let change = RunEvent(
      step: 100, wallTime: 1, kind: .set, by: "you", name: SettingCatalog.balanceLoss, text: "")
    let event = try #require(
      TrendEffect.event(of: change, in: series, blendSteps: 0, step: 200, wallTime: 2))
    #expect(
      event.text
        == "worst overload 2.5 → 0.25, loss 2.00 → 2.00 over 100 steps (0), never higher on the way"
    )
  }

  @Test func `a change of a setting without a metric of its own tells of the loss`() throws {
    let change = RunEvent(
      step: 100, wallTime: 1, kind: .set, by: "you", name: "lr.multiplier", text: "")
    let loss = series(0..<200) { $0 < 100 ? 3 : 2.5 }
    let event = try #require(
      TrendEffect.event(
        of: change, in: [MetricCatalog.loss: loss], blendSteps: 0, step: 200, wallTime: 2))
    #expect(
      event.text
        == "loss 3.00 → 2.50 over 100 steps (−0.50), never higher on the way")
    #expect(
      TrendEffect.event(of: change, in: [:], blendSteps: 0, step: 200, wallTime: 2) == nil)
  }
}
