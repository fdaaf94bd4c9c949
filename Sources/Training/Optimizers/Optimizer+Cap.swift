import Kernels
import Models
import Ranks

/// The bound of a tensor's change as a share of its norm.
///
/// Rate and decay are scaled alike, so that all that a step changes of a tensor is bounded. Muon's
/// matrices see to it themselves once they are orthogonalised, each on its own, so that their tensor
/// is bounded with them.
extension Optimizer {
  /// Scales each tensor's change to at most `cap` times the tensor's norm.
  func capChanges(_ parameters: FloatBuffer, at cap: Double) {
    measuringChange.run(jobs: updatedGroups.count, Update(steps, parameters))
    if isSharded { ranks.gather(sums, sections.chunks) }
    for (index, chunk) in chunks.enumerated() {
      tensorSums[chunk.tensor].squares += sums[index].squares
    }
    for (index, tensor) in layout.tensors.enumerated() {
      let squares = tensorSums[index].squares
      // The update itself is added up anew.
      tensorSums[index].squares = UpdateSquares()
      guard steps[index].isMeasured else { continue }
      let factor = capFactor(squares, count: tensor.count, cap: cap)
      guard factor < 1 else { continue }
      tensorSums[index].isCapped = true
      steps[index].adam.learningRate *= Float(factor)
      steps[index].adam.decay *= Float(factor)
    }
  }

  /// Of the tensors that were updated, those whose change was scaled down.
  var cappedShare: Double {
    var (updated, capped) = (0, 0)
    for (index, step) in steps.enumerated() where step.rule != nil {
      updated += 1
      if tensorSums[index].isCapped { capped += 1 }
    }
    return updated > 0 ? Double(capped) / Double(updated) : 0
  }
}
