/// The line that a chart draws through noisy values: an exponential average that neither leans
/// towards a start at 0 nor trails behind a run that has just begun.
///
/// s ← s + a·(y − s) with a = max(1 − w, 15 / (n + 14)) over the n finite values so far, so that its
/// window is at most a fifteenth of the run: a loss falls fastest at the start, where a window of fixed
/// length still holds values that no step near it has. What is drawn lies within the range of the
/// values of its last two windows. A value that is not finite is drawn as it is and counts for
/// nothing; a series that has been constant so far is drawn as it is, without rounding.
/// - Cost: constant a value, on average.
package struct TrailingAverage: Sendable {
  /// w: the share that the past keeps at each value, from 0 (no smoothing) to just below 1.
  package let weight: Double
  /// A window is at most one in so many values.
  private static let shortening = 15.0

  private var count: Int
  private var average: Double?
  private var lowest = RunningExtreme(isMinimum: true)
  private var highest = RunningExtreme(isMinimum: false)

  /// `count` values lie before the first that is added: a line may begin inside a run.
  package init(weight: Double, count: Int = 0) {
    precondition(weight >= 0 && weight < 1, "smoothing weight \(weight) is not in 0..<1")
    self.weight = weight
    self.count = count
  }

  /// Takes one value in and returns what is drawn for it.
  @discardableResult
  package mutating func add(_ value: Double) -> Double {
    guard value.isFinite else { return value }
    count += 1
    let gain = max(1 - weight, Self.shortening / (Double(count) + Self.shortening - 1))
    let last = average ?? value
    let next = last + min(1, gain) * (value - last)
    average = next
    let length = Int((2 / gain).rounded(.up))
    let low = lowest.add(value, at: count, length: length)
    let high = highest.add(value, at: count, length: length)
    return min(max(next, low), high)
  }
}

/// The least or the greatest of the last values.
private struct RunningExtreme: Sendable {
  let isMinimum: Bool
  /// Those that may still become it, each nearer to the middle than the one before.
  private var candidates: [(place: Int, value: Double)] = []
  private var first = 0

  init(isMinimum: Bool) { self.isMinimum = isMinimum }

  /// Of the last `length` values, the one at `place` among them.
  mutating func add(_ value: Double, at place: Int, length: Int) -> Double {
    while candidates.count > first, let last = candidates.last,
      isMinimum ? last.value >= value : last.value <= value
    {
      candidates.removeLast()
    }
    candidates.append((place, value))
    while candidates[first].place <= place - length { first += 1 }
    if first > 64, first * 2 > candidates.count {
      candidates.removeFirst(first)
      first = 0
    }
    return candidates[first].value
  }
}
