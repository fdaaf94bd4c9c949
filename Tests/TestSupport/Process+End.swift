package import Foundation
import Testing

extension Process {
  /// Waits for the end, and ends by force what has not ended by itself in time: a test that waits
  /// without a limit takes the whole run of the tests with it.
  package func waitForEnd(seconds: Int = 120) {
    guard !hasEnded(within: seconds) else { return }
    Issue.record("\(arguments ?? []) has not ended within \(seconds) seconds")
    kill(processIdentifier, SIGKILL)
    // Only one that hangs in the system itself is there still, and is left to it.
    _ = hasEnded(within: 10)
  }

  private func hasEnded(within seconds: Int) -> Bool {
    let deadline = ContinuousClock.now + .seconds(seconds)
    while isRunning, ContinuousClock.now < deadline { usleep(5_000) }
    return !isRunning
  }
}
