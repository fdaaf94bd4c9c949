internal import Foundation

/// Cosines and sines of the rotary angles, t·base^(−2i/Dh), for every position.
///
/// - Source: Su et al. 2021, with the halves rotated as GPT-NeoX does: dimension i goes with i +
///   Dh/2
package struct RotaryPositions: Sendable {
  package let positions: Int
  package let headWidth: Int
  private let table: FloatBuffer

  /// Nil where positions do not turn anything: all angles are 0.
  private let base: Double?

  package init(positions: Int, headWidth: Int, base: Double? = 10_000) {
    self.init(rows: positions, headWidth: headWidth, base: base)
    for position in 0..<positions {
      for pair in 0..<headWidth / 2 {
        // In Float32 as PyTorch computes them, so that the angles are the same to the bit.
        let angle = Float(position) * frequency(pair)
        table[position * headWidth + pair] = cos(angle)
        table[position * headWidth + headWidth / 2 + pair] = sin(angle)
      }
    }
  }

  /// Room for as many rows, which `setRow` gives their positions.
  package init(rows: Int, headWidth: Int, base: Double? = 10_000) {
    precondition(
      headWidth % 2 == 0 || base == nil,
      "rotary positions need an even head width, not \(headWidth)")
    positions = rows
    self.headWidth = headWidth
    self.base = base
    table = FloatBuffer(count: rows * headWidth)
  }

  /// Whether any row is turned at all.
  package var turns: Bool { base != nil }

  private func frequency(_ pair: Int) -> Float {
    guard let base else { return 0 }
    return Float(pow(base, -Double(2 * pair) / Double(headWidth)))
  }

  /// Has a row stand at `position`, by the angles of `source` or, beyond its end, by angles of its
  /// own: those are taken in Float64, since a Float32 has ever fewer digits left for a turn.
  package func setRow(_ row: Int, to position: Int, of source: RotaryPositions) {
    assert(row < positions && source.headWidth == headWidth)
    let target = table.base + row * headWidth
    guard position >= source.positions else {
      target.update(from: source.table.base + position * headWidth, count: headWidth)
      return
    }
    for pair in 0..<headWidth / 2 {
      let angle = Double(position) * Double(frequency(pair))
      target[pair] = Float(cos(angle))
      target[headWidth / 2 + pair] = Float(sin(angle))
    }
  }

  /// Rotates each row of `source` by its position's angles, times `scale`, into `target`, which may
  /// be the source itself.
  ///
  /// - Shapes: `source`, `target` [B·T·heads, Dh]: row (b, t, h) is at position t
  package func rotate(_ source: Matrix, heads: Int, into target: Matrix, scale: Float = 1) {
    turn(source, heads: heads, into: target, scale: scale, sign: 1)
  }

  /// The backward pass of `rotate`: the gradient turned by the opposite angles.
  package func rotateBackward(
    _ dOutput: Matrix, heads: Int, into dInput: Matrix, scale: Float = 1
  ) {
    turn(dOutput, heads: heads, into: dInput, scale: scale, sign: -1)
  }

  /// Where nothing is turned heads need no pairs.
  private func scaleWhole(_ source: Matrix, into target: Matrix, by scale: Float) {
    let factor = Lanes(repeating: scale)
    for row in 0..<source.rows {
      let (input, output) = (source.row(row), target.row(row))
      forEachLanes(headWidth) { index, lanes in
        output.store(input.lanes(index, count: lanes) * factor, index, count: lanes)
      }
    }
  }

  private func turn(_ source: Matrix, heads: Int, into target: Matrix, scale: Float, sign: Float) {
    assert(source.columns == headWidth && target.columns == headWidth)
    assert(source.rows % heads == 0 && target.rows >= source.rows)
    guard turns else { return scaleWhole(source, into: target, by: scale) }
    let half = headWidth / 2
    let factor = Lanes(repeating: scale)
    let signed = Lanes(repeating: scale * sign)
    for position in 0..<source.rows / heads {
      let cosines = table.base + (position % positions) &* headWidth
      for row in position * heads..<(position + 1) * heads {
        let input = source.row(row)
        let output = target.row(row)
        forEachLanes(half) { index, lanes in
          let c = cosines.lanes(index, count: lanes) * factor
          let s = cosines.lanes(half + index, count: lanes) * signed
          let first = input.lanes(index, count: lanes)
          let second = input.lanes(half + index, count: lanes)
          output.store(first * c - second * s, index, count: lanes)
          output.store(second * c + first * s, half + index, count: lanes)
        }
      }
    }
  }
}
