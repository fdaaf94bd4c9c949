import Foundation
import Sweeps
import Testing

@Suite(.timeLimit(.minutes(15)))
struct SizeForecastTests {
  /// Values of ln y = a + b·ln N + c·(ln N)² at sizes.
  private func points(
    _ sizes: [Int], _ a: Double, _ b: Double, _ c: Double, seeds: [Double] = [1]
  ) -> [SizeForecast.Point] {
    sizes.map { size in
      let x = log(Double(size))
      let value = exp(a + b * x + c * x * x)
      return SizeForecast.Point(parameters: size, values: seeds.map { value * $0 })
    }
  }

  private static let sizes = [25_000, 98_304, 393_216, 1_572_864]

  @Test func `a quadratic in logs is found again, and followed to the limit`() throws {
    let forecast = SizeForecast(points(Self.sizes, 3, -0.4, 0.04), limit: 1e4)
    for (found, wanted) in zip(forecast.coefficients, [3, -0.4, 0.04]) {
      #expect(abs(found - wanted) < 1e-6)
    }
    let x = log(try #require(forecast.limitParameters))
    #expect(abs(3 - 0.4 * x + 0.04 * x * x - log(1e4)) < 1e-6)
    let held = try #require(forecast.heldOut)
    #expect(held.parameters == 1_572_864)
    #expect(abs(held.predicted / held.measured - 1) < 1e-6)
    #expect(forecast.doubts.count == 1 && forecast.doubts[0].contains("30 times"))
    let interval = try #require(forecast.interval)
    #expect(abs(interval.low / exp(x) - 1) < 1e-3 && abs(interval.high / exp(x) - 1) < 1e-3)
  }

  @Test func `seeds that differ widen the interval around the size`() throws {
    let forecast = SizeForecast(
      points(Self.sizes, 0, 0.1, 0.02, seeds: [0.8, 1, 1.25]), limit: 300)
    let interval = try #require(forecast.interval)
    let size = try #require(forecast.limitParameters)
    #expect(interval.low < size * 0.98 && interval.high > size * 1.02)
    #expect(
      abs(forecast.points[0].mean - exp(0.1 * log(25_000) + 0.02 * pow(log(25_000), 2))) < 1e-6)
  }

  @Test func `what comes down to a limit is followed downwards`() throws {
    let forecast = SizeForecast(points(Self.sizes, 0, -1, 0), limit: 1e-8)
    let size = try #require(forecast.limitParameters)
    #expect(abs(size / 1e8 - 1) < 1e-3)
  }

  @Test func `a fit that bends back, and few sizes, are told`() {
    let bent = SizeForecast(points(Self.sizes, 0, 1.5, -0.05), limit: 1e9)
    #expect(bent.limitParameters == nil)
    #expect(bent.doubts.contains { $0.contains("bends back") })
    let few = SizeForecast(points([25_000, 98_304], 0, 0.5, 0), limit: 1e4)
    #expect(few.doubts.contains { $0.contains("2 sizes") } && few.heldOut == nil)
    #expect(abs((few.limitParameters ?? 0) / 1e8 - 1) < 1e-6)
    let none = SizeForecast([.init(parameters: 9, values: [.nan, 0])], limit: 1)
    #expect(none.coefficients.isEmpty && none.limitParameters == nil && none.interval == nil)
  }

  @Test func `the step law has the published numbers`() {
    let law = StepLaw(parameters: 4.7e6, tokens: 1e7)
    #expect(abs(law.learningRate - 4.4e-3) < 1e-4 && abs(law.batchTokens - 5800) < 100)
    #expect(!law.isInRange)
    #expect(StepLaw(parameters: 5e8, tokens: 1e10).isInRange)
    #expect(
      StepLaw(parameters: 5e8, tokens: 2e10).learningRate
        > StepLaw(parameters: 1e9, tokens: 2e10).learningRate)
  }
}
