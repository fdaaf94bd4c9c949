#if arch(x86_64)
  internal import _Builtin_intrinsics.intel
#endif

/// Eight numbers at a time: an AVX register, four SSE or NEON ones elsewhere.
typealias Lanes = SIMD8<Float>

extension UnsafeMutablePointer<Float> {
  @inline(__always)
  func lanes(_ index: Int) -> Lanes {
    UnsafeRawPointer(self + index).loadUnaligned(as: Lanes.self)
  }

  @inline(__always)
  func store(_ lanes: Lanes, _ index: Int) {
    UnsafeMutableRawPointer(self + index).storeBytes(of: lanes, as: Lanes.self)
  }

  /// The first `count` of eight; zeros for the rest, so that a sum over lanes stays right.
  @inline(__always)
  func lanes(_ index: Int, count: Int) -> Lanes {
    if count == Lanes.scalarCount { return lanes(index) }
    var result = Lanes(repeating: 0)
    for lane in 0..<count { result[lane] = self[index + lane] }
    return result
  }

  @inline(__always)
  func store(_ lanes: Lanes, _ index: Int, count: Int) {
    if count == Lanes.scalarCount { return store(lanes, index) }
    for lane in 0..<count { self[index + lane] = lanes[lane] }
  }
}

/// Walks 0..<count eight at a time; the last call may have fewer lanes.
@inline(__always)
func forEachLanes(_ count: Int, _ body: (_ index: Int, _ lanes: Int) -> Void) {
  var index = 0
  while index &+ Lanes.scalarCount <= count {
    body(index, Lanes.scalarCount)
    index &+= Lanes.scalarCount
  }
  if index < count { body(index, count &- index) }
}

extension SIMD8<Float> {
  /// e to the power of each lane, within 2 units in the last place for -87 ≤ x ≤ 88.
  ///
  /// x = n·ln 2 + r with |r| ≤ ln 2 / 2; adding 1.5·2²³ rounds x/ln 2 to n and leaves n in the low
  /// bits, so that 2ⁿ is a shift. Beyond the range the nearest end's value; NaN stays NaN.
  /// - Source: the polynomial is Cephes' `expf` (Moshier)
  @inline(__always)
  var exponential: Lanes {
    let low = replacing(with: Lanes(repeating: -87), where: self .< -87)
    let x = low.replacing(with: Lanes(repeating: 88), where: low .> 88)
    let round = Lanes(repeating: 12_582_912)
    let shifted = round.addingProduct(x, Lanes(repeating: 1.442_695_04))
    let n = shifted - round
    var r = x.addingProduct(n, Lanes(repeating: -0.693_359_375))
    r = r.addingProduct(n, Lanes(repeating: 2.121_944_4e-4))
    var p = Lanes(repeating: 1.398_199_950_7e-3).addingProduct(
      r, Lanes(repeating: 1.987_569_150_0e-4))
    p = Lanes(repeating: 8.333_451_907_3e-3).addingProduct(p, r)
    p = Lanes(repeating: 4.166_579_589_4e-2).addingProduct(p, r)
    p = Lanes(repeating: 1.666_666_545_9e-1).addingProduct(p, r)
    p = Lanes(repeating: 5.000_000_120_1e-1).addingProduct(p, r)
    let y = (r + 1).addingProduct(p, r * r)
    let power = unsafeBitCast(shifted, to: SIMD8<Int32>.self) &<< 23 &+ 0x3F80_0000
    return y * unsafeBitCast(power, to: Lanes.self)
  }

  /// Each lane's square root. The standard library's own takes one lane after another.
  @inline(__always)
  var root: Lanes {
    #if arch(x86_64)
      Lanes(lowHalf: _mm_sqrt_ps(lowHalf), highHalf: _mm_sqrt_ps(highHalf))
    #else
      squareRoot()
    #endif
  }

  /// 1/(1 + e^−x) of each lane.
  @inline(__always)
  var sigmoid: Lanes { 1 / ((-self).exponential + 1) }

  /// Each lane's magnitude.
  @inline(__always)
  var size: Lanes {
    unsafeBitCast(unsafeBitCast(self, to: SIMD8<UInt32>.self) & 0x7FFF_FFFF, to: Lanes.self)
  }

  /// The largest lane.
  @inline(__always)
  var peak: Float {
    let four = lowHalf.replacing(with: highHalf, where: highHalf .> lowHalf)
    let two = four.lowHalf.replacing(with: four.highHalf, where: four.highHalf .> four.lowHalf)
    return two[1] > two[0] ? two[1] : two[0]
  }

  @inline(__always)
  func largest(_ other: Lanes) -> Lanes { replacing(with: other, where: other .> self) }

  @inline(__always)
  func smallest(_ other: Lanes) -> Lanes { replacing(with: other, where: other .< self) }
}
