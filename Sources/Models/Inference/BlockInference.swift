internal import Kernels

/// A block in the memory of passes over texts that grow.
struct BlockInference: Sendable {
  private let mixerGain: TensorPlace
  private var mixer: any LayerInference
  private let feedForwardGain: TensorPlace
  private var feedForward: any LayerInference

  init(_ block: Transformer.Block, _ plan: inout InferencePlan) {
    let mixer = block.mixer.inference(&plan)
    let feedForward = block.feedForward.inference(&plan)
    mixerGain = block.mixerGain
    self.mixer = block.mixerAdapter?.inference(behind: mixer, &plan) ?? mixer
    feedForwardGain = block.feedForwardGain
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
    norm.normalise(residual, by: mixerGain, in: pass)
    mixer.forward(norm.output, addingTo: residual, of: texts, in: pass)
    norm.normalise(residual, by: feedForwardGain, in: pass)
    feedForward.forward(norm.output, addingTo: residual, of: texts, in: pass)
  }

  func copy(_ positions: Int, from slot: Int, to other: Int) {
    mixer.copy(positions, from: slot, to: other)
    feedForward.copy(positions, from: slot, to: other)
  }
}
