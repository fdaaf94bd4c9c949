package import Signals

/// The place of a replay in its recording, and how fast it moves.
///
/// Speed is in recorded seconds a second; a pause in the recording is shortened.
package struct Playback: Sendable, Hashable {
  package var step: Int
  package var isPlaying: Bool
  package var speed: Double
  /// Recorded seconds already spent on the way to the next step.
  var carry = 0.0

  package static let speeds: [Double] = [
    0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000,
  ]
  /// The longest and the shortest time between two steps, recorded seconds.
  static let longestGap = 1.0
  static let shortestGap = 1e-4

  package init(step: Int, isPlaying: Bool = false, speed: Double = 1) {
    self.step = step
    self.isPlaying = isPlaying
    self.speed = speed
  }

  /// Moves on by `seconds` of the viewer's time; halts at the end.
  package mutating func advance(seconds: Double, in wallTimes: Series) {
    guard isPlaying, seconds > 0 else { return }
    carry += min(seconds, 1) * speed
    var index = wallTimes.index(atOrAfter: step)
    while index + 1 < wallTimes.count {
      let elapsed = wallTimes.values[index + 1] - wallTimes.values[index]
      let gap = min(max(elapsed.isFinite ? elapsed : 0, Self.shortestGap), Self.longestGap)
      guard gap <= carry else { break }
      carry -= gap
      index += 1
    }
    guard index + 1 < wallTimes.count else {
      step = wallTimes.lastStep ?? step
      halt()
      return
    }
    step = wallTimes.steps[index]
  }

  package mutating func halt() {
    isPlaying = false
    carry = 0
  }

  package mutating func jump(to step: Int) {
    self.step = step
    carry = 0
  }

  /// The next of the speeds, up or down.
  package mutating func changeSpeed(faster: Bool) {
    let next =
      faster
      ? Self.speeds.first { $0 > speed } : Self.speeds.last { $0 < speed }
    speed = next ?? speed
  }
}
