/// How much of the logits comes from layer-normalised queries and keys, step by step.
///
/// The logits in force are `(1 - w) z_old + w z_new`. A switch at step s leaves w as it was in step
/// s, so that the first step after it has exactly the loss it would have had, and reaches the other
/// end in step s + `blendSteps`, linearly between. Calibrating the gains to the present scale
/// instead would keep the disease.
/// - Source: the normalisation is Wortsman et al. 2023, section 3.1.1; the blend is Seismo's.
package struct QKLayerNormBlend: Sendable, Equatable, Codable {
  package private(set) var isOn: Bool
  package private(set) var blendSteps: Int
  private var startStep = 0
  private var startWeight: Double

  package init(isOn: Bool, blendSteps: Int) {
    self.isOn = isOn
    self.blendSteps = blendSteps
    startWeight = isOn ? 1 : 0
  }

  /// Switches at `step`, from whatever the weight is there.
  package mutating func set(_ isOn: Bool, at step: Int) {
    startWeight = weight(at: step)
    startStep = step
    self.isOn = isOn
  }

  /// Takes another length for the blends to come; one that is under way at `step` keeps its own.
  package mutating func set(blendSteps: Int, at step: Int) {
    guard weight(at: step) == (isOn ? 1 : 0) else { return }
    startWeight = isOn ? 1 : 0
    self.blendSteps = blendSteps
  }

  /// The weight w of the normalised logits in `step`.
  package func weight(at step: Int) -> Double {
    let target = isOn ? 1.0 : 0.0
    let passed = step - startStep
    guard passed < blendSteps || passed <= 0 else { return target }
    guard passed > 0 else { return startWeight }
    return startWeight + (target - startWeight) * Double(passed) / Double(blendSteps)
  }

  /// Whether no trace of the normalised logits is in force at `step`.
  package func isAbsent(at step: Int) -> Bool {
    weight(at: step) == 0
  }
}
