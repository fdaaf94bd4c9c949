/// How many windows a step takes, and which ones.
///
/// The batch may change between two steps: the next one goes on with the window after the last one
/// that was seen, so that none is left out and none comes twice. It is always cut in as many slices
/// as the first batch was.
package struct BatchSize: Sendable, Equatable, Codable {
  /// What the run began with; 0 where a checkpoint is older than this setting.
  package let first: Int
  package private(set) var value: Int
  private var since = 0
  private var windowsBefore = 0

  package init(_ value: Int) {
    first = value
    self.value = value
  }

  /// Changes it for `step` and those after it.
  package mutating func set(_ value: Int, at step: Int) {
    windowsBefore = firstWindow(of: step)
    since = step
    self.value = value
  }

  /// The number of the first window of `step`, from 0 at the run's start.
  package func firstWindow(of step: Int) -> Int {
    windowsBefore + (step - since) * value
  }
}
