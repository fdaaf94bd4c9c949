import Telemetry
import Testing

@testable import Signals

/// What probes of the rate say above their noise.
@Suite(.timeLimit(.minutes(15))) struct ProbeTrendTests {
  private static let multipliers = MetricCatalog.probeMultipliers

  /// Probes of a curve a·m² − b·m whose errors are e·m; each differs from it as its errors say.
  private func probes(
    _ count: Int = 12, gain: Double, bend: Double, error: Double, seed: UInt64 = 1,
    knowsErrors: Bool = true
  ) -> [ProbeCurve] {
    var generator = SeededGenerator(seed: seed)
    return (0..<count).map { _ in
      let luck = generator.normal()
      let losses = Self.multipliers.map { m in
        2 - gain * m + bend * m * m + error * m * luck
      }
      let errors = Self.multipliers.map { error * $0 }
      return ProbeCurve(losses: losses, errors: knowsErrors ? errors : nil)
    }
  }

  private func trend(_ probes: [ProbeCurve]) throws -> ProbeTrend {
    try #require(ProbeTrend(multipliers: Self.multipliers, probes: probes))
  }

  @Test(arguments: 1...20 as ClosedRange<UInt64>)
  func `noise alone is flat, with errors and without`(seed: UInt64) throws {
    // What a cured run's probes look like at its end.
    for error in [1e-5, 1e-4] {
      for knowsErrors in [true, false] {
        let trend = try trend(
          probes(gain: 0, bend: 0, error: error, seed: seed, knowsErrors: knowsErrors))
        #expect(trend.isFlat, "\(trend)")
        #expect(!trend.multipliers.indices.contains { trend.isAboveFloor($0) })
      }
    }
  }

  @Test(arguments: 1...10 as ClosedRange<UInt64>)
  func `a valley and a cliff are found as ranges, and do not flip`(seed: UInt64) throws {
    // Lowest at 1, back at the start at 2.
    let all = probes(30, gain: 0.02, bend: 0.01, error: 2e-3, seed: seed)
    var trends: [ProbeTrend] = []
    for end in 8...30 { trends.append(try trend(Array(all.prefix(end)))) }
    for trend in trends {
      let best = try #require(trend.best)
      let cliff = try #require(trend.cliff)
      #expect(best.contains(1) && best.upperBound < cliff.lowerBound)
      #expect(cliff.lowerBound >= 2 && cliff.upperBound <= 4)
    }
    let changes = zip(trends, trends.dropFirst()).filter { $0.best != $1.best }.count
    #expect(changes <= 6)
  }

  @Test func `a cliff that some probes do not find has no end`() throws {
    let losses: [Double] = [2, 2, 2, 2, 1.9, 1.8, 1.7, 1.6, 1.5]
    let cliffed: [Double] = [2, 2, 2, 2, 1.9, 1.8, 1.7, 3, .infinity]
    func probe(_ losses: [Double]) -> ProbeCurve {
      ProbeCurve(losses: losses, errors: Self.multipliers.map { 1e-3 * $0 })
    }
    let some = try trend([0, 1, 0, 1, 0, 1, 1, 1].map { probe($0 == 0 ? losses : cliffed) })
    #expect(some.cliff == 8 ... .infinity)
    let few = try trend([0, 1, 0, 0, 0, 1, 0, 0].map { probe($0 == 0 ? losses : cliffed) })
    #expect(few.cliff == nil && few.best?.contains(16) == true)
    #expect(few.rises[8] == -0.5)
    let most = try trend(Array(repeating: probe(cliffed), count: 3))
    #expect(most.rises[8] == .infinity && most.isAboveFloor(8))
    #expect(most.cliff == 8...8)
  }

  @Test func `one probe has its own errors, and without any a hundredth of a nat`() throws {
    let curve = probes(1, gain: 0.02, bend: 0.01, error: 1e-3)
    #expect(try trend(curve).best?.contains(1) == true)
    let bare = try trend([ProbeCurve(losses: curve[0].losses)])
    #expect(bare.floors.dropFirst().allSatisfy { $0 == 0.01 })
    #expect(ProbeTrend(multipliers: Self.multipliers, probes: []) == nil)
    #expect(ProbeTrend(multipliers: [1, 2], probes: [ProbeCurve(losses: [1, 2])]) == nil)
  }

  @Test func `probes are read from a history up to a step, with their errors`() throws {
    var history = RunHistory()
    for (step, probe) in zip([0, 75, 150], probes(3, gain: 0.02, bend: 0.01, error: 1e-3)) {
      var names = Self.multipliers.map { MetricCatalog.probeLoss(multiplier: $0) }
      names += Self.multipliers.dropFirst().map { MetricCatalog.probeError(multiplier: $0) }
      let values = probe.losses + (probe.errors ?? []).dropFirst()
      history.append(.samples(StepSamples(step: step, wallTime: 0, names: names, values: values)))
    }
    let reader = try #require(ProbeReader(history))
    #expect(reader.count(upTo: 80) == 2 && reader.lastStep(upTo: 80) == 75)
    let read = reader.probes(upTo: 1000)
    #expect(read.count == 3)
    #expect(read.last?.errors?.last.map { abs($0 - 0.016) < 1e-6 } == true)
    #expect(ProbeTrend(history, at: 1000) != nil && ProbeReader(RunHistory()) == nil)
  }
}
