import Telemetry
import Testing

@testable import Signals

@Suite(.timeLimit(.minutes(15)))
struct LearningRateSensitivityTests {
  @Test func `known values with a cliff`() {
    let probe = LearningRateSensitivity(
      multipliers: [0, 0.5, 1, 2, 4], losses: [3, 2.5, 2, 3.5, 9], initialLoss: 6)
    #expect(abs(probe.sensitivity - (1 + 0.5 + 0 + 1.5 + 4) / 5) < 1e-15)
    #expect(probe.bestMultiplier == 1)
    #expect(probe.cliff == 2)
  }

  @Test func `a loss that is not finite counts as the initial one and is a cliff`() {
    let probe = LearningRateSensitivity(
      multipliers: [0, 1, 2], losses: [3, 2, .nan], initialLoss: 6)
    #expect(abs(probe.sensitivity - (1 + 0 + 4) / 3.0) < 1e-15)
    #expect(probe.cliff == 2)
  }

  @Test func `a curve that only falls has no cliff`() {
    let probe = LearningRateSensitivity(
      multipliers: [0, 1, 2], losses: [3, 2, 1], initialLoss: 6)
    #expect(probe.bestMultiplier == 2)
    #expect(probe.cliff == nil)
  }

  @Test func `the rise must pass the loss without an update`() {
    let probe = LearningRateSensitivity(
      multipliers: [0, 1, 2, 4], losses: [3, 2, 3, 3.01], initialLoss: 6)
    #expect(probe.cliff == 4)
  }

  @Test func `where every loss is lost there is neither best nor cliff`() {
    let probe = LearningRateSensitivity(
      multipliers: [0, 1], losses: [.nan, .infinity], initialLoss: 6)
    #expect(probe.sensitivity == 0)
    #expect(probe.bestMultiplier == nil)
    #expect(probe.cliff == nil)
  }

  @Test func `without multiplier 0 there is no cliff to measure from`() {
    let probe = LearningRateSensitivity(multipliers: [1, 2], losses: [1, 9], initialLoss: 6)
    #expect(probe.cliff == nil)
  }

  @Test func `it lies between 0 and the initial loss and a flat curve has none`() {
    let seed = UInt64.random(in: 0 ... .max)
    var generator = SeededGenerator(seed: seed)
    for _ in 0..<200 {
      let losses = (0..<9).map { _ in Double.random(in: 0.5...12, using: &generator) } + [1]
      let probe = LearningRateSensitivity(
        multipliers: MetricCatalog.probeMultipliers + [32], losses: losses, initialLoss: 6)
      #expect(probe.sensitivity >= 0 && probe.sensitivity <= 6, "seed \(seed)")
      let best = probe.multipliers.firstIndex { $0 == probe.bestMultiplier }
      #expect(best.map { losses[$0] } == losses.min(), "seed \(seed)")
    }
    let flat = LearningRateSensitivity(
      multipliers: [0, 1, 2], losses: [2, 2, 2], initialLoss: 6)
    #expect(flat.sensitivity == 0)
  }

  @Test func `the latest complete probe of a history is read`() throws {
    var history = RunHistory()
    let names = MetricCatalog.probeMultipliers.map { MetricCatalog.probeLoss(multiplier: $0) }
    func probe(_ step: Int, _ base: Double) -> RunRecord {
      .samples(
        StepSamples(
          step: step, wallTime: 0, names: names,
          values: names.indices.map { base + abs(Double($0) - 3) }))
    }
    history.append(probe(10, 1))
    #expect(LearningRateSensitivity(latestIn: history) == nil)
    history.append(.description(RunDescription(name: "a", created: 0, initialLoss: 6)))
    history.append(probe(20, 2))
    let latest = try #require(LearningRateSensitivity(latestIn: history))
    #expect(latest.losses.min() == 2)
    #expect(latest.bestMultiplier == 0.5)
    #expect(latest.cliff == 8)
  }
}
