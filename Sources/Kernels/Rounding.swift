/// What rounding some numbers to a format cost them.
package struct RoundingError: Sendable, BitwiseCopyable {
  /// Σ (x − q)².
  package var squares = 0.0
  /// Numbers other than 0 that became 0.
  package var flushed = 0

  package init() {}

  package static func += (sum: inout RoundingError, part: RoundingError) {
    sum.squares += part.squares
    sum.flushed += part.flushed
  }
}

/// The largest magnitude of each group; a last group may be shorter. NaN counts for nothing.
///
/// - Shapes: `values` of `count` numbers from `start` on, in groups of `group`; `peaks`, overwritten,
///   one a group
package func groupPeaks(
  _ values: FloatBuffer, from start: Int, count: Int, group: Int, into peaks: FloatBuffer
) {
  var index = 0
  for first in stride(from: 0, to: count, by: group) {
    peaks.base[index] = peak(values.base + start + first, min(group, count - first))
    index += 1
  }
}

/// The largest magnitude of `count` numbers from `start` on. NaN counts for nothing.
package func peak(_ values: FloatBuffer, from start: Int, count: Int) -> Float {
  peak(values.base + start, count)
}

func peak(_ x: UnsafeMutablePointer<Float>, _ count: Int) -> Float {
  var largest = Lanes.zero
  forEachLanes(count) { index, lanes in
    largest = largest.largest(x.lanes(index, count: lanes).size)
  }
  return largest.peak
}

/// What rounding to a format costs, each group scaled by its peak.
///
/// y = x·limit/peak, q the format's nearest to y; errors are counted in y and scaled in Float64, so
/// that neither tiny nor huge numbers leave the range on the way.
/// - Shapes: as for ``groupPeaks(_:from:count:group:into:)``; `peaks`, the first at `firstPeak`
/// - Cost: 10 (integers) to 35 (NF4) operations a number, no allocation
package func roundingError(
  _ values: FloatBuffer, from start: Int, count: Int, group: Int, peaks: FloatBuffer,
  firstPeak: Int = 0, to format: NumberFormat
) -> RoundingError {
  let groups = Groups(
    values: values.base + start, count: count, group: group, peaks: peaks.base + firstPeak,
    limit: format.limit)
  return switch format {
  case .int8, .int4: groups.error { $0.nearestInteger }
  case .e4m3: groups.error { $0.nearestFloat(mantissa: 3, least: -6) }
  case .e5m2: groups.error { $0.nearestFloat(mantissa: 2, least: -14) }
  case .nf4: groups.error { $0.nearestNF4 }
  case .fp4: groups.error { $0.nearestFP4 }
  }
}

/// Puts each number's nearest in a format in its place, each group scaled by its peak.
///
/// - Shapes: as for ``roundingError(_:from:count:group:peaks:firstPeak:to:)``
package func round(
  _ values: FloatBuffer, from start: Int, count: Int, group: Int, peaks: FloatBuffer,
  to format: NumberFormat
) {
  let groups = Groups(
    values: values.base + start, count: count, group: group, peaks: peaks.base,
    limit: format.limit)
  switch format {
  case .int8, .int4: groups.replace { $0.nearestInteger }
  case .e4m3: groups.replace { $0.nearestFloat(mantissa: 3, least: -6) }
  case .e5m2: groups.replace { $0.nearestFloat(mantissa: 2, least: -14) }
  case .nf4: groups.replace { $0.nearestNF4 }
  case .fp4: groups.replace { $0.nearestFP4 }
  }
}

private struct Groups {
  let values: UnsafeMutablePointer<Float>
  let count: Int
  let group: Int
  let peaks: UnsafeMutablePointer<Float>
  let limit: Float

  /// How a group comes into a format's range: x·lift·factor. The lift is a power of two that keeps
  /// the quotient of limit and peak a normal number.
  private struct Scale {
    let lift: Lanes
    let factor: Lanes
    /// y to x.
    let step: Double

    @inline(__always)
    init(peak: Float, limit: Float) {
      let power: Float = peak < 0x1p-100 ? 0x1p100 : peak > 0x1p100 ? 0x1p-100 : 1
      lift = Lanes(repeating: power)
      factor = Lanes(repeating: limit / (peak * power))
      step = Double(peak) / Double(limit)
    }
  }

  @inline(__always)
  private func forEach(
    _ body: (_ x: UnsafeMutablePointer<Float>, _ count: Int, _ scale: Scale) -> Void
  ) {
    var index = 0
    for first in stride(from: 0, to: count, by: group) {
      defer { index &+= 1 }
      // Zeros are 0 in every format.
      guard peaks[index] > 0 else { continue }
      body(values + first, min(group, count - first), Scale(peak: peaks[index], limit: limit))
    }
  }

  @inline(__always)
  func error(_ nearest: (Lanes) -> Lanes) -> RoundingError {
    var total = RoundingError()
    forEach { x, count, scale in
      forEachSquareBlock(count) { block, length in
        var (squares, flushed) = (Lanes.zero, SIMD8<Int32>.zero)
        forEachLanes(length) { offset, lanes in
          let x = x.lanes(block &+ offset, count: lanes)
          let y = x * scale.lift * scale.factor
          let q = nearest(y)
          let error = y - q
          squares.addProduct(error, error)
          let isLost = (q .== 0) .& (x .!= 0)
          flushed = flushed.replacing(with: flushed &+ 1, where: isLost)
        }
        total.squares += Double(squares.sum()) * scale.step * scale.step
        total.flushed += Int(flushed.wrappedSum())
      }
    }
    return total
  }

  @inline(__always)
  func replace(_ nearest: (Lanes) -> Lanes) {
    forEach { x, count, scale in
      let step = Lanes(repeating: Float(scale.step))
      forEachLanes(count) { index, lanes in
        let y = x.lanes(index, count: lanes) * scale.lift * scale.factor
        x.store(nearest(y) * step, index, count: lanes)
      }
    }
  }
}
