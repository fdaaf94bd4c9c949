import Testing

@testable import Telemetry

@Suite(.timeLimit(.minutes(15))) struct MetricGlobTests {
  @Test(arguments: [
    ("loss", "loss", true), ("loss", "loss/eval", false), ("loss*", "loss/eval", true),
    ("*", "anything/1", true), ("*", "", true), ("", "loss", false),
    ("expert_load/*/3", "expert_load/1/3", true),
    ("expert_load/*/3", "expert_load/1/4", false), ("expert_load/?/3", "expert_load/11/3", false),
    ("*a*b*", "xxaxxbxx", true), ("*ab", "aab", true), ("*ab", "aba", false),
    ("l?ss", "loss", true),
  ])
  func `a pattern matches as in a shell`(pattern: String, name: String, matches: Bool) {
    #expect(MetricGlob(pattern).matches(MetricName(name)) == matches)
  }
}
