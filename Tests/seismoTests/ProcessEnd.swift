import Foundation
import Testing

extension Process {
  /// Waits for the end, and ends by force what has not ended by itself in time: a test that waits
  /// without a limit takes the whole run of the tests with it.
  func waitForEnd(seconds: Int = 120) {
    let deadline = ContinuousClock.now + .seconds(seconds)
    while isRunning, ContinuousClock.now < deadline { usleep(5_000) }
    guard isRunning else { return }
    Issue.record("\(arguments ?? []) has not ended within \(seconds) seconds")
    kill(processIdentifier, SIGKILL)
    while isRunning { usleep(5_000) }
  }
}
