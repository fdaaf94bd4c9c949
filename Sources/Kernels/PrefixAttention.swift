internal import Foundation

/// Adds keys and values that every position sees to what one head has attended to.
///
/// With z = scale·q·k, capped softly where `cap` is not 0, and L the logsumexp over the text's own
/// keys, L' = ln(e^L + Σ e^z) and o' = e^(L − L')·o + Σ e^(z − L')·v.
/// - Shapes: `query` [T, Dh] as attention sees it, `other` a second one whose logits are added or
///   nil, `keys`, `values` [p, Dh]; `output` [T, Dh] and `logSumExp` [1, T], both of the text's own
///   keys, overwritten
/// - Cost: 4·T·p·Dh operations, no allocation
/// - Source: Li and Liang 2021 (2101.00190); written as a sum of two softmaxes by He et al. 2022
///   (2110.04366)
package func prefixAttention(
  query: Matrix, other: Matrix?, keys: Matrix, values: Matrix, scale: Float, cap: Float,
  output: Matrix, logSumExp: Matrix, scratch: AttentionScratch
) {
  let softCap = cap > 0 ? SoftCap(cap, scale: scale) : nil
  let columns = (keys.rows + 7) / 8 * 8
  forEachBlock(of: query, scratch.scores, columns: keys.rows) { rows, scores in
    putScores(query, other, rows, keys, into: scores)
    for row in 0..<rows.count {
      let position = rows.lowerBound + row
      _ = softCap?.apply(scores.row(row), keys.rows)
      let softmax = exponentials(
        scores.row(row), valid: keys.rows, columns: columns, scale: softCap == nil ? scale : 1)
      let own = logSumExp.base[position]
      let prefix = softmax.largest + log(softmax.sum)
      let larger = max(own, prefix)
      let total = larger + log(exp(own - larger) + exp(prefix - larger))
      logSumExp.base[position] = total
      scaleRow(scores.row(row), keys.rows, exp(softmax.largest - total))
      scaleRow(output.row(position), output.columns, exp(own - total))
    }
    multiply(
      scores, values, into: output.rows(from: rows.lowerBound, count: rows.count), adding: true)
  }
}

/// The backward pass of `prefixAttention`: what `causalAttentionBackward` computes from the same
/// `output` and `logSumExp` is right for the text's own keys.
///
/// - Shapes: `dOutput`, `output`, `query`, `dQuery` [T, Dh], `keys`, `values`, `dKeys`, `dValues` [p,
///   Dh]; `logSumExp` [1, T]; gradients are added to
package func prefixAttentionBackward(
  _ dOutput: Matrix, output: Matrix, query: Matrix, other: Matrix?, keys: Matrix, values: Matrix,
  scale: Float, cap: Float, logSumExp: Matrix, dQuery: Matrix, dOther: Matrix?, dKeys: Matrix,
  dValues: Matrix, scratch: AttentionScratch
) {
  let softCap = cap > 0 ? SoftCap(cap, scale: scale) : nil
  let columns = (keys.rows + 7) / 8 * 8
  forEachBlock(of: query, scratch.scores, columns: keys.rows) { rows, scores in
    let dScores = scratch.dScores.rows(from: 0, count: rows.count)
      .columns(from: 0, count: keys.rows)
    let gradient = dOutput.rows(from: rows.lowerBound, count: rows.count)
    putScores(query, other, rows, keys, into: scores)
    multiply(gradient, transposed: values, into: dScores)
    for row in 0..<rows.count {
      let position = rows.lowerBound + row
      let shared = dot(gradient.row(row), output.row(position), output.columns)
      if let softCap {
        softCap.scoreGradients(
          scores.row(row), dScores.row(row), valid: keys.rows, columns: columns,
          logSumExp: logSumExp.base[position], shared: shared)
      } else {
        scoreGradients(
          scores.row(row), dScores.row(row), valid: keys.rows, columns: columns, scale: scale,
          logSumExp: logSumExp.base[position], shared: shared)
      }
    }
    multiply(transposed: scores, gradient, into: dValues, adding: true)
    for (query, dQuery) in [(query, dQuery), (other, dOther)] {
      guard let query, let dQuery else { continue }
      multiply(
        dScores, keys, into: dQuery.rows(from: rows.lowerBound, count: rows.count), adding: true)
      multiply(
        transposed: dScores, query.rows(from: rows.lowerBound, count: rows.count), into: dKeys,
        adding: true)
    }
  }
}

/// Blocks of as many query rows as the scratch has room for.
private func forEachBlock(
  of query: Matrix, _ scratch: Matrix, columns: Int,
  _ body: (_ rows: Range<Int>, _ scores: Matrix) -> Void
) {
  for start in stride(from: 0, to: query.rows, by: AttentionScratch.blockRows) {
    let count = min(AttentionScratch.blockRows, query.rows - start)
    body(
      start..<start + count, scratch.rows(from: 0, count: count).columns(from: 0, count: columns))
  }
}

private func putScores(
  _ query: Matrix, _ other: Matrix?, _ rows: Range<Int>, _ keys: Matrix, into scores: Matrix
) {
  multiply(
    query.rows(from: rows.lowerBound, count: rows.count), transposed: keys, into: scores)
  guard let other else { return }
  multiply(
    other.rows(from: rows.lowerBound, count: rows.count), transposed: keys, into: scores,
    adding: true)
}
