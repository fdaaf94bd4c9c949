import Testing

@testable import Telemetry

@Suite(.timeLimit(.minutes(15))) struct MetricDefinitionsTests {
  private func definitions(_ environment: [String: String]) -> MetricDefinitions {
    MetricDefinitions(RunDescription(name: "theirs", created: 0, environment: environment))
  }

  @Test func `a name counts before a pattern, and a longer pattern before a shorter one`() {
    let said = definitions([
      "axis *": "tokens", "axis val/*": "epoch", "axis val/loss": "outer/step",
    ])
    #expect(said.axis(of: "val/loss") == "outer/step")
    #expect(said.axis(of: "val/acc") == "epoch")
    #expect(said.axis(of: "grad") == "tokens")
    #expect(said.axisMetrics == ["tokens", "epoch", "outer/step"])
  }

  @Test func `names are the run's own, whatever they are shown as`() {
    let said = definitions([
      "metric loss/eval": "val/loss", "metric epoch": "trainer/epoch",
      "axis val/*": "trainer/epoch", "hidden val/l*": "yes", "summary val/loss": "min,last",
    ])
    #expect(said.axis(of: "loss/eval") == "epoch" && said.axisMetrics == ["epoch"])
    #expect(said.isHidden("loss/eval") && !said.isHidden("val/acc"))
    #expect(said.summary(of: "loss/eval") == ["min", "last"])
  }

  @Test func `what is nested is named with points or with slashes`() {
    let said = definitions(["axis deep.er": "epoch", "hidden a.*": "yes"])
    #expect(said.axis(of: "deep/er") == "epoch" && said.axis(of: "deeper") == nil)
    #expect(said.isHidden("a/b") && said.isHidden("a.b") && !said.isHidden("b/a"))
  }

  @Test func `a run that says nothing has no axes of its own`() {
    let said = definitions(["host": "node", "axis": "epoch"])
    #expect(said.axisMetrics.isEmpty && !said.hidesMetrics)
    #expect(said.axis(of: "loss") == nil && said.summary(of: "loss").isEmpty)
  }
}
