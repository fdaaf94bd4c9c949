package import Telemetry

/// One way that a run went: where it was resumed from an earlier step, or went back, the way it had
/// gone before is an abandoned line, and what it came to is still there.
package struct SessionLine: Sendable, Hashable {
  /// How it is asked for: `NAME@1` is the first line of session NAME.
  package var number: Int
  /// The step from which on later lines went another way; nil for the newest line.
  package var leftAt: Int?
  /// Steps done.
  package var steps = 0
  package var totalSteps: Int?
  /// Those with which it was left; nil where they are not known, and of the newest line.
  package var options: [String: String]?
  /// The held-out loss measured last, and the lowest one.
  package var heldOut: StepValue?
  package var best: StepValue?
  /// The training loss, smoothed as the charts do it.
  package var smoothedLoss: Double?

  package init(number: Int) {
    self.number = number
  }

  package var isAbandoned: Bool { leftAt != nil }

  /// What it is judged by: the held-out loss, or where none was measured the smoothed one.
  package var judgedLoss: Double? { heldOut?.value ?? smoothedLoss }
}
