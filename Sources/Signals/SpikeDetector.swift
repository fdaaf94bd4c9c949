/// How far a value lies from the recent ones, in their standard deviations.
///
/// The window is the last 1,000 values and needs 100; the value itself is not in it. Values that
/// are not finite never enter. Sums run in double precision about one of the window's own values,
/// so that a constant series has a deviation of exactly 0, and are taken anew once a window.
/// - Cost: constant a value on average.
/// - Source: OLMo 2 (2501.00656), spike score: 7 deviations from the mean of the last 1,000.
package struct SpikeDetector: Sendable, Equatable, Codable {
  package static let threshold = 7.0

  package let capacity: Int
  package let needed: Int
  private var window: [Double] = []
  /// Where the oldest value stands, and the next one goes, once the window is full.
  private var next = 0
  private var origin = 0.0
  private var sum = 0.0
  private var sumOfSquares = 0.0

  package init(capacity: Int = 1000, needed: Int = 100) {
    precondition(needed >= 2 && capacity >= needed, "a window of \(capacity) that needs \(needed)")
    self.capacity = capacity
    self.needed = needed
  }

  package var count: Int { window.count }

  /// Mean of the window; NaN where it is empty.
  package var mean: Double {
    window.isEmpty ? .nan : origin + sum / Double(window.count)
  }

  /// Standard deviation of the window (n − 1); NaN below two values.
  package var deviation: Double {
    guard window.count > 1 else { return .nan }
    let count = Double(window.count)
    return (max(0, sumOfSquares - sum * sum / count) / (count - 1)).squareRoot()
  }

  /// How many deviations `value` lies above the window's mean; NaN while the window is too short.
  /// Above or below a constant window it is infinite.
  package func score(_ value: Double) -> Double {
    guard window.count >= needed, !value.isNaN else { return .nan }
    let distance = value - mean
    return distance == 0 ? 0 : distance / deviation
  }

  /// Scores `value` against the values before it, then takes it in.
  @discardableResult
  package mutating func add(_ value: Double) -> Double {
    let score = score(value)
    guard value.isFinite else { return score }
    if window.isEmpty { origin = value }
    if window.count < capacity {
      window.append(value)
    } else {
      remove(window[next])
      window[next] = value
      next = (next + 1) % capacity
    }
    sum += value - origin
    sumOfSquares += (value - origin) * (value - origin)
    if window.count == capacity, next == 0 { recompute() }
    return score
  }

  private mutating func remove(_ value: Double) {
    sum -= value - origin
    sumOfSquares -= (value - origin) * (value - origin)
  }

  private mutating func recompute() {
    origin = window[next]
    sum = 0
    sumOfSquares = 0
    for value in window {
      sum += value - origin
      sumOfSquares += (value - origin) * (value - origin)
    }
  }
}
