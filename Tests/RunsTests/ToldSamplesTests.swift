import Telemetry
import Testing

@testable import Runs

/// A source that tells all of it again.
@Suite(.timeLimit(.minutes(15))) struct ToldSamplesTests {
  private func row(_ step: Int, _ names: [MetricName] = ["loss"]) -> RunRecord {
    .samples(
      StepSamples(
        step: step, wallTime: 0, names: names, values: names.map { _ in Double(step) }))
  }

  private func words(_ records: [RunRecord]) -> [String] {
    records.map { record in
      switch record {
      case .samples(let samples):
        "\(samples.step) \(samples.names.map(\.path).joined(separator: ","))"
      case .generation(let step): "generation \(step)"
      case .console(_, let line): line
      default: "other"
      }
    }
  }

  @Test func `what was told is not told again, wherever it breaks off`() {
    let all: [RunRecord] = [
      row(0), .console(wallTime: 0, line: "a"), row(1, ["loss", "acc"]), .generation(startingAt: 1),
      row(1), .console(wallTime: 0, line: "b"), row(2, ["acc"]), row(2),
    ]
    for first in 0...all.count {
      for second in 0...all.count {
        var told = ToldSamples()
        var heard = told.unsaid(next: Array(all[..<first]))
        told.beginAgain()
        heard += told.unsaid(next: Array(all[..<second]))
        told.beginAgain()
        heard += told.unsaid(next: all)
        #expect(
          words(heard).filter { !$0.hasPrefix("generation") }
            == words(all).filter { !$0.hasPrefix("generation") }, "\(first) \(second)")
      }
    }
  }
}
