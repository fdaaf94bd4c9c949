/// A number and the step at which it was measured.
package struct StepValue: Sendable, Hashable {
  package var step: Int
  package var value: Double

  package init(step: Int, value: Double) {
    self.step = step
    self.value = value
  }
}
