import Foundation
import FoundationXML
import Signals
import Telemetry
import Testing

@testable import Sessions

@Suite(.timeLimit(.minutes(15))) struct ChartTests {
  private static func mark(_ step: Int, _ kind: RunEvent.Kind, _ text: String) -> PlotMark? {
    PlotMark(
      RunEvent(
        step: step, wallTime: 0, kind: kind, by: "you", name: text, after: .flag(true), text: text))
  }

  @Test func `labels of marks never cover each other or another mark's line`() {
    var random = RandomBits(seed: 7)
    let kinds: [RunEvent.Kind] = [.set, .alarm, .note, .diverged]
    for count in 1...40 {
      let marks = (0..<count).compactMap { index in
        Self.mark(
          Int.random(in: 0...1000, using: &random), kinds[index % 4],
          String(repeating: "w", count: Int.random(in: 1...30, using: &random)))
      }
      let placed = PlacedMark.place(marks, between: 60, 900) { 60 + Double($0) * 0.7 }
      #expect(count == 0 || placed.contains { $0.label != nil })
      for (index, one) in placed.enumerated() {
        guard let label = one.label else { continue }
        #expect(label.left >= 50 && label.right <= 910)
        for other in placed[(index + 1)...] {
          guard let theirs = other.label else { continue }
          let isApart = label.right < theirs.left || theirs.right < label.left
          #expect(label.row != theirs.row || isApart, "\(count) marks")
        }
        for other in placed where other != one && (other.label?.row ?? 0) >= label.row {
          #expect(!(label.left..<label.right).contains(other.x), "\(count) marks")
        }
      }
    }
  }

  @Test func `alarms that crowd each other share a mark that counts them`() {
    let marks = [1, 2, 3, 500].compactMap { Self.mark($0, .alarm, "loss-spike") }
    let placed = PlacedMark.place(marks, between: 0, 1000) { Double($0) }
    #expect(placed.map { $0.label?.text } == ["loss spike ×3", "loss spike"])
  }

  @Test func `names at the ends of lines keep their distance`() {
    let places = LabelColumn.spread([50, 51, 52, 90], apart: 10, between: 0, 100)
    #expect(places == [50, 60, 70, 90])
    #expect(LabelColumn.spread([99, 100], apart: 10, between: 0, 100) == [90, 100])
  }

  @Test(arguments: [
    (0.0, 7.0, ["0", "2", "4", "6"]), (-1, 1, ["−1.0", "−0.5", "0", "0.5", "1.0"]),
    (0, 0.04, ["0", "0.01", "0.02", "0.03", "0.04"]),
    (0, 2500, ["0", "500", "1,000", "1,500", "2,000", "2,500"]),
    (3, 3, ["2.5", "3.0", "3.5"]),
    (0, 1e-3, ["0", "2e-4", "4e-4", "6e-4", "8e-4", "1e-3"]),
  ])
  func `ticks are round and read alike`(low: Double, high: Double, labels: [String]) {
    #expect(AxisScale(fitting: low, high, kind: .linear).ticks(about: 5).map(\.label) == labels)
  }

  @Test func `axes of any values have ends and ticks`() {
    let values = [0, -0.0, 1e-300, 1e300, -1e308, 1e308, .infinity, -.infinity, .nan, 1, 1 + 1e-15]
    for low in values {
      for high in values {
        for kind in [AxisScale.Kind.linear, .logarithmic] {
          let axis = AxisScale(fitting: low, high, kind: kind)
          #expect(axis.low < axis.high, "\(low) \(high)")
          #expect(axis.ticks(about: 5).count < 100)
          #expect((0...1).contains(axis.share(of: low)) && (0...1).contains(axis.share(of: high)))
        }
      }
    }
    let axis = AxisScale(fitting: 0.02, 9000, kind: .logarithmic)
    #expect(axis.ticks(about: 5).map(\.label) == ["0.1", "1", "10", "100", "1,000", "10,000"])
  }

  @Test func `one step among a million is in the envelope, its NaN is marked`() {
    var series = Series()
    for step in 0..<1_000_000 {
      series.append(step: step, value: step == 654_321 ? 99 : step == 700_000 ? .nan : 1)
    }
    let line = LineMaking(steps: 0...999_999, smoothing: 0.97).line(series, label: "", hue: 0)
    #expect(line.envelope.map(\.high).max() == 99)
    #expect(line.points.count == 370)
    #expect(line.nonFinite == [700_000])
  }

  private static func history(_ names: [MetricName], steps: Int = 50) -> RunHistory {
    var history = RunHistory()
    for step in 0..<steps {
      history.append(
        .samples(
          StepSamples(
            step: step, wallTime: Double(step), names: names, values: names.map { _ in 1 })))
    }
    return history
  }

  @Test func `the story is loss, rate, logits, gradient norm and a field of experts a layer`() {
    let names: [MetricName] =
      [
        "step_ms", "loss", "loss/eval", "lr", "attention_logit_max", "attention_logit_max/0",
        "attention_logit_max/1", "grad_norm", "param_norm/embed",
      ]
      + (0..<2).flatMap { layer in
        (0..<4).map { MetricCatalog.expertLoad(layer: layer, expert: $0) }
      }
    let history = Self.history(names)
    let charts = RunCharts(history).charts(RunCharts.story(of: history))
    #expect(
      charts.map(\.title) == [
        "loss", "lr", "attention_logit_max", "grad_norm", "expert_load, layer 0",
        "expert_load, layer 1",
      ])
    #expect(RunCharts.story(of: Self.history(["mine/a", "mine/b"])) == ["mine/a", "mine/b"])
  }

  private static let hostile = "</script><script>alert(1)</script>\"' & <b>\u{202e}\u{0}]]>\n"

  private static func hostileHistory() -> RunHistory {
    var history = history([MetricName(hostile), "loss", MetricName(hostile + "/2")])
    history.append(
      .description(
        RunDescription(
          name: hostile, created: 0, options: [hostile: hostile], environment: [hostile: hostile])))
    history.append(
      .settings([
        SettingDeclaration(name: hostile, kind: .flag, value: .flag(true), purpose: hostile)
      ]))
    for kind in RunEvent.Kind.allCases {
      history.append(
        .event(
          RunEvent(
            step: 3, wallTime: 1, kind: kind, by: hostile, name: hostile, after: .number(.nan),
            text: hostile, hint: hostile)))
    }
    history.append(.damage(.entry(hostile), wallTime: 0))
    history.append(.state(.failed(reason: hostile)))
    return history
  }

  @Test func `hostile names stay text in the drawing and in the report`() {
    let history = Self.hostileHistory()
    let report = RunReport(history, name: Self.hostile, metrics: history.names)
    #expect(XMLParser(data: Data(report.svg.utf8)).parse())
    for text in [report.svg, report.html] {
      #expect(!text.contains("alert(1)</script>"))
      #expect(!text.contains("<b>"))
      #expect(!text.unicodeScalars.contains("\u{202e}") && !text.unicodeScalars.contains("\u{0}"))
    }
    // A script a chart for its numbers, and the page's own.
    let scripts = report.html.components(separatedBy: "<script").count - 1
    #expect(scripts == RunCharts(history).charts(history.names).count + 1)
    #expect(report.html.components(separatedBy: "</script>").count - 1 == scripts)
  }

  @Test func `a report names no other file and no address`() {
    let report = RunReport(Self.hostileHistory(), name: "run")
    #expect(!report.html.contains("://") && !report.html.contains(" src="))
    #expect(!report.html.contains("@import") && !report.html.contains("url("))
    #expect(report.html.contains("default-src 'none'"))
  }

  @Test func `a run without samples has a report all the same`() {
    let empty = RunReport(RunHistory(), name: "nothing")
    #expect(XMLParser(data: Data(empty.svg.utf8)).parse())
    #expect(empty.html.contains("No metric has a sample."))
    let none = RunReport(Self.history(["loss"], steps: 1), name: "one")
    #expect(XMLParser(data: Data(none.svg.utf8)).parse())
  }

  @Test func `the report holds settings, events, their effects and alarms`() {
    var history = Self.history(["loss"])
    let effect = RunEvent(
      step: 9, wallTime: 9, kind: .effect, by: "run", name: "z_loss", text: "loss −0.2")
    let alarm = RunEvent(
      step: 4, wallTime: 4, kind: .alarm, by: "alarm", name: "loss-spike", text: "loss 9 is high",
      hint: "{: halve the rate")
    history.append(.event(alarm))
    history.append(.event(effect))
    history.append(.settings(TestRun.settings))
    history.append(.description(TestRun.description))
    var description = TestRun.description
    description.environment["seismo_version"] = "1.2.3"
    history.append(.description(description))
    let html = RunReport(history, name: "run").html
    let words = [
      "measured effect", "loss −0.2", "loss 9 is high", "helps: {: halve the rate", "z_loss",
      "<dt>lr</dt><dd>0.01</dd>", "50 of 100 steps",
      "Written by Seismo 1.2.3.",
    ]
    for word in words { #expect(html.contains(word), "\(word)") }
  }
}
