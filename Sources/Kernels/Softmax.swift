internal import Foundation

/// The exponentials of a row of logits over a temperature, their largest 1.
///
/// - Shapes: `logits`, `exponentials` [V]
/// - Returns: the sum of the exponentials, by which they are probabilities.
package func exponentials(
  of logits: UnsafeBufferPointer<Float>, temperature: Float, into target: FloatBuffer
) -> Float {
  assert(target.count >= logits.count)
  let width = logits.count
  guard let source = logits.baseAddress else { return 0 }
  target.base.update(from: source, count: width)
  if temperature != 1 { scaleRow(target.base, width, 1 / temperature) }
  return exponentials(target.base, width, measure(target.base, width).peak, keeping: true)
}

/// ln p of one of a row's logits.
///
/// - Units: nats
package func logProbability(
  of index: Int, in logits: UnsafeBufferPointer<Float>, scratch: FloatBuffer
) -> Float {
  let sum = exponentials(of: logits, temperature: 1, into: scratch)
  let peak = logits.reduce(-.infinity) { max($0, $1) }
  return logits[index] - peak - log(sum)
}

extension Matrix {
  /// One row's numbers, as long as the memory is there.
  package func rowNumbers(_ row: Int) -> UnsafeBufferPointer<Float> {
    assert(row >= 0 && row < rows)
    return UnsafeBufferPointer(start: self.row(row), count: columns)
  }
}
