/// z = c·tanh(scale·s/c): near z = scale·s for small logits, and never beyond ±c.
///
/// - Source: Gemma 2 (2024), with c = 50 on attention logits and 30 on output logits
struct SoftCap {
  private let scale: Lanes
  private let inner: Lanes
  private let cap: Lanes
  private let reciprocal: Lanes

  init(_ cap: Float, scale: Float = 1) {
    self.scale = Lanes(repeating: scale)
    inner = Lanes(repeating: scale / cap)
    self.cap = Lanes(repeating: cap)
    reciprocal = Lanes(repeating: 1 / cap)
  }

  @inline(__always)
  func capped(_ s: Lanes) -> Lanes { cap * (s * inner).tanh }

  /// dz/ds, from z.
  @inline(__always)
  func slope(_ z: Lanes) -> Lanes {
    let share = z * reciprocal
    return scale * (1 - share * share)
  }

  /// Caps a row in place.
  /// - Returns: the row's largest s·scale, before the cap.
  @inline(__always)
  func apply(_ row: UnsafeMutablePointer<Float>, _ count: Int) -> Float {
    var largest = -Float.infinity
    for index in 0..<count where row[index] > largest { largest = row[index] }
    forEachLanes(count) { index, lanes in
      row.store(capped(row.lanes(index, count: lanes)), index, count: lanes)
    }
    return largest * scale[0]
  }

  /// The slopes of a capped row.
  @inline(__always)
  func slopes(
    _ row: UnsafePointer<Float>, into slopes: UnsafeMutablePointer<Float>, _ count: Int
  ) {
    for index in 0..<count {
      let share = row[index] * reciprocal[0]
      slopes[index] = scale[0] * (1 - share * share)
    }
  }

  /// The capped twin of attention's gradient of a row: raw scores become probabilities p, and dp
  /// becomes p·(dp − shared)·dz/ds; zero where masked.
  @inline(__always)
  func scoreGradients(
    _ scores: UnsafeMutablePointer<Float>, _ dScores: UnsafeMutablePointer<Float>, valid: Int,
    columns: Int, logSumExp: Float, shared: Float
  ) {
    forEachLanes(valid) { index, lanes in
      let z = capped(scores.lanes(index, count: lanes))
      let p = (z - Lanes(repeating: logSumExp)).exponential
      let centred = dScores.lanes(index, count: lanes) - Lanes(repeating: shared)
      scores.store(p, index, count: lanes)
      dScores.store(centred * (p * slope(z)), index, count: lanes)
    }
    for index in valid..<columns {
      scores[index] = 0
      dScores[index] = 0
    }
  }
}

/// Caps logits in place: z = c·tanh(z/c).
///
/// - Parameters: `cap` is c; nothing happens where it is 0
package func capLogits(_ logits: Matrix, at cap: Float) {
  guard cap > 0 else { return }
  let softCap = SoftCap(cap)
  for row in 0..<logits.rows { _ = softCap.apply(logits.row(row), logits.columns) }
}

extension SIMD8<Float> {
  /// The hyperbolic tangent, within a few units in the last place; ±1 beyond ±7.9. NaN stays NaN.
  ///
  /// x·P(x²)/Q(x²), exact in the small, where 1 − 2/(e²ˣ + 1) would cancel.
  /// - Source: the coefficients of Eigen's `ptanh`
  @inline(__always)
  var tanh: Lanes {
    let edge = Lanes(repeating: 7.905_311_1)
    let low = replacing(with: -edge, where: self .< -edge)
    let x = low.replacing(with: edge, where: low .> edge)
    let square = x * x
    var p = Lanes(repeating: 2.000_187_9e-13)
      .addingProduct(square, Lanes(repeating: -2.760_768_5e-16))
    p = Lanes(repeating: -8.604_671_5e-11).addingProduct(square, p)
    p = Lanes(repeating: 5.122_297_1e-8).addingProduct(square, p)
    p = Lanes(repeating: 1.485_722_36e-5).addingProduct(square, p)
    p = Lanes(repeating: 6.372_619_3e-4).addingProduct(square, p)
    p = Lanes(repeating: 4.893_524_56e-3).addingProduct(square, p)
    var q = Lanes(repeating: 1.185_347_06e-4)
      .addingProduct(square, Lanes(repeating: 1.198_258_39e-6))
    q = Lanes(repeating: 2.268_434_63e-3).addingProduct(square, q)
    q = Lanes(repeating: 4.893_525_19e-3).addingProduct(square, q)
    return x * p / q
  }
}
