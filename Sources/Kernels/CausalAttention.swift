internal import Foundation

/// The scores of one block of query rows, reused by every head a worker computes.
package struct AttentionScratch: Sendable {
  static let blockRows = 32
  let scores: Matrix
  let dScores: Matrix

  package init(arena: Arena, positions: Int) {
    let width = (positions + 7) / 8 * 8
    scores = arena.matrix(rows: Self.blockRows, columns: width)
    dScores = arena.matrix(rows: Self.blockRows, columns: width)
  }
}

/// What attention knows about itself when it is done, over all rows it has seen.
package struct AttentionStatistics: Sendable, BitwiseCopyable {
  /// The largest scaled logit that no mask hid, before any soft cap.
  package var logitMax = -Float.infinity
  /// The sum of the rows' entropies, nats.
  package var entropy = 0.0
  /// The sum of entropy / ln(i+1) over rows i > 0.
  package var entropyShare = 0.0

  package init() {}
}

/// Causal attention of one head over one sequence: softmax(scale·q·kᵀ)·v, the logits capped softly
/// where `cap` is not 0.
///
/// Blocks of 32 query rows against the keys up to the block's end, so that the masked half is
/// skipped; scores live in scratch only.
/// - Shapes: `query`, `key` [T, Dqk], `value`, `output` [T, Dh], rows of any stride; kept for the
///   backward pass: `logSumExp` [1, T]
/// - Cost: 2·T²/2·(Dqk + Dh) operations, no allocation
package func causalAttention(
  query: Matrix, key: Matrix, value: Matrix, scale: Float, cap: Float = 0, output: Matrix,
  logSumExp: Matrix, scratch: AttentionScratch, statistics: inout AttentionStatistics
) {
  let softCap = cap > 0 ? SoftCap(cap, scale: scale) : nil
  var start = 0
  while start < query.rows {
    let count = min(AttentionScratch.blockRows, query.rows - start)
    let seen = start + count
    let scores = scratch.scores.rows(from: 0, count: count).columns(from: 0, count: seen)
    multiply(
      query.rows(from: start, count: count), transposed: key.rows(from: 0, count: seen),
      into: scores)
    for row in 0..<count {
      let position = start + row
      // Before the mask, which the softmax is: a capped −∞ would be a logit of −c.
      let uncapped = softCap?.apply(scores.row(row), position + 1)
      let softmax = exponentials(
        scores.row(row), valid: position + 1, columns: seen, scale: softCap == nil ? scale : 1)
      logSumExp.base[position] = softmax.largest + log(softmax.sum)
      statistics.count(softmax, logitMax: uncapped ?? softmax.largest, position: position)
      // The division waits for the Dh columns of the output.
      scratch.dScores.base[row] = 1 / softmax.sum
    }
    let result = output.rows(from: start, count: count)
    multiply(scores, value.rows(from: 0, count: seen), into: result)
    for row in 0..<count { scaleRow(result.row(row), result.columns, scratch.dScores.base[row]) }
    start = seen
  }
}

/// The backward pass of `causalAttention`: scores are computed again, row sums come from
/// `logSumExp`.
///
/// - Shapes: `dQuery`, `dKey` [T, Dqk], `dValue` [T, Dh], all overwritten
/// - Parameters: `addsToKeys`, whether `dKey` and `dValue` are added to instead: those of a key that
///   several heads of queries share
/// - Cost: 2·T²/2·(3·Dqk + 2·Dh) operations, no allocation
package func causalAttentionBackward(
  _ dOutput: Matrix, output: Matrix, query: Matrix, key: Matrix, value: Matrix, scale: Float,
  cap: Float = 0, logSumExp: Matrix, dQuery: Matrix, dKey: Matrix, dValue: Matrix,
  addsToKeys: Bool = false, scratch: AttentionScratch
) {
  let softCap = cap > 0 ? SoftCap(cap, scale: scale) : nil
  // From the last block to the first: the last one sees all keys, so it overwrites, the rest add.
  var start = (query.rows - 1) / AttentionScratch.blockRows * AttentionScratch.blockRows
  var adding = addsToKeys
  while start >= 0 {
    let count = min(AttentionScratch.blockRows, query.rows - start)
    let seen = start + count
    let scores = scratch.scores.rows(from: 0, count: count).columns(from: 0, count: seen)
    let dScores = scratch.dScores.rows(from: 0, count: count).columns(from: 0, count: seen)
    let queries = query.rows(from: start, count: count)
    let gradient = dOutput.rows(from: start, count: count)
    let keys = key.rows(from: 0, count: seen)
    multiply(queries, transposed: keys, into: scores)
    multiply(gradient, transposed: value.rows(from: 0, count: seen), into: dScores)
    for row in 0..<count {
      let position = start + row
      let shared = dot(gradient.row(row), output.row(position), output.columns)
      if let softCap {
        softCap.scoreGradients(
          scores.row(row), dScores.row(row), valid: position + 1, columns: seen,
          logSumExp: logSumExp.base[position], shared: shared)
      } else {
        scoreGradients(
          scores.row(row), dScores.row(row), valid: position + 1, columns: seen, scale: scale,
          logSumExp: logSumExp.base[position], shared: shared)
      }
    }
    multiply(transposed: scores, gradient, into: dValue.rows(from: 0, count: seen), adding: adding)
    multiply(dScores, keys, into: dQuery.rows(from: start, count: count))
    multiply(transposed: dScores, queries, into: dKey.rows(from: 0, count: seen), adding: adding)
    adding = true
    start -= AttentionScratch.blockRows
  }
}

struct RowSoftmax {
  let largest: Float
  let sum: Float
  /// Σ e·t with t = z − largest: the entropy is ln(sum) − weighted/sum.
  let weighted: Float
}

extension AttentionStatistics {
  @inline(__always)
  fileprivate mutating func count(_ softmax: RowSoftmax, logitMax largest: Float, position: Int) {
    logitMax = largest > logitMax ? largest : logitMax
    let rowEntropy = Double(log(softmax.sum) - softmax.weighted / softmax.sum)
    entropy += rowEntropy
    if position > 0 { entropyShare += rowEntropy / log(Double(position + 1)) }
  }
}

private let laneNumbers = SIMD8<Int32>(0, 1, 2, 3, 4, 5, 6, 7)

/// Overwrites the first `valid` raw scores by exp(scale·s − largest), the rest up to `columns` by
/// 0. Scratch rows are padded to whole vectors, so that reading past `valid` is safe.
@inline(__always)
func exponentials(
  _ scores: UnsafeMutablePointer<Float>, valid: Int, columns: Int, scale: Float
) -> RowSoftmax {
  let whole = valid & ~7
  let hidden = laneNumbers .>= Int32(valid - whole)
  var largest = Lanes(repeating: -.infinity)
  var index = 0
  while index < whole {
    largest = largest.largest(scores.lanes(index))
    index &+= 8
  }
  if whole < valid {
    let last = scores.lanes(whole).replacing(with: Lanes(repeating: -.infinity), where: hidden)
    largest = largest.largest(last)
  }
  let peak = largest.peak * scale
  let shift = Lanes(repeating: -peak)
  let factor = Lanes(repeating: scale)
  var sum = Lanes.zero
  var weighted = Lanes.zero
  index = 0
  while index < whole {
    let t = shift.addingProduct(scores.lanes(index), factor)
    let e = t.exponential
    scores.store(e, index)
    sum += e
    weighted.addProduct(e, t)
    index &+= 8
  }
  if whole < valid {
    let t = shift.addingProduct(scores.lanes(whole), factor).replacing(with: 0, where: hidden)
    let e = t.exponential.replacing(with: 0, where: hidden)
    scores.store(e, whole)
    sum += e
    weighted.addProduct(e, t)
    index &+= 8
  }
  while index < columns {
    scores.store(.zero, index)
    index &+= 8
  }
  return RowSoftmax(largest: peak, sum: sum.sum(), weighted: weighted.sum())
}

/// Turns scores into probabilities p and dp into scale·p·(dp − shared), zero where masked.
@inline(__always)
func scoreGradients(
  _ scores: UnsafeMutablePointer<Float>, _ dScores: UnsafeMutablePointer<Float>, valid: Int,
  columns: Int, scale: Float, logSumExp: Float, shared: Float
) {
  let shift = Lanes(repeating: -logSumExp)
  let factor = Lanes(repeating: scale)
  let centre = Lanes(repeating: shared)
  let whole = valid & ~7
  var index = 0
  while index < whole {
    let p = shift.addingProduct(scores.lanes(index), factor).exponential
    scores.store(p, index)
    dScores.store((dScores.lanes(index) - centre) * (p * factor), index)
    index &+= 8
  }
  if whole < valid {
    let hidden = laneNumbers .>= Int32(valid - whole)
    let p = shift.addingProduct(scores.lanes(whole), factor).exponential
    let gradient = (dScores.lanes(whole) - centre) * (p * factor)
    scores.store(p.replacing(with: 0, where: hidden), whole)
    dScores.store(gradient.replacing(with: 0, where: hidden), whole)
    index &+= 8
  }
  while index < columns {
    scores.store(.zero, index)
    dScores.store(.zero, index)
    index &+= 8
  }
}
