import Signals
import Telemetry

/// When data came, and how long one usually waits for it.
struct Arrivals {
  var last: Double
  /// The longest of the last few pauses; nil before the second arrival.
  private(set) var usual: Double?

  init(last: Double) {
    self.last = last
  }

  /// Bytes have come, be it only a sign of life.
  mutating func note(_ now: Double) {
    let pause = now - last
    last = now
    // What is written at once comes in several pieces.
    if pause > 0.5 { usual = max(min(pause, 600), (usual ?? 0) * 0.9) }
  }

  func state(now: Double, isWriting: Bool?) -> SourceState {
    Pause(since: last, usual: usual, isWriting: isWriting).state(now: now)
  }
}

/// The time since data came last, against what is usual: slow is told from gone.
struct Pause {
  let since: Double
  /// The longest of the last few pauses, in seconds; nil where none is known.
  let usual: Double?
  /// Whether the writer lives; nil where that is not known.
  let isWriting: Bool?

  /// Shorter pauses are nothing to speak of.
  private static let least = 10.0
  /// Of so many times the usual pause nobody says any more that it is slow.
  private static let factor = 3.0

  func state(now: Double) -> SourceState {
    let usual = usual ?? 0
    guard now - since >= max(Self.least, usual * 1.5) else { return .live }
    return .silent(since: since, remark: remark(isLong: now - since >= usual * Self.factor))
  }

  /// What is said of a pause that is longer than any usual one.
  static let longWords = "held or gone"

  private func remark(isLong: Bool) -> String {
    if isWriting == true { return "its process lives: slow, or held" }
    guard let usual else { return "slow, held or gone" }
    let pause = "usual is \(NumberText.span(seconds: usual))"
    return "\(pause): \(isLong ? Self.longWords : "slow")"
  }
}
