import Foundation
import Testing

@testable import Signals

@Suite(.timeLimit(.minutes(15)))
struct LogitGrowthTests {
  private func series(_ steps: Range<Int>, _ value: (Double) -> Double) -> Series {
    Series(steps: Array(steps), values: steps.map { value(Double($0)) })
  }

  /// From the last steps that count, as those who ask for it take them.
  private func forecast(_ series: Series, remainingSteps: Int? = nil) -> LogitGrowth? {
    guard let last = series.lastStep else { return LogitGrowth(steps: [], values: []) }
    let start = series.index(atOrAfter: last - LogitGrowth.window + 1)
    let (steps, values) = series.samples(in: start..<series.count)
    return LogitGrowth(steps: steps[...], values: values[...], remainingSteps: remainingSteps)
  }

  @Test func `exact doubling is found and forecast exactly`() throws {
    let growth = try #require(forecast(series(0..<401) { 100 * pow(2, $0 / 96) }))
    #expect(abs(growth.doublingSteps - 96) < 1e-6)
    let expected = 96.0 * log2(100.0) - 400
    #expect(abs(growth.stepsUntilLevel - expected) < 1e-6)
    #expect(abs(growth.present - 100 * pow(2, 400.0 / 96)) < 1e-3)
  }

  @Test func `noise and single outliers move the forecast little`() throws {
    let seed = UInt64.random(in: 0 ... .max)
    var generator = SeededGenerator(seed: seed)
    var noisy = Series()
    for step in 0..<400 {
      let clean = 100 * pow(2, Double(step) / 96)
      let outlier = step % 37 == 5 ? 50.0 : 1
      noisy.append(step: step, value: clean * exp(0.05 * generator.normal()) * outlier)
    }
    let growth = try #require(forecast(noisy), "seed \(seed)")
    let expected = 96.0 * log2(100.0) - 399
    #expect(abs(growth.stepsUntilLevel - expected) < 120, "seed \(seed)")
    #expect(growth.doublingSteps > 75 && growth.doublingSteps < 150, "seed \(seed)")
  }

  @Test func `level ground, decline and pure noise are no growth`() {
    var generator = SeededGenerator(seed: 3)
    #expect(forecast(series(0..<400) { _ in 500 }) == nil)
    #expect(forecast(series(0..<400) { 5000 * exp(-$0 / 300) }) == nil)
    var quiet = 0
    for _ in 0..<50 {
      let noise = (0..<300).map { _ in 500 * exp(0.3 * generator.normal()) }
      quiet += forecast(Series(steps: Array(0..<300), values: noise)) == nil ? 1 : 0
    }
    #expect(quiet == 50)
  }

  @Test func `a jump from one level to another is no growth`() {
    for step in stride(from: 210, through: 390, by: 5) {
      #expect(forecast(series(0..<400) { $0 < Double(step) ? 40 : 2000 }) == nil)
    }
  }

  @Test func `too few points say nothing`() {
    #expect(forecast(Series()) == nil)
    #expect(forecast(series(0..<100) { 100 * pow(2, $0 / 20) }) == nil)
    #expect(forecast(series(0..<160) { 100 * pow(2, $0 / 40) }) != nil)
  }

  @Test func `beyond 2,000 steps or the run's end is no forecast`() {
    #expect(forecast(series(0..<400) { 5 * pow(2, $0 / 1000) }) == nil)
    let growing = series(0..<401) { 100 * pow(2, $0 / 96) }
    #expect(forecast(growing, remainingSteps: 100) == nil)
    #expect(forecast(growing, remainingSteps: 300) != nil)
  }

  @Test func `growth that slows is forecast to go on slowing`() throws {
    func slowing(to ceiling: Double) -> Series {
      series(0..<400) { exp(log(ceiling) - log(ceiling / 5) * exp(-$0 / 250)) }
    }
    #expect(forecast(slowing(to: 6000)) == nil)
    let growth = try #require(forecast(slowing(to: 20_000)))
    let crossing = -250 * log(log(2) / log(20_000.0 / 5))
    #expect(abs(399 + growth.stepsUntilLevel - crossing) < 30)
  }

  @Test func `growth that has come to rest is not forecast by its past`() {
    let saturated = series(0..<400) { $0 < 300 ? 100 * pow(2, $0 / 96) : 872 }
    #expect(forecast(saturated) == nil)
  }

  @Test func `values that have no logarithm are left out`() throws {
    var series = Series()
    for step in 0..<400 {
      let value = [.nan, .infinity, 0, -3, 100 * pow(2, Double(step) / 96)][step % 5]
      series.append(step: step, value: value)
    }
    let growth = try #require(forecast(series))
    #expect(abs(growth.doublingSteps - 96) < 1e-6)
  }

  @Test func `above the level already is 0 steps`() throws {
    let growth = try #require(forecast(series(0..<400) { 9000 * pow(2, $0 / 96) }))
    #expect(growth.stepsUntilLevel == 0)
  }
}
