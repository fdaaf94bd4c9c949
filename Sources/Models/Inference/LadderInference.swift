internal import Kernels

/// A ladder in the memory of passes over texts that grow: its blocks keep keys and values of their own.
struct LadderInference: Sendable {
  private let ladder: Ladder
  private var blocks: [BlockInference]
  private var stream: Matrix
  private var rung: Matrix
  private var norm: NormActivations

  /// Nil for a model without.
  init?(_ model: Transformer, _ plan: InferencePlan) {
    guard let ladder = model.ladder else { return nil }
    let width = ladder.configuration.width
    // Its layers have widths of their own.
    var own = plan
    own.memory = MemoryPlan(arena: plan.memory.arena, rows: plan.memory.rows)
    self.ladder = ladder
    blocks = ladder.blocks.map { BlockInference($0, &own) }
    stream = own.memory.matrix(columns: width)
    rung = own.memory.matrix(columns: width)
    norm = NormActivations(columns: width, own.memory)
  }

  func prefix(_ rows: Int) -> LadderInference {
    var result = self
    result.blocks = blocks.map { $0.prefix(rows) }
    result.stream = stream.rows(from: 0, count: rows)
    result.rung = rung.rows(from: 0, count: rows)
    result.norm = norm.prefix(rows)
    return result
  }

  /// Of the embeddings.
  func begin(_ residual: Matrix, in pass: PassInputs) {
    ladder.climb(0, from: residual, into: stream, in: pass)
  }

  /// Of the stream behind a block of the trunk.
  func forward(_ residual: Matrix, behind layer: Int, of texts: TextRows, in pass: PassInputs) {
    ladder.climb(layer + 1, from: residual, into: rung, in: pass)
    ladder.mix(rung, into: stream, share: ladder.share(layer, pass))
    blocks[layer].forward(stream, norm, of: texts, in: pass)
  }

  /// Adds W_up·LN(s) to the trunk's last stream.
  func finish(addingTo residual: Matrix, in pass: PassInputs) {
    norm.normalise(stream, by: ladder.norm, in: pass)
    pass.multiply(norm.output, transposed: ladder.up, into: residual, adding: true)
  }

  func copy(_ positions: Int, from slot: Int, to other: Int) {
    for block in blocks { block.copy(positions, from: slot, to: other) }
  }
}
