package import Kernels

/// A layer in the memory of passes over texts that grow: a row is one position of one text.
package protocol LayerInference: Sendable {
  /// The same memory for fewer rows.
  func prefix(_ rows: Int) -> Self

  /// - Shapes: `input` [M, D]; `residual` [M, D], added to
  func forward(_ input: Matrix, addingTo residual: Matrix, of texts: TextRows, in pass: PassInputs)

  /// Has a slot go on from where another one's text has come to: its `positions`, all of which are
  /// held.
  func copy(_ positions: Int, from slot: Int, to other: Int)
}

/// A layer that works on each position by itself: its training pass.
struct PositionwiseInference: LayerInference {
  private let pass: any LayerPass

  init(pass: any LayerPass) { self.pass = pass }

  func prefix(_ rows: Int) -> PositionwiseInference {
    PositionwiseInference(pass: pass.prefix(rows))
  }

  func forward(
    _ input: Matrix, addingTo residual: Matrix, of texts: TextRows, in pass: PassInputs
  ) {
    self.pass.forward(input, addingTo: residual, in: pass)
  }

  func copy(_ positions: Int, from slot: Int, to other: Int) {}
}

/// Attention over cached keys and values.
///
/// Keys are kept as attention sees them, normalised and rotated at their own places in the text:
/// logits depend on differences of places alone, so that nothing is turned again when the oldest
/// are dropped.
struct AttentionInference: LayerInference {
  private let layer: CausalSelfAttention
  private var angles: Angles
  /// Whether it is the first that meets a pass's rows, and sets their angles.
  private let setsAngles: Bool
  private var rows: HeadRows
  private var output: Matrix
  private var scratch: HeadScratch
  /// One for each head of keys: [slots·heads]
  private let caches: [HeadCache]
  private let scores: Matrix

  /// Of the trained context, and of a pass's rows.
  private struct Angles: Sendable {
    let trained: RotaryPositions
    let rows: RotaryPositions
  }

  init(_ layer: CausalSelfAttention, _ plan: inout InferencePlan) {
    let configuration = layer.configuration
    let headWidth = configuration.headWidth
    self.layer = layer
    setsAngles = plan.memory[Angles.self] == nil
    let trained = plan.memory.constant {
      RotaryPositions(
        positions: configuration.context, headWidth: headWidth, base: configuration.rotation)
    }
    angles = plan.memory.scratch {
      Angles(
        trained: trained,
        rows: RotaryPositions(
          rows: $0.rows, headWidth: headWidth, base: configuration.rotation))
    }
    rows = HeadRows(configuration, plan.memory)
    output = plan.memory.matrix(columns: configuration.attentionWidth)
    scratch = plan.memory.scratch { HeadScratch(configuration, $0) }
    let (arena, places) = (plan.memory.arena, plan.places)
    let weight = plan.settings.qkLayerNormWeight
    let keyWidth = weight > 0 && weight < 1 ? 2 * headWidth : headWidth
    caches = (0..<plan.slots * configuration.keyHeads).map { _ in
      HeadCache(places: places, keyWidth: keyWidth, valueWidth: headWidth, arena: arena)
    }
    scores = arena.matrix(rows: 1, columns: (places + 15) / 16 * 16)
  }

  func prefix(_ rows: Int) -> AttentionInference {
    var result = self
    result.rows = self.rows.prefix(rows)
    result.output = output.rows(from: 0, count: rows)
    result.scratch = scratch.prefix(rows)
    return result
  }

  func forward(
    _ input: Matrix, addingTo residual: Matrix, of texts: TextRows, in pass: PassInputs
  ) {
    if setsAngles {
      for row in 0..<texts.count {
        angles.rows.setRow(row, to: Int(texts[row].position), of: angles.trained)
      }
    }
    layer.projection.forward(input, into: rows, in: pass)
    layer.heads(
      pass, rotary: angles.rows, rows: rows, output: output, logSumExp: scores,
      scratch: scratch
    ).forward(texts, caches: caches, scores: scores)
    pass.multiply(output, by: layer.output, into: residual, adding: true)
  }

  func copy(_ positions: Int, from slot: Int, to other: Int) {
    let heads = layer.configuration.keyHeads
    for head in 0..<heads {
      caches[other * heads + head].copy(positions, of: caches[slot * heads + head])
    }
  }
}
