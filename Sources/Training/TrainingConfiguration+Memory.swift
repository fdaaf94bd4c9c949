import Foundation
import Models

/// What a run of this configuration takes of the machine.
extension TrainingConfiguration {
  /// What the parameters and all that is as large as they are, and the activations, take, about.
  package var estimatedBytes: Double {
    let others = otherModelsBytes
    return parameterBytes + others.weights + Double(batch) * (windowBytes + others.window)
  }

  /// The windows a step may have in this machine's memory, about.
  var largestBatch: Int {
    let memory = Double(ProcessInfo.processInfo.physicalMemory)
    let others = otherModelsBytes
    return max(
      batch, Int((memory - parameterBytes - others.weights) / (windowBytes + others.window)))
  }

  /// What models take that are not trained themselves.
  private var otherModelsBytes: (weights: Double, window: Double) {
    let (teacher, reference) = (teacherBytes, referenceBytes)
    return (teacher.weights + reference.weights, teacher.window + reference.window)
  }

  /// The parameters, one or two moments, the sum of the slices' gradients and theirs, three of the
  /// probe's and two of the update's cosine; W itself, and the own engines of the probes of sharpness
  /// and inspection, where they are asked for.
  private var parameterBytes: Double {
    // Without gradients: a copy to one side, three of the probe's.
    guard optimizer.takesGradients else { return 4 * 5 * Double(model.parameterCount) }
    let moments = optimizer.moments
    let copies =
      7 + moments + max(slices ?? 0, 4) + (model.sigmaReparam ? 1 : 0)
      + (sharpnessEvery > 0 ? 10 : 0) + (inspectEvery > 0 ? 6 : 0) + (subspace > 0 ? 8 : 0)
    let trunk = model.adapter == nil ? 0 : ParameterLayout(model).trunkCount
    // Matrices that are read from an array have no moments of their own.
    let read = model.sharing > 0 ? Double(model.readCount) * Double(copies - moments - 1) : 0
    return 4 * (Double(copies) * Double(model.parameterCount) + Double(trunk) + read)
  }

  private var windowBytes: Double {
    4 * Double(model.passes * model.context * (model.keptPerToken + model.vocabulary))
  }

  /// What a model is held to that it was as the run began: its weights, and of a window the reference's
  /// logits twice, as `Steering` has them and as its pass gives them, and what each token counts.
  private var referenceBytes: (weights: Double, window: Double) {
    guard anchor > 0 || reward != nil else { return (0, 0) }
    let weights = 4 * Double(model.parameterCount)
    return (weights, 4 * Double(model.context * (2 * model.vocabulary + 3)))
  }

  /// The teacher's weights, and what a window takes of its pass and its logits; nothing where it cannot
  /// be read, which is said where it is opened.
  private var teacherBytes: (weights: Double, window: Double) {
    guard let distil, let teacher = try? CheckpointFolder.model(distil) else { return (0, 0) }
    let kept = teacher.configuration.keptPerToken + teacher.configuration.vocabulary
    return (
      4 * Double(teacher.layout.count + teacher.layout.trunkCount),
      4 * Double(model.context * kept)
    )
  }
}
