internal import Foundation
internal import Kernels

/// A ladder side network: narrow blocks beside the trunk's, which read what these leave and are all
/// that is trained; no gradient passes through the trunk, and nothing of it is kept for one.
///
/// s₀ = P₀·h₀ + b₀ with h₀ the embeddings; before side block i of L, s = μ·s + (1−μ)·(P_i·h_i + b_i),
/// h_i the trunk's stream behind its block i and μ = σ(a_i/0.1), a_i = 0 at first. The unembedding
/// reads LN(h_L + W_up·LN(s)), W_up = 0 at first, so that a new one is the trunk.
/// - Source: Sung et al. 2022 (2206.06522). There the unembedding reads W_up·LN(s) alone, and the side
///   blocks begin with weights cut out of the trunk's; these begin like those of a new model.
struct Ladder: Sendable {
  /// The side network's shape: the trunk's with a width of D/r.
  let configuration: ModelConfiguration
  let blocks: [Transformer.Block]
  /// P [D/r, D] and b [1, D/r] of the embeddings and of each block.
  let rungs: [Rung]
  /// a, one a block.
  let gates: TensorPlace
  let norm: Norm
  /// W_up [D, D/r]
  let up: TensorPlace

  struct Rung: Sendable {
    let weight: TensorPlace
    let bias: TensorPlace
  }

  /// Nil where another adapter is trained, or none.
  init?(_ trunk: ModelConfiguration, plan: inout TensorPlan) {
    guard let side = trunk.side else { return nil }
    configuration = side
    plan.enterLadder()
    rungs = (0...side.layers).map { index in
      Rung(
        weight: plan.add("ladder.down.\(index).weight", [side.width, trunk.width], .adapter),
        bias: plan.add("ladder.down.\(index).bias", [side.width], .bias))
    }
    gates = plan.add("ladder.gates", [side.layers], .coefficients)
    blocks = (0..<side.layers).map { layer in
      Transformer.Block(side, layer: layer, plan: &plan, prefix: "ladder.layers.\(layer).")
    }
    plan.enterLadder()
    norm = plan.addNorm("ladder.layernorm", side)
    up = plan.add(
      "ladder.up.weight", [trunk.width, side.width], .adapter, initial: .repeating([0]))
  }
}

extension Ladder {
  /// P·h + b.
  func climb(
    _ rung: Int, from residual: Matrix, into target: Matrix, in pass: PassInputs
  ) {
    pass.multiply(residual, transposed: rungs[rung].weight, into: target)
    addToRows(pass.parameters[rungs[rung].bias], of: target)
  }

  /// μ = σ(a/0.1) of a block.
  func share(_ layer: Int, _ pass: PassInputs) -> Float {
    1 / (1 + exp(-pass.parameters[gates][0, layer] / 0.1))
  }

  /// s = μ·s + (1−μ)·(P·h + b)
  func mix(_ rung: Matrix, into stream: Matrix, share: Float) {
    scaleRows(stream, by: share)
    addRows(rung, times: 1 - share, to: stream)
  }
}

extension ModelConfiguration {
  /// The shape of a ladder's side network; nil for a model without.
  var side: ModelConfiguration? {
    guard let adapter, adapter.method == .ladder else { return nil }
    var side = self
    side.adapter = nil
    side.width = width / adapter.rank
    side.feedForwardWidth = max(1, feedForwardWidth / adapter.rank)
    // As many heads as have room for rotary positions.
    side.heads = (1...heads).last { side.width % (2 * $0) == 0 } ?? 1
    side.keyValueHeads = nil
    return side
  }
}

/// A ladder in the memory of one pass.
struct LadderPass: Sendable {
  private let ladder: Ladder
  private var blocks: [BlockPass]
  /// s as it is, and before each rung: [M, D/r]
  private var stream: Matrix
  private var before: [Matrix]
  /// P·h + b of each rung: [M, D/r]
  private var rungs: [Matrix]
  /// h behind the embeddings and behind each block: [M, D]
  private var trunk: [Matrix]
  private var norm: NormActivations
  private var dStream: Matrix
  private var dInput: Matrix
  /// What its blocks measure of themselves, which nobody reads.
  private let sums: PassSums

  init?(_ model: Transformer, _ plan: MemoryPlan) {
    guard let ladder = model.ladder else { return nil }
    let (width, layers) = (ladder.configuration.width, ladder.configuration.layers)
    // Its layers have widths of their own.
    var plan = MemoryPlan(arena: plan.arena, rows: plan.rows)
    plan.beginPass()
    self.ladder = ladder
    blocks = ladder.blocks.map { BlockPass($0, width: width, &plan) }
    stream = plan.matrix(columns: width)
    before = (0..<layers).map { _ in plan.matrix(columns: width) }
    rungs = (0..<layers).map { _ in plan.matrix(columns: width) }
    trunk = (0...layers).map { _ in plan.matrix(columns: model.configuration.width) }
    norm = NormActivations(columns: width, plan)
    dStream = plan.matrix(columns: width)
    dInput = plan.matrix(columns: width)
    sums = PassSums(ladder.configuration)
  }

  func prefix(_ rows: Int) -> LadderPass {
    var result = self
    result.blocks = blocks.map { $0.prefix(rows) }
    result.stream = stream.rows(from: 0, count: rows)
    result.before = before.map { $0.rows(from: 0, count: rows) }
    result.rungs = rungs.map { $0.rows(from: 0, count: rows) }
    result.trunk = trunk.map { $0.rows(from: 0, count: rows) }
    result.norm = norm.prefix(rows)
    result.dStream = dStream.rows(from: 0, count: rows)
    result.dInput = dInput.rows(from: 0, count: rows)
    return result
  }

  private func own(_ pass: PassInputs) -> PassInputs {
    var own = pass
    own.sums = sums
    return own
  }

  /// Of the embeddings.
  func begin(_ residual: Matrix, in pass: PassInputs) {
    copyRows(residual, into: trunk[0])
    ladder.climb(0, from: residual, into: stream, in: pass)
  }

  /// Of the stream behind a block of the trunk.
  func forward(_ residual: Matrix, behind layer: Int, in pass: PassInputs) {
    copyRows(residual, into: trunk[layer + 1])
    copyRows(stream, into: before[layer])
    ladder.climb(layer + 1, from: residual, into: rungs[layer], in: pass)
    ladder.mix(rungs[layer], into: stream, share: ladder.share(layer, pass))
    blocks[layer].forward(stream, in: own(pass))
  }

  /// Adds W_up·LN(s) to the trunk's last stream.
  func finish(addingTo residual: Matrix, in pass: PassInputs) {
    norm.normalise(stream, by: ladder.norm, in: pass)
    pass.multiply(norm.output, transposed: ladder.up, into: residual, adding: true)
  }

  /// From the gradient of the trunk's last stream to all gradients of the ladder.
  func backward(_ dResidual: Matrix, gradients: PassGradients, in pass: PassInputs) {
    pass.multiplyBackward(
      dResidual, ladder.up, input: norm.output, dInput: dInput, gradients: gradients)
    dStream.clear()
    norm.backward(dInput, addingTo: dStream, by: ladder.norm, gradients, in: pass)
    for (layer, block) in blocks.enumerated().reversed() {
      block.backward(dStream, dInput: dInput, gradients: gradients, in: own(pass))
      let share = ladder.share(layer, pass)
      gateBackward(layer, share, gradients)
      copyRows(dStream, into: dInput)
      scaleRows(dInput, by: 1 - share)
      rungBackward(ladder.rungs[layer + 1], dInput, trunk[layer + 1], gradients)
      scaleRows(dStream, by: share)
    }
    rungBackward(ladder.rungs[0], dStream, trunk[0], gradients)
  }

  /// da = Σ ds∘(s − P·h − b)·μ·(1 − μ)/0.1
  private func gateBackward(_ layer: Int, _ share: Float, _ gradients: PassGradients) {
    let sum = rowProducts(dStream, before[layer]) - rowProducts(dStream, rungs[layer])
    gradients.tensors[ladder.gates][0, layer] += Float(sum) * share * (1 - share) / 0.1
  }

  private func rungBackward(
    _ rung: Ladder.Rung, _ dTarget: Matrix, _ residual: Matrix, _ gradients: PassGradients
  ) {
    multiply(
      transposed: dTarget, residual, into: gradients.tensors[rung.weight],
      adding: gradients.adds)
    addColumnSums(dTarget, to: gradients.tensors[rung.bias])
  }
}
