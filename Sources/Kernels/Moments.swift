/// Central moments of some numbers, so that those of parts give those of the whole.
///
/// - Source: Pébay 2008 (SAND2008-6212), the pairwise updates.
package struct Moments: Sendable, BitwiseCopyable {
  package private(set) var count = 0
  /// Those that are NaN or infinite; the others' moments are not measured where there are some.
  package private(set) var nonFinite = 0
  /// The largest magnitude of those that are numbers.
  package private(set) var peak: Float = 0
  package private(set) var mean = 0.0
  /// Σ (x − mean)ᵏ.
  private var second = 0.0
  private var third = 0.0
  private var fourth = 0.0

  package init() {}

  /// The root of the mean square.
  package var rootMeanSquare: Double {
    count > 0 ? (second / Double(count) + mean * mean).squareRoot() : 0
  }

  /// The fourth central moment over the squared variance: 3 for a normal distribution. NaN where all
  /// numbers are equal.
  package var kurtosis: Double {
    second > 0 ? Double(count) * fourth / (second * second) : .nan
  }

  package mutating func add(_ other: Moments) {
    nonFinite += other.nonFinite
    peak = max(peak, other.peak)
    guard other.count > 0 else { return }
    let (a, b, n) = (Double(count), Double(other.count), Double(count + other.count))
    let d = other.mean - mean
    fourth +=
      other.fourth + d * d * d * d * a * b * (a * a - a * b + b * b) / (n * n * n)
      + 6 * d * d * (a * a * other.second + b * b * second) / (n * n)
      + 4 * d * (a * other.third - b * third) / n
    third +=
      other.third + d * d * d * a * b * (a - b) / (n * n)
      + 3 * d * (a * other.second - b * second) / n
    second += other.second + d * d * a * b / n
    mean += d * b / n
    count += other.count
  }
}

/// The moments of `count` numbers from `start` on.
///
/// In units of the largest magnitude, so that no power leaves the range; short sums in Float32, the
/// rest in Float64.
package func moments(_ values: FloatBuffer, from start: Int, count: Int) -> Moments {
  var total = Moments()
  var first = 0
  while first < count {
    let length = min(4096, count - first)
    total.add(Moments(values.base + start + first, length))
    first += length
  }
  return total
}

extension Moments {
  fileprivate init(_ x: UnsafeMutablePointer<Float>, _ count: Int) {
    self.count = count
    guard isFinite(x, count) else {
      for index in 0..<count {
        if x[index].isFinite { peak = max(peak, abs(x[index])) } else { nonFinite += 1 }
      }
      return
    }
    peak = Kernels.peak(x, count)
    guard peak > 0 else { return }
    // A power of two, so that nothing is rounded.
    let unit = Float(sign: .plus, exponent: min(max(peak.exponent, -120), 120), significand: 1)
    var sum = 0.0
    forEachStretch(x, count, 1 / unit) { y, _ in sum += Double(y.sum()) }
    let middle = sum / Double(count)
    let shift = Lanes(repeating: Float(middle))
    var (one, two, three, four) = (0.0, 0.0, 0.0, 0.0)
    forEachStretch(x, count, 1 / unit) { y, lanes in
      var d = y - shift
      for lane in lanes..<8 { d[lane] = 0 }
      let square = d * d
      one += Double(d.sum())
      two += Double(square.sum())
      three += Double((square * d).sum())
      four += Double((square * square).sum())
    }
    // About the rounded mean so far.
    let (n, scale) = (Double(count), Double(unit))
    let rest = one / n
    mean = (Double(shift[0]) + rest) * scale
    second = max(two - n * rest * rest, 0) * scale * scale
    third = (three - 3 * rest * two + 2 * n * rest * rest * rest) * scale * scale * scale
    fourth = max(
      four - 4 * rest * three + 6 * rest * rest * two - 3 * n * rest * rest * rest * rest, 0)
    fourth *= scale * scale * scale * scale
  }
}

/// Whether each is a number: 0 times anything else is NaN.
private func isFinite(_ x: UnsafeMutablePointer<Float>, _ count: Int) -> Bool {
  var sum = Lanes.zero
  forEachLanes(count) { index, lanes in sum.addProduct(x.lanes(index, count: lanes), Lanes.zero) }
  return sum.sum() == 0
}

@inline(__always)
private func forEachStretch(
  _ x: UnsafeMutablePointer<Float>, _ count: Int, _ factor: Float,
  _ body: (_ y: Lanes, _ lanes: Int) -> Void
) {
  let factor = Lanes(repeating: factor)
  forEachLanes(count) { index, lanes in body(x.lanes(index, count: lanes) * factor, lanes) }
}
