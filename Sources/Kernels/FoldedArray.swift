/// Many matrices read from one array: weight i of all of them, W_i = e_i·(σ_i/s_j)·M_j with j = h(i).
///
/// h cuts the matrices, one behind the other, into lengths of the array and turns each by a number of
/// its own, so that every place of the array has as many readers as the next, or one more. e_i is ±1.
/// σ_i is the deviation that the weight should have, s_j the root mean square of the σ of all that read
/// place j: M then moves as far as its readers do, and of one reader it is the weight itself.
/// - Source: RANDOMFOLD with the stable scaler (Desai and Shrivastava 2023, STABLE-RPS, 2310.11611);
///   there λ_i = σ_i over the array's one deviation, whose readers' λ² sum up to the scaler: here they
///   sum up to their number
package struct FoldedArray: Sendable {
  /// Neighbouring weights of one matrix that read neighbouring places.
  package struct Segment: Sendable, Hashable {
    /// Where they begin in the layout's buffers.
    package let weight: Int
    /// Where they read, from the array's beginning.
    package let place: Int
    package let count: Int
    /// The first one's number among all weights that read.
    package let index: Int
    /// σ
    package let deviation: Float

    package init(weight: Int, place: Int, count: Int, index: Int, deviation: Float) {
      self.weight = weight
      self.place = place
      self.count = count
      self.index = index
      self.deviation = deviation
    }
  }

  /// Where the array lies in the layout's buffers.
  private let offset: Int
  /// A bit a weight, 1 for e = −1, and a byte behind them.
  private let signs: Buffer<UInt8>
  /// s [m] and the number of readers [m].
  private let deviations: FloatBuffer
  private let readers: FloatBuffer

  /// - Parameters: `signs` hold a byte more than the weights' bits
  package init(
    offset: Int, signs: Buffer<UInt8>, deviations: FloatBuffer, readers: FloatBuffer
  ) {
    self.offset = offset
    self.signs = signs
    self.deviations = deviations
    self.readers = readers
  }

  /// Writes the weights of a segment, W_i = e_i·(σ_i/s_j)·M_j.
  package func expand(_ segment: Segment, in buffer: FloatBuffer) {
    let (source, target) = (buffer.base + offset + segment.place, buffer.base + segment.weight)
    forEach(segment) { index, lanes, factor in
      target.store(source.lanes(index, count: lanes) * factor, index, count: lanes)
    }
  }

  /// Has the array hold what a segment's weights are: M_j = e_i·W_i·s_j/σ_i.
  package func adopt(_ segment: Segment, in buffer: FloatBuffer) {
    let (target, source) = (buffer.base + offset + segment.place, buffer.base + segment.weight)
    forEach(segment) { index, lanes, factor in
      target.store(source.lanes(index, count: lanes) / factor, index, count: lanes)
    }
  }

  /// dM_j = Σ_i e_i·(σ_i/s_j)·dW_i over its readers' number.
  ///
  /// - Parameters: `segments` are all that read these places, and no others
  /// - Returns: Σ dW² of the readers and Σ dM²
  package func gather(
    _ segments: [Segment], places: Range<Int>, in gradient: FloatBuffer
  ) -> (readers: Double, array: Double) {
    let target = gradient.base + offset
    (target + places.lowerBound).update(repeating: 0, count: places.count)
    var squares = 0.0
    for segment in segments {
      let (source, sums) = (gradient.base + segment.weight, target + segment.place)
      squares += sumOfSquares(source, segment.count)
      forEach(segment) { index, lanes, factor in
        let sum = sums.lanes(index, count: lanes)
          .addingProduct(source.lanes(index, count: lanes), factor)
        sums.store(sum, index, count: lanes)
      }
    }
    let (sums, counts) = (target + places.lowerBound, readers.base + places.lowerBound)
    for index in 0..<places.count { sums[index] /= counts[index] }
    return (squares, sumOfSquares(sums, places.count))
  }

  /// Calls `body` with e_i·σ_i/s_j of each lane.
  @inline(__always)
  private func forEach(
    _ segment: Segment, _ body: (_ index: Int, _ lanes: Int, _ factor: Lanes) -> Void
  ) {
    let sigma = Lanes(repeating: segment.deviation)
    let deviations = deviations.base + segment.place
    forEachLanes(segment.count) { index, lanes in
      // Lanes that are not there would divide by 0.
      let own = deviations.lanes(index, count: lanes)
      let factor = sigma / own.replacing(with: sigma, where: own .== 0)
      body(index, lanes, factor.replacing(with: -factor, where: isNegative(segment.index + index)))
    }
  }

  @inline(__always)
  private func isNegative(_ weight: Int) -> SIMDMask<SIMD8<Int32>> {
    let byte = weight / 8
    let two = UInt32(signs.base[byte]) | UInt32(signs.base[byte + 1]) << 8
    let bits = SIMD8<UInt32>(repeating: two >> UInt32(weight % 8))
    return bits & SIMD8(1, 2, 4, 8, 16, 32, 64, 128) .!= 0
  }
}
