import Foundation
import Ranks
import Synchronization
import Telemetry

/// Makes an alarm of ranks that keep a run waiting, at the step for which it waits.
final class RankWatch: Sendable {
  private let step: Atomic<Int>

  init(step: Int) { self.step = Atomic(step) }

  func take(_ record: RunRecord) {
    guard case .samples(let samples) = record else { return }
    step.store(samples.step + 1, ordering: .relaxed)
  }

  func event(of silence: RankSilence) -> RunEvent {
    RunEvent(
      step: step.load(ordering: .relaxed), wallTime: Date().timeIntervalSince1970,
      kind: silence.isOver ? .calm : .alarm, by: "alarm", name: RankedLog.silenceName,
      text: silence.text)
  }
}
