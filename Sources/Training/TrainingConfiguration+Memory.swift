import Foundation
import Models

/// What a run of this configuration takes of the machine.
extension TrainingConfiguration {
  /// What the parameters and all that is as large as they are, and the activations, take, about.
  package var estimatedBytes: Double {
    let teacher = teacherBytes
    return parameterBytes + teacher.weights + Double(batch) * (windowBytes + teacher.window)
  }

  /// The windows a step may have in this machine's memory, about.
  var largestBatch: Int {
    let memory = Double(ProcessInfo.processInfo.physicalMemory)
    let teacher = teacherBytes
    return max(
      batch,
      Int((memory - parameterBytes - teacher.weights) / (windowBytes + teacher.window)))
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
