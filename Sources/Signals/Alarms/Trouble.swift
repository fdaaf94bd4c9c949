package import Telemetry

/// Since when a run has been in trouble, by its alarms.
///
/// A trouble begins where its first alarm's cause began and lasts until no alarm is raised any more.
/// What endangers the weights counts first: beside a spike, an expert that died long ago does not
/// make good checkpoints bad.
package struct Trouble: Sendable, Equatable, Codable {
  /// How many alarms of each rule, by its name.
  private var raised: [String: Int] = [:]
  private var acuteSince: Int?
  private var slowSince: Int?

  package init() {}

  /// As the events of a run tell, in their order.
  package init(events: some Sequence<RunEvent>) {
    for event in events { note(event) }
  }

  /// The step at which the present trouble began; nil where there is none.
  package var since: Int? { acuteSince ?? slowSince }

  package mutating func note(_ event: RunEvent) {
    switch event.kind {
    case .diverged:
      acuteSince = acuteSince ?? event.step
    case .alarm:
      guard let rule = event.alarmRule else { return }
      raised[rule.name, default: 0] += 1
      begin(rule, at: event.values[Self.sinceName].map { Int($0) } ?? event.step)
    case .calm:
      guard let rule = event.alarmRule else { return }
      raised[rule.name] = raised[rule.name].flatMap { $0 > 1 ? $0 - 1 : nil }
      if !raised.keys.contains(where: { AlarmRule(rawValue: $0)?.isAcute == true }) {
        acuteSince = nil
      }
      if raised.isEmpty { slowSince = nil }
    default: break
    }
  }

  /// Under it an alarm's event says where its cause began.
  static let sinceName = "since"

  private mutating func begin(_ rule: AlarmRule, at step: Int) {
    slowSince = min(slowSince ?? step, step)
    if rule.isAcute { acuteSince = min(acuteSince ?? step, step) }
  }
}

extension RunHistory {
  /// The step at which the present trouble began; nil where no alarm is raised.
  package var troubleSince: Int? { Trouble(events: lineageEvents).since }

  /// The newest checkpoint from before the present trouble; the newest of all where there is none.
  package var goodCheckpoint: RunEvent? {
    let since = troubleSince ?? .max
    return checkpoints.last { $0.step < since }
  }

  /// The median of the last 25 losses before `step`.
  package func lossLevel(before step: Int) -> Double? {
    guard let series = self[MetricCatalog.loss] else { return nil }
    let end = series.index(atOrAfter: step)
    let values = series.samples(in: max(0, end - LossLevels.block)..<end).values
    let finite = values.filter(\.isFinite)
    return finite.isEmpty ? nil : finite.median
  }
}
