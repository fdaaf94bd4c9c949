import Dispatch
import Telemetry

/// What a step's time went into, from the moment the step before was told until this one is.
///
/// Telling a step and what follows it is counted with the next one, since it ends after the numbers
/// of the step are closed. The shares add up to 1.
struct StepPhases {
  enum Phase: String, CaseIterable {
    /// Drawing the windows.
    case data
    /// With what an objective does before it: a teacher's pass, a text that is judged.
    case forward
    case backward
    /// From gradients to new weights, clipping included.
    case optimizer
    /// Held-out losses, probes and sums over what the step has computed.
    case statistics
    /// Handing the numbers over, and the alarms that look at them.
    case recording
    /// Between two steps: commands, checkpoints, pauses.
    case waiting
  }

  static let names = Phase.allCases.map { MetricCatalog.stepShare(phase: $0.rawValue) }

  private var spent = [UInt64](repeating: 0, count: Phase.allCases.count)
  private var mark = DispatchTime.now().uptimeNanoseconds

  /// The time since the last mark went into `phase`.
  mutating func end(_ phase: Phase) {
    add(sinceMark(), to: phase)
  }

  /// The time since the last mark went into both passes, in this proportion.
  mutating func endPasses(forwardShare: Double) {
    let time = sinceMark()
    let forward = UInt64((Double(time) * forwardShare).rounded())
    add(forward, to: .forward)
    add(time - forward, to: .backward)
  }

  /// The shares in the order of `names`; the next step begins here.
  mutating func take() -> [Double] {
    let total = Double(max(spent.reduce(0, +), 1))
    defer { for index in spent.indices { spent[index] = 0 } }
    return spent.map { Double($0) / total }
  }

  private mutating func add(_ time: UInt64, to phase: Phase) {
    guard let index = Phase.allCases.firstIndex(of: phase) else { return }
    spent[index] += time
  }

  private mutating func sinceMark() -> UInt64 {
    let now = DispatchTime.now().uptimeNanoseconds
    defer { mark = now }
    return now - mark
  }
}
