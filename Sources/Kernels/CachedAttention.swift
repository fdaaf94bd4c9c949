internal import Foundation

/// Keys and values of one head of a text, as attention reads them: a ring of so many places, of which
/// a new position takes the one of the oldest.
package struct HeadCache: Sendable {
  /// [places, Dqk]
  private let keys: PackedMatrix
  /// [Dh, places]
  private let values: PackedMatrix

  package init(places: Int, keyWidth: Int, valueWidth: Int, arena: Arena) {
    keys = PackedMatrix(rows: places, columns: keyWidth, arena: arena)
    values = PackedMatrix(rows: valueWidth, columns: places, arena: arena)
  }

  package var places: Int { keys.rows }

  /// - Shapes: `key` [1, Dqk], `value` [1, Dh]
  package func store(key: Matrix, value: Matrix, position: Int) {
    let place = position % places
    keys.setRow(place, from: key.base)
    values.setColumn(place, from: value.base)
  }

  /// What another one holds in its first places.
  package func copy(_ count: Int, of other: HeadCache) {
    keys.copyRows(count, of: other.keys)
    values.copyColumns(count, of: other.values)
  }

  /// softmax(scale·q·kᵀ)·v over the position itself and those before it that are still held, the
  /// logits capped softly where `cap` is not 0.
  ///
  /// - Returns: the logits' logsumexp
  /// - Shapes: `query` [1, Dqk], `output` [1, Dh], `scores` [1, places in whole strips], scratch
  /// - Cost: 2·positions·(Dqk + Dh) operations, no allocation
  @discardableResult
  package func attend(
    _ query: Matrix, position: Int, scale: Float, cap: Float, scores: Matrix, output: Matrix
  ) -> Float {
    let count = min(position + 1, places)
    let padded = min((count + 15) / 16 * 16, scores.columns)
    multiply(query, packed: keys, into: scores.columns(from: 0, count: padded))
    if cap > 0 { _ = SoftCap(cap, scale: scale).apply(scores.base, count) }
    let softmax = exponentials(
      scores.base, valid: count, columns: padded, scale: cap > 0 ? 1 : scale)
    multiply(scores.columns(from: 0, count: count), packed: values, into: output)
    scaleRow(output.base, output.columns, 1 / softmax.sum)
    return softmax.largest + log(softmax.sum)
  }
}
