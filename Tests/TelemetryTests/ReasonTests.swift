import Glibc
import Testing

@testable import Telemetry

@Suite(.timeLimit(.minutes(15))) struct ReasonTests {
  private func refusal(_ words: String, _ reason: String) -> RunEvent {
    RunEvent(refusing: words, because: reason, by: "you", step: 7, wallTime: 1)
  }

  @Test(arguments: [
    ("pause", "the run is paused"), ("set lr.multiplier 0.5", "refused: set is refused: no"),
    ("checkpoint now", ""),
  ])
  func `a refusal's reason is what it was given, and its text tells both`(
    words: String, reason: String
  ) {
    let event = refusal(words, reason)
    #expect(event.text == "\(words) refused: \(reason)")
    #expect(event.reason == reason && event.name == words && event.kind == .refused)
    #expect(
      CommandAnswer([event], step: 7) == CommandAnswer(isApplied: false, step: 7, text: reason))
  }

  @Test func `another trainer's refusal and a fault are told as they are`() {
    var event = refusal("pause", "x")
    event.text = "not now"
    #expect(event.reason == "not now")
    event.kind = .fault
    event.text = "pause refused: the disk is full"
    #expect(event.reason == "pause refused: the disk is full")
  }

  @Test func `a name's tensor says where in the model it is`() {
    let names: [(String, Int?, Int?, Substring)] = [
      ("grad_rms/L3.E12.up", 3, 12, "up"), ("grad_rms/L0.qkv", 0, nil, "qkv"),
      ("grad_rms/embed", nil, nil, "embed"), ("grad_rms/Lx.up", nil, nil, "Lx.up"),
      ("grad_rms/L3", nil, nil, "L3"), ("grad_rms", nil, nil, ""),
    ]
    for (name, layer, expert, part) in names {
      let place = MetricCatalog.tensorPlace(of: MetricName(name), stem: "grad_rms")
      #expect(place.layer == layer && place.expert == expert && place.part == part, "\(name)")
    }
  }

  @Test func `what stands in the environment has the words that files have`() {
    var environment = ["seismo_version": "1", "metric loss": "lm loss"]
    #expect(environment[.version] == "1" && environment[.original(of: "loss")] == "lm loss")
    environment[.project] = "p"
    #expect(environment["project"] == "p")
  }
}
