package import Signals

/// The place of a replay in its recording, and how fast it moves.
///
/// By time, speed is in recorded seconds a second, and a pause in the recording is shortened; by
/// step it is in recorded steps a second.
package struct Playback: Sendable, Hashable {
  package enum Pace: String, Sendable, Hashable, CaseIterable {
    case time, step
  }

  package var step: Int
  package var isPlaying: Bool
  package var speed: Double
  package var pace: Pace
  /// The longest time between two steps, recorded seconds.
  package var idleCap: Double
  /// Recorded seconds already spent on the way to the next step.
  var carry = 0.0

  package static let speeds: [Double] = [
    0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000,
  ]
  package static let usualIdleCap = 1.0
  /// The shortest time between two steps, recorded seconds.
  static let shortestGap = 1e-4

  package init(
    step: Int, isPlaying: Bool = false, speed: Double = 1, pace: Pace = .time,
    idleCap: Double = Self.usualIdleCap
  ) {
    self.step = step
    self.isPlaying = isPlaying
    self.speed = speed
    self.pace = pace
    self.idleCap = idleCap
  }

  /// Moves on by `seconds` of the viewer's time; halts at the end.
  package mutating func advance(seconds: Double, in wallTimes: Series) {
    guard isPlaying, seconds > 0 else { return }
    carry += min(seconds, 1) * speed
    var index = wallTimes.index(atOrAfter: step)
    while index + 1 < wallTimes.count {
      let gap = gap(after: index, in: wallTimes)
      guard gap <= carry else { break }
      carry -= gap
      index += 1
    }
    guard index + 1 < wallTimes.count else {
      step = wallTimes.lastStep ?? step
      halt()
      return
    }
    step = wallTimes.step(atIndex: index)
  }

  /// What it takes to get from a step to the next, recorded seconds or steps.
  private func gap(after index: Int, in wallTimes: Series) -> Double {
    guard pace == .time else { return 1 }
    let elapsed = wallTimes.value(atIndex: index + 1) - wallTimes.value(atIndex: index)
    return min(max(elapsed.isFinite ? elapsed : 0, Self.shortestGap), idleCap)
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
