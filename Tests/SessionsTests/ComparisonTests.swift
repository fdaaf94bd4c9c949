import Signals
import Telemetry
import Testing

@testable import Formats
@testable import Sessions

@Suite(.timeLimit(.minutes(15))) struct ComparisonTests {
  private func run(_ name: String, losses: [Double], options: [String: String]) -> Comparison.Run {
    var history = RunHistory()
    history.append(
      .description(RunDescription(name: name, created: 0, totalSteps: 4, options: options)))
    for (step, loss) in losses.enumerated() {
      history.append(
        .samples(
          StepSamples(
            step: step, wallTime: 0, names: ["loss", "attention_logit_max/0"],
            values: [loss, 2])))
    }
    history.append(.state(.finished))
    return Comparison.Run(name: name, history: history)
  }

  @Test func `settings that differ, final and best values stand in a table`() {
    let comparison = Comparison(runs: [
      run("a", losses: [4, 1, 2], options: ["lr": "0.01", "seed": "0"]),
      run("longer", losses: [4, .nan], options: ["lr": "0.04", "seed": "0", "z-loss": "1e-4"]),
    ])
    #expect(
      comparison.text(metrics: comparison.metrics(matching: nil)) == [
        "          a            longer",
        "steps     3/4          2/4",
        "state     finished     finished",
        "settings that differ",
        "  lr      0.01         0.04",
        "  z-loss  –            1e-4",
        "final",
        "  loss    2.0000       NaN",
        "lowest",
        "  loss    1.0000 at 1  4.0000 at 0",
      ])
  }

  @Test func `runs of several seeds have a mean and a spread`() {
    let seeds = Comparison(runs: [
      run("a", losses: [1], options: ["lr": "1", "seed": "0"]),
      run("b", losses: [3], options: ["lr": "1", "seed": "1"]),
    ])
    #expect(seeds.groups == [.init(name: "a (2 seeds)", members: [0, 1])])
    #expect(seeds.text(metrics: ["loss"]).contains { $0.hasSuffix("2.0000 ± 1.4") })
    let others = Comparison(runs: [
      run("a", losses: [1], options: ["lr": "1", "seed": "0"]),
      run("b", losses: [3], options: ["lr": "2", "seed": "1"]),
    ])
    #expect(others.seedGroups.isEmpty)
    #expect(Spread([2]) == nil)
  }

  @Test func `seeds are grouped by their settings, each group with its mean and spread`() {
    let comparison = Comparison(runs: [
      run("a", losses: [1], options: ["lr": "1", "seed": "0"]),
      run("b", losses: [7], options: ["lr": "2", "seed": "0"]),
      run("c", losses: [3], options: ["lr": "1", "seed": "1", "workers": "2"]),
      run("d", losses: [9], options: ["lr": "2", "seed": "1"]),
      run("twice", losses: [9], options: ["lr": "3", "seed": "1"]),
      run("thrice", losses: [9], options: ["lr": "3", "seed": "1"]),
    ])
    #expect(comparison.groups.map(\.members) == [[0, 2], [1, 3], [4], [5]])
    #expect(comparison.seedGroups.map(\.name) == ["lr 1 (2 seeds)", "lr 2 (2 seeds)"])
    let table = comparison.text(metrics: ["loss"])
    #expect(
      table.contains { $0.split(separator: "  ").suffix(2) == ["2.0000 ± 1.4", "8.0000 ± 1.4"] })
    let json = comparison.json(metrics: ["loss"])
    #expect(
      json.contains(
        #"{"name":"lr 2 (2 seeds)","runs":["b","d"],"metrics":{"loss":{"final_mean":8.0,"#))
  }

  @Test func `several seeds are one line, their mean, in a band from lowest to highest`() throws {
    let comparison = Comparison(runs: [
      run("a", losses: [4, 2, 1], options: ["lr": "1", "seed": "0"]),
      run("b", losses: [6, 2, .nan], options: ["lr": "1", "seed": "1"]),
      run("<c>", losses: [5, 5], options: ["lr": "2", "seed": "1"]),
    ])
    let charts = ComparisonCharts(comparison)
    let chart = charts.chart("loss")
    #expect(chart.lines.map(\.label) == ["lr 1 (2 seeds)", "<c>"])
    #expect(chart.lines[0].points.map(\.value) == [5, 2])
    #expect(chart.lines[0].envelope.map(\.high) == [6, 2])
    let svg = charts.sheet(charts.story).svg
    #expect(svg.contains("&lt;c&gt;") && !svg.contains("<c>"))
    #expect(svg.contains("they differ in lr, seed"))
  }

  @Test func `as JSON it has every number with its digits`() {
    let comparison = Comparison(runs: [
      run("a", losses: [0.1, .infinity], options: ["lr": "1"]),
      run("b", losses: [3], options: ["lr": "1"]),
    ])
    #expect(
      comparison.json(metrics: ["loss"])
        == #"{"runs":[{"name":"a","steps":2,"state":"finished","changes":[],"metrics":"#
        + #"{"loss":{"final":Infinity,"lowest":0.1,"lowest_step":0,"highest":0.1,"#
        + #""highest_step":0,"non_finite":1}}},"#
        + #"{"name":"b","steps":1,"state":"finished","changes":[],"metrics":"#
        + #"{"loss":{"final":3.0,"lowest":3.0,"lowest_step":0,"highest":3.0,"#
        + #""highest_step":0,"non_finite":0}}}],"differences":{}}"#)
  }
}

@Suite(.timeLimit(.minutes(15))) struct ComparisonWithRecordTests {
  private func samples(_ step: Int, _ loss: Double, speed: Double = 1) -> StepSamples {
    StepSamples(
      step: step, wallTime: 0, names: ["loss", "tokens_per_s"], values: [loss, speed])
  }

  private func comparison() -> ComparisonWithRecord {
    let records = (0..<6).map { RunRecord.samples(samples($0, Double($0), speed: 5)) }
    return ComparisonWithRecord(RecordedRun(records: records))
  }

  @Test func `the same numbers are equal, whatever the clock says`() {
    var comparison = comparison()
    for step in 0..<9 { comparison.take(samples(step, Double(step))) }
    comparison.finish()
    #expect(comparison.isEqual)
    #expect(comparison.compared == 6)
    #expect(comparison.leftOut == ["tokens_per_s"])
  }

  @Test func `one bit is a difference and has its place`() {
    var comparison = comparison()
    for step in 0..<6 {
      comparison.take(samples(step, step < 4 ? Double(step) : Double(step).nextUp))
    }
    comparison.finish()
    #expect(comparison.differing == 2)
    #expect(
      comparison.first
        == .init(step: 4, name: "loss", recorded: 4, found: 4.0.nextUp))
  }

  @Test func `what does not come again is missing, what was not there is additional`() {
    var comparison = comparison()
    for step in [0, 2, 3, 3] { comparison.take(samples(step, Double(step))) }
    comparison.finish()
    #expect(!comparison.isEqual)
    #expect(comparison.missing == 3)
    #expect(comparison.additional == 1)
  }

  @Test func `a metric that was not measured then is named and is no difference`() {
    var comparison = comparison()
    for step in 0..<6 {
      comparison.take(samples(step, Double(step)))
      comparison.take(StepSamples(step: step, wallTime: 0, names: ["lr"], values: [1]))
    }
    comparison.finish()
    #expect(comparison.isEqual)
    #expect(comparison.unrecorded == ["lr"])
  }
}
