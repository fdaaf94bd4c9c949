internal import Kernels

/// Causal attention between a layer's two projections, over all samples and heads of a slice.
///
/// With qk-layernorm of weight w the logits are (1−w)·q·k + w·LN(q)·LN(k), written as one product
/// of joined vectors [(1−w)·q, w·LN(q)]·[k, LN(k)]; w = 0 is the plain path, bit for bit.
struct AttentionHeads {
  let heads: Int
  /// Of keys and values: as many queries one after the other share a key.
  let keyHeads: Int
  let rotary: RotaryPositions
  let weight: Float
  /// ε of qk-layernorm.
  let epsilon: Float
  /// The soft cap of the logits; 0 for none.
  let cap: Float
  /// [1, Dh]
  let queryGain: Matrix
  let keyGain: Matrix
  let rows: HeadRows
  let output: Matrix
  let logSumExp: Matrix
  let scratch: HeadScratch
  /// What stands before every text; nil for nothing.
  let prefix: PrefixHeads?

  private var queriesPerKey: Int { heads / keyHeads }
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
    let query = operand(.query, scratch.query.values)
    let key = operand(.key, scratch.key.values)
    let value = rows.part(.value)
    forEachHead { rows, head, index in
      swap(&statistics.logitMax, &headLogitMax[head])
      causalAttention(
        query: query.head(head, rows: rows), key: key.head(head / queriesPerKey, rows: rows),
        value: value.head(head / queriesPerKey, rows: rows), scale: scale, cap: cap,
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

  /// From the scratch's `dOutput` to `dRows`, before any rotation.
  func backward(dQueryGain: Matrix?, dKeyGain: Matrix?) {
    prepare(inForward: false)
    let (query, dQuery) = pair(.query, scratch.query)
    let (key, dKey) = pair(.key, scratch.key)
    let value = rows.part(.value)
    let dValue = scratch.dRows.part(.value)
    forEachHead { rows, head, index in
      let shared = head / queriesPerKey
      causalAttentionBackward(
        columns(scratch.dOutput, head, rows),
        output: columns(output, head, rows),
        query: query.head(head, rows: rows), key: key.head(shared, rows: rows),
        value: value.head(shared, rows: rows), scale: scale, cap: cap,
        logSumExp: logSumExp.rows(from: index, count: 1),
        dQuery: dQuery.head(head, rows: rows), dKey: dKey.head(shared, rows: rows),
        dValue: dValue.head(shared, rows: rows), addsToKeys: head % queriesPerKey > 0,
        scratch: scratch.attention)
      prefixBackward(
        query.head(head, rows: rows), dQuery.head(head, rows: rows), head, rows, index: index)
    }
    finish(.query, scratch.query, gain: queryGain, dGain: dQueryGain)
    finish(.key, scratch.key, gain: keyGain, dGain: dKeyGain)
  }

  /// Of rows that each are a position of a text: their keys and values join the text's, then each
  /// looks back over what is held of its own.
  ///
  /// - Shapes: `scores` [1, places in whole strips], scratch
  /// - Parameters: `caches` of all texts, one for each head of keys: [slots·heads]
  func forward(_ texts: TextRows, caches: [HeadCache], scores: Matrix) {
    prepare(inForward: true)
    let query = operand(.query, scratch.query.values)
    let key = operand(.key, scratch.key.values)
    let value = rows.part(.value)
    for row in 0..<texts.count {
      let (text, rows) = (texts[row], Matrix.RowRange(start: row, count: 1))
      for head in 0..<keyHeads {
        caches[Int(text.slot) * keyHeads + head].store(
          key: key.head(head, rows: rows), value: value.head(head, rows: rows),
          position: Int(text.position))
      }
    }
    for row in 0..<texts.count {
      let (text, rows) = (texts[row], Matrix.RowRange(start: row, count: 1))
      for head in 0..<heads {
        let sum = caches[Int(text.slot) * keyHeads + head / queriesPerKey].attend(
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
      keys: prefixHead(head, of: prefix.keys), values: prefixHead(head, of: prefix.values),
      scale: scale, cap: cap,
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
      other: normalised, keys: prefixHead(head, of: prefix.keys),
      values: prefixHead(head, of: prefix.values), scale: scale, cap: cap,
      logSumExp: logSumExp.rows(from: index, count: 1), dQuery: dPlain, dOther: dNormalised,
      dKeys: prefixHead(head, of: dKeys), dValues: prefixHead(head, of: dValues),
      scratch: scratch.attention)
  }

  /// What one head of queries sees of a prefix.
  private func prefixHead(_ head: Int, of matrix: Matrix) -> Matrix {
    matrix.columns(from: head / queriesPerKey * headWidth, count: headWidth)
  }

  private func forEachHead(_ body: (Matrix.RowRange, _ head: Int, _ index: Int) -> Void) {
    let positions = rotary.positions
    for sample in 0..<self.rows.query.rows / positions {
      let rows = Matrix.RowRange(start: sample * positions, count: positions)
      for head in 0..<heads { body(rows, head, sample * heads + head) }
    }
  }

  private func columns(_ matrix: Matrix, _ head: Int, _ rows: Matrix.RowRange) -> Matrix {
    matrix.rows(from: rows.start, count: rows.count)
      .columns(from: head * headWidth, count: headWidth)
  }

  /// The heads of queries, or of keys and values.
  private func count(_ part: HeadRows.Part) -> Int { part == .query ? heads : keyHeads }

  private func joined(_ part: HeadRows.Part, _ matrix: Matrix) -> HeadViews {
    let packed = matrix.reshaped(rows: matrix.rows, columns: count(part) * joinedWidth)
    return HeadViews(matrix: packed, step: joinedWidth, offset: 0, width: joinedWidth)
  }

  private func operand(_ part: HeadRows.Part, _ values: Matrix) -> HeadViews {
    weight == 0 ? rows.part(part) : joined(part, values)
  }

  private func pair(_ part: HeadRows.Part, _ blended: BlendedScratch) -> (HeadViews, HeadViews) {
    guard weight > 0 else { return (rows.part(part), scratch.dRows.part(part)) }
    return (joined(part, blended.values), joined(part, blended.gradients))
  }
}

extension AttentionHeads {
  /// Rotates in place once, or fills the joined operands: those are scratch, so backward does
  /// again.
  private func prepare(inForward: Bool) {
    guard weight > 0 else {
      guard inForward, rotary.turns else { return }
      for part in [HeadRows.Part.query, .key] {
        let plain = rows.part(part).vectors
        rotary.rotate(plain, heads: count(part), into: plain)
      }
      return
    }
    join(.query, scratch.query, gain: queryGain)
    join(.key, scratch.key, gain: keyGain)
  }

  /// The weights of the old and the new logits sit in the query alone.
  private func scales(_ part: HeadRows.Part) -> (old: Float, new: Float) {
    part == .query ? (1 - weight, weight) : (1, 1)
  }

  private func join(_ part: HeadRows.Part, _ blended: BlendedScratch, gain: Matrix) {
    let (raw, heads) = (rows.part(part).vectors, count(part))
    let output = blended.output.reshaped(rows: raw.rows, columns: headWidth)
    layerNorm(
      raw, gain: gain, epsilon: epsilon,
      normalised: blended.normalised.reshaped(rows: raw.rows, columns: headWidth),
      reciprocal: blended.reciprocal, output: output)
    let scales = scales(part)
    let (old, new) = halves(part, blended.values)
    rotary.rotate(output, heads: heads, into: new, scale: scales.new)
    if let old { rotary.rotate(raw, heads: heads, into: old, scale: scales.old) }
  }

  /// From the gradients of what attention saw to those of the projection's rows.
  private func finish(
    _ part: HeadRows.Part, _ blended: BlendedScratch, gain: Matrix, dGain: Matrix?
  ) {
    let (dRaw, heads) = (scratch.dRows.part(part).vectors, count(part))
    guard weight > 0 else {
      if rotary.turns { rotary.rotateBackward(dRaw, heads: heads, into: dRaw) }
      return
    }
    let scales = scales(part)
    let (old, new) = halves(part, blended.gradients)
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
  private func halves(_ part: HeadRows.Part, _ matrix: Matrix) -> (old: Matrix?, new: Matrix) {
    let packed = matrix.reshaped(rows: matrix.rows, columns: count(part) * joinedWidth)
    let new = packed.pieces(
      of: joinedWidth, offset: joinedWidth - headWidth, count: headWidth)
    guard weight < 1 else { return (nil, new) }
    return (packed.pieces(of: joinedWidth, offset: 0, count: headWidth), new)
  }
}
