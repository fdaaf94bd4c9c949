import Screen
import Signals

/// What moves a replay.
enum ReplayCommands {
  private static let isReplay: @Sendable (DashboardState) -> Bool = { $0.isReplay }

  static let table: [DashboardCommand] = [
    DashboardCommand(
      "play", keys: [.character(" ")], group: .replay, bar: .init("play", rank: 1),
      "Play the recording, or pause it; at its end, play it again.", applies: isReplay
    ) { state in
      state.togglePlaying()
      return []
    },
    DashboardCommand(
      "backward", keys: [.character(",")], group: .replay,
      bar: .init("step", rank: 6, keys: ", .", second: "forward"),
      "Go one recorded step back, and pause.", applies: isReplay
    ) { state in
      state.movePlayhead(by: -1)
      return []
    },
    DashboardCommand(
      "forward", keys: [.character(".")], group: .replay,
      "Go one recorded step forward, and pause.", applies: isReplay
    ) { state in
      state.movePlayhead(by: 1)
      return []
    },
    DashboardCommand(
      "slower", keys: [.character("<")], group: .replay,
      bar: .init("speed", rank: 2, keys: "< >", second: "faster"),
      "Play more slowly.", applies: isReplay
    ) { state in
      state.changeSpeed(faster: false)
      return []
    },
    DashboardCommand(
      "faster", keys: [.character(">")], group: .replay, "Play faster.", applies: isReplay
    ) { state in
      state.changeSpeed(faster: true)
      return []
    },
  ]
}

extension DashboardState {
  mutating func togglePlaying() {
    guard var playback else { return }
    if playback.isPlaying {
      playback.halt()
    } else {
      if playback.step >= recordedSteps.upperBound { playback.jump(to: recordedSteps.lowerBound) }
      playback.isPlaying = true
    }
    self.playback = playback
  }

  mutating func changeSpeed(faster: Bool) {
    playback?.changeSpeed(faster: faster)
    say("speed \(speedText)")
  }

  package var speedText: String {
    let speed = playback?.speed ?? 1
    let number = speed < 1 ? "\(speed)" : "\(Int(speed))"
    return playback?.pace == .step ? "\(number) steps/s" : number + "×"
  }

  /// Moves a replay to the recorded step `count` samples away; from between two of them, the first
  /// counts.
  mutating func movePlayhead(by count: Int) {
    let times = history.wallTimes
    guard let step = playback?.step, !times.isEmpty else { return }
    let next = times.index(atOrAfter: step)
    let isBetween = next < times.count && times.step(atIndex: next) > step
    let index = min(max(0, next + (isBetween && count > 0 ? count - 1 : count)), times.count - 1)
    playback?.halt()
    playback?.jump(to: times.step(atIndex: index))
  }

  /// Moves a replay to `step`, or to the recorded end that lies before it.
  mutating func jump(to step: Int) {
    let recorded = recordedSteps
    let inside = min(max(step, recorded.lowerBound), recorded.upperBound)
    guard inside != playback?.step else { return }
    playback?.jump(to: inside)
  }
}
