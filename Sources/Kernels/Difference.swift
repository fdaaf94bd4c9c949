/// Sums over the numbers of two vectors, from which their distance and angle follow.
package struct DifferenceSums: Sendable, BitwiseCopyable {
  /// Σ a².
  package var first = 0.0
  /// Σ b².
  package var second = 0.0
  /// Σ a·b.
  package var product = 0.0
  /// Σ (b − a)².
  package var squares = 0.0
  /// The largest |b − a|.
  package var peak: Float = 0

  package init() {}

  package static func += (sum: inout DifferenceSums, part: DifferenceSums) {
    sum.first += part.first
    sum.second += part.second
    sum.product += part.product
    sum.squares += part.squares
    sum.peak = max(sum.peak, part.peak)
  }
}

/// How `count` numbers from `start` on differ in two buffers.
package func difference(
  _ a: FloatBuffer, _ b: FloatBuffer, from start: Int, count: Int
) -> DifferenceSums {
  var total = DifferenceSums()
  forEachSquareBlock(count) { block, length in
    let (x, y) = (a.base + start + block, b.base + start + block)
    total.first += Double(dot(x, x, length))
    total.second += Double(dot(y, y, length))
    total.product += Double(dot(x, y, length))
    var (squares, peak) = (Lanes.zero, Lanes.zero)
    forEachLanes(length) { index, lanes in
      let d = y.lanes(index, count: lanes) - x.lanes(index, count: lanes)
      squares.addProduct(d, d)
      peak = peak.largest(d.size)
    }
    total.squares += Double(squares.sum())
    total.peak = max(total.peak, peak.peak)
  }
  return total
}

/// Writes a − b of the first `count` numbers.
/// - Returns: whether every one of them is finite.
package func subtract(
  _ b: FloatBuffer, from a: FloatBuffer, count: Int, into difference: FloatBuffer
) -> Bool {
  let (x, y, d) = (a.base, b.base, difference.base)
  var largest: UInt32 = 0
  for index in 0..<count {
    d[index] = x[index] - y[index]
    largest = max(largest, d[index].magnitude.bitPattern)
  }
  return largest < Float.infinity.bitPattern
}
