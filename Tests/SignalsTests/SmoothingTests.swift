import Foundation
import Testing

@testable import Signals

@Suite(.timeLimit(.minutes(15)))
struct SmoothingTests {
  @Test func `known values: 1, 2, 3 at weight one half`() {
    var average = DebiasedAverage(weight: 0.5)
    let drawn = [1.0, 2, 3].map { average.add($0) }
    #expect(drawn[0] == 1)
    #expect(abs(drawn[1] - (0.25 + 1) / 0.75) < 1e-15)
    #expect(abs(drawn[2] - (0.125 + 0.5 + 1.5) / 0.875) < 1e-15)
  }

  @Test func `it is the weighted mean of all values so far`() {
    let seed = UInt64.random(in: 0 ... .max)
    var generator = SeededGenerator(seed: seed)
    let weight = Double.random(in: 0.1..<0.999, using: &generator)
    var average = DebiasedAverage(weight: weight)
    var values: [Double] = []
    for _ in 0..<200 {
      values.append(3 + generator.normal())
      let drawn = average.add(values[values.count - 1])
      let weights = values.indices.map { pow(weight, Double(values.count - 1 - $0)) }
      let expected = zip(weights, values).reduce(0) { $0 + $1.0 * $1.1 } / weights.reduce(0, +)
      #expect(abs(drawn - expected) < 1e-12, "seed \(seed)")
    }
  }

  @Test func `a constant series is left alone to the bit`() {
    var average = DebiasedAverage(weight: 0.9)
    for _ in 0..<100 { #expect(average.add(0.1) == 0.1) }
    #expect(average.add(0.2) != 0.2)
  }

  @Test func `a value that is not finite passes through and counts for nothing`() {
    var interrupted = DebiasedAverage(weight: 0.6)
    var plain = DebiasedAverage(weight: 0.6)
    #expect(interrupted.value.isNaN)
    #expect(interrupted.add(.nan).isNaN)
    for value in [4.0, 1, 7] {
      #expect(interrupted.add(.infinity) == .infinity)
      #expect(interrupted.add(value) == plain.add(value))
    }
  }

  @Test func `weight 0 draws the values`() {
    var average = DebiasedAverage(weight: 0)
    for value in [5.0, -3, 2.25] { #expect(average.add(value) == value) }
  }

  @Test func `it continues from its coded form to the bit`() throws {
    var average = DebiasedAverage(weight: 0.97)
    for index in 0..<50 { average.add(sin(Double(index))) }
    let coded = try JSONEncoder().encode(average)
    var copy = try JSONDecoder().decode(DebiasedAverage.self, from: coded)
    #expect(copy.add(0.3).bitPattern == average.add(0.3).bitPattern)
  }

  /// Losses that fall by power laws and exponentials, with noise and now and then a jump.
  private static func fallingLoss(_ generator: inout SeededGenerator, count: Int) -> [Double] {
    let scale = Double.random(in: 0.5...6, using: &generator)
    let decay = Double.random(in: 5...400, using: &generator)
    let noise = Double.random(in: 0.02...0.2, using: &generator)
    let drop = Int.random(in: 0..<count * 2, using: &generator)
    let isPower = Bool.random(using: &generator)
    return (0..<count).map { step in
      let fall = isPower ? pow(1 + Double(step) / decay, -1.5) : exp(-Double(step) / decay)
      return 1 + scale * fall + (step < drop ? 1 : 0) + noise * generator.normal()
    }
  }

  @Test(arguments: [0.6, 0.9, 0.97, 0.99, 0.997])
  func `the line lies within the values around it from the first step on`(weight: Double) {
    let seed = UInt64.random(in: 0 ... .max)
    var generator = SeededGenerator(seed: seed)
    for _ in 0..<10 {
      let values = Self.fallingLoss(&generator, count: 1_200)
      var average = TrailingAverage(weight: weight)
      let drawn = values.map { average.add($0) }
      let outside = values.indices.first { step in
        let window = min(1 / (1 - weight), Double(step + 15) / 15)
        let reach = Int((2 * window).rounded(.up))
        let near = values[max(0, step - reach)...min(values.count - 1, step + reach)]
        return drawn[step] < (near.min() ?? 0) || drawn[step] > (near.max() ?? 0)
      }
      #expect(outside == nil, "seed \(seed)")
    }
  }

  @Test func `in the first third it lies among the values, not above all of them`() {
    let seed = UInt64.random(in: 0 ... .max)
    var generator = SeededGenerator(seed: seed)
    for _ in 0..<20 {
      let values = (0..<900).map { 0.9 + 5 * exp(-Double($0) / 60) + 0.1 * generator.normal() }
      var average = TrailingAverage(weight: 0.97)
      let drawn = values.map { average.add($0) }
      let above = (20..<300).filter { step in
        values[step - 5...step + 5].allSatisfy { $0 < drawn[step] }
      }
      #expect(above.count <= 28, "seed \(seed)")
    }
  }

  @Test func `after its start it is the exponential average`() {
    var generator = SeededGenerator(seed: 9)
    var average = TrailingAverage(weight: 0.9)
    var debiased = DebiasedAverage(weight: 0.9)
    for step in 0..<1_000 {
      let value = 3 + generator.normal()
      let (drawn, expected) = (average.add(value), debiased.add(value))
      if step > 300 { #expect(abs(drawn - expected) < 1e-9) }
    }
  }

  @Test func `constant values are left alone and what is not finite passes through`() {
    var average = TrailingAverage(weight: 0.97)
    for _ in 0..<100 { #expect(average.add(0.1) == 0.1) }
    #expect(average.add(.nan).isNaN && average.add(.infinity) == .infinity)
    #expect(average.add(0.1) == 0.1)
  }

  @Test func `extending by pieces equals smoothing at once`() {
    var generator = SeededGenerator(seed: 5)
    var series = Series()
    var growing = SmoothedSeries(weight: 0.9)
    for step in 0..<300 {
      series.append(step: step, value: generator.normal())
      if step % 7 == 0 { growing.update(with: series) }
    }
    growing.update(with: series)
    var whole = SmoothedSeries(weight: 0.9)
    whole.update(with: series)
    #expect(growing.values == whole.values)
    #expect(growing.values.count == series.count)
  }

  @Test func `it starts anew when the series was cut, even if it has grown longer since`() {
    var series = Series(steps: Array(0..<50), values: (0..<50).map { Double($0) })
    var smoothed = SmoothedSeries(weight: 0.9)
    smoothed.update(with: series)
    _ = series.cut(from: 20)
    for step in 20..<80 { series.append(step: step, value: -Double(step)) }
    smoothed.update(with: series)
    var whole = SmoothedSeries(weight: 0.9)
    whole.update(with: series)
    #expect(smoothed.values == whole.values)
  }

  @Test func `it starts anew when the last value was replaced or the series is another`() {
    var series = Series(steps: [0, 1], values: [1, 2])
    var smoothed = SmoothedSeries(weight: 0.5)
    smoothed.update(with: series)
    series.append(step: 1, value: 5)
    smoothed.update(with: series)
    #expect(smoothed.values[1] == 4.75)
    smoothed.update(with: Series(steps: [7], values: [3]))
    #expect(smoothed.values == [3])
    smoothed.update(with: Series())
    #expect(smoothed.values.isEmpty)
  }
}
