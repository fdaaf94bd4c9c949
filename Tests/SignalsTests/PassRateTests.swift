import Foundation
import Signals
import Testing

/// Rates of tasks that are seldom passed.
@Suite(.timeLimit(.minutes(15)))
struct PassRateTests {
  /// Tries until the r-th pass at a rate, by the geometric law.
  private func tries(_ passes: Int, rate: Double, _ generator: inout SeededGenerator) -> Int {
    (0..<passes).reduce(0) { sum, _ in
      let draw = Double.random(in: 0x1p-53..<1, using: &generator)
      return sum + 1 + Int(log(draw) / log1p(-rate))
    }
  }

  @Test(arguments: [(1, 0.025, 3.69), (2, 0.24, 5.57), (5, 1.62, 10.2), (10, 4.80, 17.1)])
  func `for small rates the interval is the paper's over the tries`(
    passes: Int, low: Double, high: Double
  ) {
    let rate = PassRate(passes: passes, tries: 1_000_000, isReached: true)
    #expect(abs(rate.interval.lowerBound * 1e6 - low) < 0.01 * high)
    #expect(abs(rate.interval.upperBound * 1e6 - high) < 0.01 * high)
  }

  @Test func `no pass says less than three over the tries`() {
    let rate = PassRate(passes: 0, tries: 10_000, isReached: false)
    #expect(rate.estimate == 0 && rate.interval.lowerBound == 0)
    #expect(abs(rate.interval.upperBound * 10_000 - 2.996) < 0.01)
    #expect(PassRate(passes: 3, tries: 3, isReached: true).interval.upperBound == 1)
  }

  @Test(arguments: [0.3, 1e-2, 1e-4])
  func `the estimate has no bias where the share of passes has, and the interval covers`(
    rate: Double
  ) {
    var generator = SeededGenerator(seed: 11)
    var (estimates, shares, covered) = (0.0, 0.0, 0)
    let runs = 2000
    for _ in 0..<runs {
      let result = PassRate(
        passes: 3, tries: tries(3, rate: rate, &generator), isReached: true)
      estimates += result.estimate / Double(runs)
      shares += 3 / Double(result.tries) / Double(runs)
      if result.interval.contains(rate) { covered += 1 }
    }
    // One deviation of the mean is below 1/√2000 of the rate.
    #expect(abs(estimates / rate - 1) < 0.1)
    #expect(shares / rate > 1.15)
    // 95% but for whole numbers; one deviation is 0.5%.
    #expect(Double(covered) / Double(runs) > 0.93)
  }

  @Test func `the first pass alone is worth what the paper's share is not`() {
    var generator = SeededGenerator(seed: 3)
    let rate = 1e-2
    let mean = (0..<4000).reduce(0.0) { sum, _ in
      sum + 1 / Double(tries(1, rate: rate, &generator)) / 4000
    }
    // E[1/K] = p ln(1/p)/(1−p).
    #expect(abs(mean / (rate * log(1 / rate) / (1 - rate)) - 1) < 0.15)
  }

  /// The paper's notebook's parameters, worked exactly.
  private static let mixed = Resampling([
    Resampling.Task(right: 0.87, completeness: 1, soundness: 0.75, weight: 0.58),
    Resampling.Task(right: 0.13, completeness: 1, soundness: 0.75, weight: 0.42),
  ])

  @Test func `accuracy meets its ceiling and does not pass it`() throws {
    let mixed = try #require(Self.mixed)
    let values = [1, 2, 5, 20, 1000].map { mixed.accuracy(tries: $0) }
    #expect(values == values.sorted() && values[0] < 0.56)
    #expect(abs(mixed.ceiling - 0.716) < 0.001)
    #expect(abs(values[4] - mixed.ceiling) < 1e-9)
    #expect(abs(mixed.falsePositives(tries: 1000) + mixed.ceiling - 1) < 1e-9)
  }

  @Test(
    arguments: [
      (0.59, nil), (0.7, 3), (1, 2), (2, 1), (4, 1), (8, 0),
    ] as [(Double, Int?)])
  func `the tries that are worth it are those of the worked example`(cost: Double, tries: Int?)
    throws
  {
    #expect(try #require(Self.mixed).bestTries(falsePositiveCost: cost) == tries)
  }

  @Test func `of one kind of task tries are worth it all or not at all`() throws {
    let one = try #require(
      Resampling([.init(right: 0.3, completeness: 0.9, soundness: 0.8)]))
    #expect(one.bestTries(falsePositiveCost: 1) == nil)
    #expect(one.bestTries(falsePositiveCost: 3) == 0)
    // c·r/(c·r + (1−s)(1−r)) = 0.27/0.41
    #expect(abs(one.ceiling - 0.27 / 0.41) < 1e-12)
    #expect(Resampling([]) == nil)
    #expect(Resampling.Task(right: 0, rightAccepted: 0, wrong: 0, wrongAccepted: 0) == nil)
  }
}
