internal import Kernels

/// What makes queries, keys and values of a layer's input: one weight, or one each.
enum HeadProjection: Sendable {
  /// [3·H·Dh, D], rows of [H][q|k|v][Dh].
  case joined(Linear)
  /// [H·Dh, D] for queries, and for keys and values as many rows as they have heads.
  case apart(query: Linear, key: Linear, value: Linear)

  init(_ configuration: ModelConfiguration, plan: inout TensorPlan) {
    let (width, headWidth) = (configuration.width, configuration.headWidth)
    let (family, names) = (configuration.architecture, configuration.architecture.names)
    guard !family.joinsProjections else {
      self = .joined(
        plan.addLinear(
          names.attention + names.queryKeyValue, [3 * configuration.attentionWidth, width],
          .queryKeyValue(headWidth: headWidth), hasBias: family.hasBiases))
      return
    }
    let parts = [
      ("q_proj", configuration.attentionWidth), ("k_proj", configuration.keyWidth),
      ("v_proj", configuration.keyWidth),
    ].map { name, rows in
      plan.addLinear(names.attention + name, [rows, width], hasBias: family.hasBiases)
    }
    self = .apart(query: parts[0], key: parts[1], value: parts[2])
  }

  /// What makes the queries, and with them all else where it is one weight.
  var query: Linear {
    switch self {
    case .joined(let linear): linear
    case .apart(let query, _, _): query
    }
  }

  /// - Shapes: `input` [M, D]
  func forward(_ input: Matrix, into rows: HeadRows, in pass: PassInputs) {
    switch self {
    case .joined(let linear): pass.multiply(input, by: linear, into: rows.query)
    case .apart(let query, let key, let value):
      pass.multiply(input, by: query, into: rows.query)
      pass.multiply(input, by: key, into: rows.key)
      pass.multiply(input, by: value, into: rows.value)
    }
  }

  /// - Shapes: `input` and `dInput` [M, D], which is overwritten
  func backward(
    _ dRows: HeadRows, input: Matrix, dInput: Matrix, gradients: PassGradients,
    in pass: PassInputs
  ) {
    pass.multiplyBackward(
      dRows.query, by: query, input: input, dInput: dInput, gradients: gradients)
    guard case .apart(_, let key, let value) = self else { return }
    for (dY, linear) in [(dRows.key, key), (dRows.value, value)] {
      pass.multiplyBackward(
        dY, by: linear, input: input, dInput: dInput, adding: true, gradients: gradients)
    }
  }
}

/// One operand of attention in a wider matrix: head h of a row starts at h·step + offset.
struct HeadViews {
  let matrix: Matrix
  let step: Int
  let offset: Int
  let width: Int

  func head(_ head: Int, rows: Matrix.RowRange) -> Matrix {
    matrix.rows(from: rows.start, count: rows.count)
      .columns(from: head * step + offset, count: width)
  }

  /// Those of all heads, which fill the rows: [M·heads, Dh].
  var vectors: Matrix { matrix.pieces(of: step, offset: offset, count: width) }
}

extension Matrix {
  struct RowRange {
    let start: Int
    let count: Int
  }
}

/// The queries, keys and values of a pass's rows, or their gradients: rows of [H][q|k|v][Dh] where one
/// weight makes them all, else a matrix each.
struct HeadRows: Sendable {
  /// [M, H·Dh], or [M, 3·H·Dh] and all three the same.
  private(set) var query: Matrix
  private(set) var key: Matrix
  private(set) var value: Matrix
  private let headWidth: Int
  private let areJoined: Bool

  init(_ configuration: ModelConfiguration, _ plan: MemoryPlan) {
    headWidth = configuration.headWidth
    areJoined = configuration.architecture.joinsProjections
    if areJoined {
      query = plan.matrix(columns: 3 * configuration.attentionWidth)
      (key, value) = (query, query)
    } else {
      query = plan.matrix(columns: configuration.attentionWidth)
      key = plan.matrix(columns: configuration.keyWidth)
      value = plan.matrix(columns: configuration.keyWidth)
    }
  }

  func prefix(_ rows: Int) -> HeadRows {
    var result = self
    result.query = query.rows(from: 0, count: rows)
    result.key = key.rows(from: 0, count: rows)
    result.value = value.rows(from: 0, count: rows)
    return result
  }

  /// What of attention a row is, in the order in which one weight makes them.
  enum Part: Int {
    case query, key, value
  }

  func part(_ part: Part) -> HeadViews {
    HeadViews(
      matrix: matrix(part), step: areJoined ? 3 * headWidth : headWidth,
      offset: areJoined ? part.rawValue * headWidth : 0, width: headWidth)
  }

  private func matrix(_ part: Part) -> Matrix {
    switch part {
    case .query: query
    case .key: key
    case .value: value
    }
  }
}
