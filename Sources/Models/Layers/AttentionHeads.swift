internal import Kernels

/// One operand of attention in a wider matrix: head h of a row starts at h·step + offset.
private struct HeadViews {
  let matrix: Matrix
  let step: Int
  let offset: Int
  let width: Int

  func head(_ head: Int, rows: Matrix.RowRange) -> Matrix {
    matrix.rows(from: rows.start, count: rows.count)
      .columns(from: head * step + offset, count: width)
  }
}

extension Matrix {
  fileprivate struct RowRange {
    let start: Int
    let count: Int
  }
}

/// Causal attention between a layer's two projections, over all samples and heads of a slice.
///
/// With qk-layernorm of weight w the logits are (1−w)·q·k + w·LN(q)·LN(k), written as one product
/// of joined vectors [(1−w)·q, w·LN(q)]·[k, LN(k)]; w = 0 is the plain path, bit for bit.
struct AttentionHeads {
  let heads: Int
  let rotary: RotaryPositions
  let weight: Float
  /// The soft cap of the logits; 0 for none.
  let cap: Float
  /// [1, Dh]
  let queryGain: Matrix
  let keyGain: Matrix
  /// Rows of [H][q|k|v][Dh]
  let queryKeyValue: Matrix
  let output: Matrix
  let logSumExp: Matrix
  let scratch: HeadScratch
  /// What stands before every text; nil for nothing.
  let prefix: PrefixHeads?

  private var headWidth: Int { rotary.headWidth }
  private var scale: Float { 1 / Float(headWidth).squareRoot() }
  /// Columns of a joined query or key.
  private var joinedWidth: Int { weight < 1 ? 2 * headWidth : headWidth }

  /// - Shapes: `headLogitMax` [H], overwritten
  func forward(
    statistics: inout AttentionStatistics, headLogitMax: UnsafeMutablePointer<Float>
  ) {
    for head in 0..<heads { headLogitMax[head] = -.infinity }
    prepare(inForward: true)
    let query = operand(0, scratch.query.values)
    let key = operand(1, scratch.key.values)
    let value = plain(2, queryKeyValue)
    forEachHead { rows, head, index in
      swap(&statistics.logitMax, &headLogitMax[head])
      causalAttention(
        query: query.head(head, rows: rows), key: key.head(head, rows: rows),
        value: value.head(head, rows: rows), scale: scale, cap: cap,
        output: columns(output, head, rows),
        logSumExp: logSumExp.rows(from: index, count: 1), scratch: scratch.attention,
        statistics: &statistics)
      swap(&statistics.logitMax, &headLogitMax[head])
      attendToPrefix(
        query.head(head, rows: rows), head, output: columns(output, head, rows),
        logSumExp: logSumExp.rows(from: index, count: 1))
    }
    for head in 0..<heads where headLogitMax[head] > statistics.logitMax {
      statistics.logitMax = headLogitMax[head]
    }
  }

  /// From the scratch's `dOutput` to `dQueryKeyValue`, before any rotation.
  func backward(dQueryGain: Matrix?, dKeyGain: Matrix?) {
    prepare(inForward: false)
    let (query, dQuery) = pair(0, scratch.query)
    let (key, dKey) = pair(1, scratch.key)
    let value = plain(2, queryKeyValue)
    let dValue = plain(2, scratch.dQueryKeyValue)
    forEachHead { rows, head, index in
      causalAttentionBackward(
        columns(scratch.dOutput, head, rows),
        output: columns(output, head, rows),
        query: query.head(head, rows: rows), key: key.head(head, rows: rows),
        value: value.head(head, rows: rows), scale: scale, cap: cap,
        logSumExp: logSumExp.rows(from: index, count: 1),
        dQuery: dQuery.head(head, rows: rows), dKey: dKey.head(head, rows: rows),
        dValue: dValue.head(head, rows: rows), scratch: scratch.attention)
      prefixBackward(
        query.head(head, rows: rows), dQuery.head(head, rows: rows), head, rows, index: index)
    }
    finish(0, scratch.query, gain: queryGain, dGain: dQueryGain)
    finish(1, scratch.key, gain: keyGain, dGain: dKeyGain)
  }

  /// Of rows that each are a position of a text: their keys and values join the text's, then each
  /// looks back over what is held of its own.
  ///
  /// - Shapes: `scores` [1, places in whole strips], scratch
  /// - Parameters: `caches` of all texts, [slots·H]
  func forward(_ texts: TextRows, caches: [HeadCache], scores: Matrix) {
    prepare(inForward: true)
    let query = operand(0, scratch.query.values)
    let key = operand(1, scratch.key.values)
    let value = plain(2, queryKeyValue)
    for row in 0..<texts.count {
      let (text, rows) = (texts[row], Matrix.RowRange(start: row, count: 1))
      for head in 0..<heads {
        caches[Int(text.slot) * heads + head].store(
          key: key.head(head, rows: rows), value: value.head(head, rows: rows),
          position: Int(text.position))
      }
    }
    for row in 0..<texts.count {
      let (text, rows) = (texts[row], Matrix.RowRange(start: row, count: 1))
      for head in 0..<heads {
        let sum = caches[Int(text.slot) * heads + head].attend(
          query.head(head, rows: rows), position: Int(text.position), scale: scale, cap: cap,
          scores: scores, output: columns(output, head, rows))
        guard prefix != nil else { continue }
        let logSumExp = logSumExp.columns(from: 0, count: 1)
        logSumExp[0, 0] = sum
        attendToPrefix(
          query.head(head, rows: rows), head, output: columns(output, head, rows),
          logSumExp: logSumExp)
      }
    }
  }

  /// A query's plain and its normalised half, where it is both: a prefix's key meets either.
  private func queryHalves(_ query: Matrix) -> (Matrix, Matrix?) {
    guard query.columns > headWidth else { return (query, nil) }
    return (
      query.columns(from: 0, count: headWidth), query.columns(from: headWidth, count: headWidth)
    )
  }

  private func attendToPrefix(_ query: Matrix, _ head: Int, output: Matrix, logSumExp: Matrix) {
    guard let prefix else { return }
    let (plain, normalised) = queryHalves(query)
    prefixAttention(
      query: plain, other: normalised,
      keys: PrefixHeads.head(head, of: prefix.keys, width: headWidth),
      values: PrefixHeads.head(head, of: prefix.values, width: headWidth), scale: scale, cap: cap,
      output: output, logSumExp: logSumExp, scratch: scratch.attention)
  }

  private func prefixBackward(
    _ query: Matrix, _ dQuery: Matrix, _ head: Int, _ rows: Matrix.RowRange, index: Int
  ) {
    guard let prefix, let dKeys = prefix.dKeys, let dValues = prefix.dValues else { return }
    let (plain, normalised) = queryHalves(query)
    let (dPlain, dNormalised) = queryHalves(dQuery)
    prefixAttentionBackward(
      columns(scratch.dOutput, head, rows), output: columns(output, head, rows), query: plain,
      other: normalised, keys: PrefixHeads.head(head, of: prefix.keys, width: headWidth),
      values: PrefixHeads.head(head, of: prefix.values, width: headWidth), scale: scale, cap: cap,
      logSumExp: logSumExp.rows(from: index, count: 1), dQuery: dPlain, dOther: dNormalised,
      dKeys: PrefixHeads.head(head, of: dKeys, width: headWidth),
      dValues: PrefixHeads.head(head, of: dValues, width: headWidth), scratch: scratch.attention)
  }

  private func forEachHead(_ body: (Matrix.RowRange, _ head: Int, _ index: Int) -> Void) {
    let positions = rotary.positions
    for sample in 0..<queryKeyValue.rows / positions {
      let rows = Matrix.RowRange(start: sample * positions, count: positions)
      for head in 0..<heads { body(rows, head, sample * heads + head) }
    }
  }

  private func columns(_ matrix: Matrix, _ head: Int, _ rows: Matrix.RowRange) -> Matrix {
    matrix.rows(from: rows.start, count: rows.count)
      .columns(from: head * headWidth, count: headWidth)
  }

  private func plain(_ part: Int, _ matrix: Matrix) -> HeadViews {
    HeadViews(
      matrix: matrix, step: 3 * headWidth, offset: part * headWidth, width: headWidth)
  }

  private func joined(_ matrix: Matrix) -> HeadViews {
    let packed = matrix.reshaped(rows: matrix.rows, columns: heads * joinedWidth)
    return HeadViews(matrix: packed, step: joinedWidth, offset: 0, width: joinedWidth)
  }

  private func operand(_ part: Int, _ values: Matrix) -> HeadViews {
    weight == 0 ? plain(part, queryKeyValue) : joined(values)
  }

  private func pair(_ part: Int, _ blended: BlendedScratch) -> (HeadViews, HeadViews) {
    guard weight > 0 else {
      return (plain(part, queryKeyValue), plain(part, scratch.dQueryKeyValue))
    }
    return (joined(blended.values), joined(blended.gradients))
  }

  /// Queries (part 0) or keys (part 1) of all heads: [M·H, Dh].
  private func vectors(_ part: Int, _ matrix: Matrix) -> Matrix {
    matrix.pieces(of: 3 * headWidth, offset: part * headWidth, count: headWidth)
  }
}

extension AttentionHeads {
  /// Rotates in place once, or fills the joined operands: those are scratch, so backward does
  /// again.
  private func prepare(inForward: Bool) {
    guard weight > 0 else {
      guard inForward else { return }
      for part in 0..<2 {
        let plain = vectors(part, queryKeyValue)
        rotary.rotate(plain, heads: heads, into: plain)
      }
      return
    }
    join(0, scratch.query, gain: queryGain)
    join(1, scratch.key, gain: keyGain)
  }

  /// The weights of the old and the new logits sit in the query alone.
  private func scales(_ part: Int) -> (old: Float, new: Float) {
    part == 0 ? (1 - weight, weight) : (1, 1)
  }

  private func join(_ part: Int, _ blended: BlendedScratch, gain: Matrix) {
    let raw = vectors(part, queryKeyValue)
    let output = blended.output.reshaped(rows: raw.rows, columns: headWidth)
    layerNorm(
      raw, gain: gain,
      normalised: blended.normalised.reshaped(rows: raw.rows, columns: headWidth),
      reciprocal: blended.reciprocal, output: output)
    let scales = scales(part)
    let (old, new) = halves(blended.values)
    rotary.rotate(output, heads: heads, into: new, scale: scales.new)
    if let old { rotary.rotate(raw, heads: heads, into: old, scale: scales.old) }
  }

  /// From the gradients of what attention saw to those of the projection's rows.
  private func finish(_ part: Int, _ blended: BlendedScratch, gain: Matrix, dGain: Matrix?) {
    let dRaw = vectors(part, scratch.dQueryKeyValue)
    guard weight > 0 else {
      rotary.rotateBackward(dRaw, heads: heads, into: dRaw)
      return
    }
    let scales = scales(part)
    let (old, new) = halves(blended.gradients)
    if let old {
      rotary.rotateBackward(old, heads: heads, into: dRaw, scale: scales.old)
    } else {
      dRaw.clear()
    }
    let dOutput = blended.output.reshaped(rows: dRaw.rows, columns: headWidth)
    rotary.rotateBackward(new, heads: heads, into: dOutput, scale: scales.new)
    layerNormBackward(
      dOutput, normalised: blended.normalised.reshaped(rows: dRaw.rows, columns: headWidth),
      reciprocal: blended.reciprocal, gain: gain, addingTo: dRaw, dGain: dGain)
  }

  /// The plain and the normalised half of joined vectors, [M·H, Dh] each; no plain one at w = 1.
  private func halves(_ matrix: Matrix) -> (old: Matrix?, new: Matrix) {
    let packed = matrix.reshaped(rows: matrix.rows, columns: heads * joinedWidth)
    let new = packed.pieces(
      of: joinedWidth, offset: joinedWidth - headWidth, count: headWidth)
    guard weight < 1 else { return (nil, new) }
    return (packed.pieces(of: joinedWidth, offset: 0, count: headWidth), new)
  }
}
