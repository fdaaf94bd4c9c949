/// A random direction m·z over the parameters: normal numbers where a mask lets them through.
///
/// Neither z nor m is kept: z is a function of the key and the place, m of the unperturbed parameters.
/// So it is the same in both losses and in the update, as long as the parameters are.
/// - Source: Malladi et al. 2023 (2305.17333), Liu et al. 2024 (2402.15751)
package struct MaskedDirection: Sendable {
  /// Which parameters move.
  package enum Mask: Sendable {
    /// Those whose magnitude is at most this.
    case small(Float)
    /// So many of all 2³² numbers that a place may draw, by a key of its own.
    case random(UInt64, below: UInt32)
  }

  private let normal: NormalNumbers
  private let mask: Mask

  package init(key: UInt64, mask: Mask) {
    normal = NormalNumbers(key: key)
    self.mask = mask
  }

  /// m·z of the parameters from `index` on, zeros in lanes that are not used, and 1 where m is.
  @inline(__always)
  fileprivate func lanes(_ theta: Lanes, _ index: Int, _ lanes: Int) -> (z: Lanes, moved: Lanes) {
    var moved = Lanes.zero
    switch mask {
    case .small(let threshold):
      moved.replace(with: 1, where: theta.size .<= Lanes(repeating: threshold))
    case .random(let key, let bound):
      for lane in 0..<8 {
        let drawn = mix(key &+ UInt64(truncatingIfNeeded: index + lane)) >> 32
        moved[lane] = UInt32(truncatingIfNeeded: drawn) < bound ? 1 : 0
      }
    }
    if lanes < 8 { for lane in lanes..<8 { moved[lane] = 0 } }
    return (normal.lanes(index) * moved, moved)
  }
}

/// What a direction is like over a piece of the parameters.
package struct DirectionSums: Sendable, BitwiseCopyable {
  /// Σ (m·z)².
  package var squares: Double
  /// Σ m.
  package var moved: Double

  package init(squares: Double = 0, moved: Double = 0) {
    self.squares = squares
    self.moved = moved
  }
}

/// into = θ + ε·m·z over a piece of the parameters, which are left as they are.
///
/// - Parameters: `start` is a multiple of eight
package func perturb(
  _ parameters: FloatBuffer, by epsilon: Float, along direction: MaskedDirection,
  into trial: FloatBuffer, from start: Int, count: Int
) -> DirectionSums {
  let (theta, target) = (parameters.base + start, trial.base + start)
  let epsilon = Lanes(repeating: epsilon)
  let squares = squareSums(count) { index, lanes in
    let value = theta.lanes(index, count: lanes)
    let (z, m) = direction.lanes(value, start &+ index, lanes)
    target.store(value.addingProduct(epsilon, z), index, count: lanes)
    return (z, m)
  }
  // m is 0 or 1, and so its own square.
  return DirectionSums(squares: squares.x, moved: squares.y)
}

/// θ −= rate·m·z + decay·θ over a piece of the parameters, m of them as they were.
///
/// - Parameters: `rate` is the learning rate times the projected gradient; `start` is a multiple of
///   eight
/// - Returns: Σ (rate·m·z)² and Σ θ² after the update
package func zerothOrderStep(
  _ parameters: FloatBuffer, along direction: MaskedDirection, from start: Int, count: Int,
  rate: Float, decay: Float
) -> UpdateSquares {
  let theta = parameters.base + start
  let rate = Lanes(repeating: rate)
  return stepSquares(theta, count, decay: decay) { index, lanes in
    rate * direction.lanes(theta.lanes(index, count: lanes), start &+ index, lanes).z
  }
}

/// What ``zerothOrderStep(_:along:from:count:rate:decay:)`` would change. Reads only.
/// - Returns: Σ (rate·m·z + decay·θ)², and Σ θ² before the update
package func zerothOrderChange(
  _ parameters: FloatBuffer, along direction: MaskedDirection, from start: Int, count: Int,
  rate: Float, decay: Float
) -> UpdateSquares {
  let theta = parameters.base + start
  let rate = Lanes(repeating: rate)
  return changeSquares(theta, count, decay: decay) { index, lanes in
    rate * direction.lanes(theta.lanes(index, count: lanes), start &+ index, lanes).z
  }
}
