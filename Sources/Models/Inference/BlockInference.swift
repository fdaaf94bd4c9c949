internal import Kernels

/// A block in the memory of passes over texts that grow.
struct BlockInference: Sendable {
  private let mixerNorm: Norm
  private var mixer: any LayerInference
  private let feedForwardNorm: Norm
  private var feedForward: any LayerInference

  init(_ block: Transformer.Block, _ plan: inout InferencePlan) {
    let mixer = block.mixer.inference(&plan)
    let feedForward = block.feedForward.inference(&plan)
    mixerNorm = block.mixerNorm
    self.mixer = block.mixerAdapter?.inference(behind: mixer, &plan) ?? mixer
    feedForwardNorm = block.feedForwardNorm
    self.feedForward =
      block.feedForwardAdapter?.inference(behind: feedForward, &plan) ?? feedForward
  }

  func prefix(_ rows: Int) -> BlockInference {
    var result = self
    result.mixer = mixer.prefix(rows)
    result.feedForward = feedForward.prefix(rows)
    return result
  }

  /// - Shapes: `residual` [M, D], added to
  func forward(
    _ residual: Matrix, _ norm: NormActivations, of texts: TextRows, in pass: PassInputs
  ) {
    norm.normalise(residual, by: mixerNorm, in: pass)
    mixer.forward(norm.output, addingTo: residual, of: texts, in: pass)
    norm.normalise(residual, by: feedForwardNorm, in: pass)
    feedForward.forward(norm.output, addingTo: residual, of: texts, in: pass)
  }

  func copy(_ positions: Int, from slot: Int, to other: Int) {
    mixer.copy(positions, from: slot, to: other)
    feedForward.copy(positions, from: slot, to: other)
  }
}
