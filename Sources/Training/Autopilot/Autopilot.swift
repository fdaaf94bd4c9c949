import Signals
import Telemetry

/// The rules of `[[when]]` and what has become of them.
///
/// A rule fires when its metric passes the bound, and again only once the metric has been back
/// within it. It depends on nothing but the samples, so that a run resumed from a checkpoint steers
/// itself as one that was never stopped.
struct Autopilot: Sendable, Equatable, Codable {
  /// Commands to give before the next step, and why.
  struct Order: Sendable, Equatable {
    let reason: String
    let value: Double
    let commands: [Command]
  }

  /// A rule that has fired and whose commands are still to be given.
  private struct Firing: Sendable, Equatable, Codable {
    let rule: AutopilotRule
    let count: Int
    let value: Double
  }

  private struct Watch: Sendable, Equatable, Codable {
    let rule: AutopilotRule
    var fired = 0
    /// Whether the metric was beyond the bound when it was last measured.
    var isBeyond = false
  }

  private var watches: [Watch]
  /// A checkpoint may be written between the step and what it ordered.
  private var pending: [Firing] = []

  init(_ rules: [AutopilotRule] = []) {
    watches = rules.map { Watch(rule: $0) }
  }

  var rules: [AutopilotRule] { watches.map(\.rule) }

  mutating func observe(_ samples: StepSamples) {
    for index in watches.indices {
      let rule = watches[index].rule
      guard let value = samples[rule.metric] else { continue }
      let isBeyond = rule.bound.isPassed(by: value)
      let isNews = isBeyond && !watches[index].isBeyond
      watches[index].isBeyond = isBeyond
      guard isNews, watches[index].fired < rule.limit else { continue }
      watches[index].fired += 1
      pending.append(Firing(rule: rule, count: watches[index].fired, value: value))
    }
  }

  /// Whether an order goes back to a checkpoint.
  var goesBack: Bool {
    pending.contains { firing in
      firing.rule.commands.contains { if case .rewind = $0 { true } else { false } }
    }
  }

  /// What has been ordered since this was last asked.
  mutating func takeOrders() -> [Order] {
    defer { pending = [] }
    return pending.map(Self.order)
  }

  /// The run went back: what is beyond a bound now is so for the first time.
  mutating func wentBack() {
    for index in watches.indices { watches[index].isBeyond = false }
  }

  private static func order(_ firing: Firing) -> Order {
    let rule = firing.rule
    let words = rule.commands.map(\.words).joined(separator: ", ")
    let reason =
      "\(rule.metric) is \(NumberText.compact(firing.value, digits: 4)), \(rule.bound.words): \(words)"
      + " (\(firing.count) of \(rule.limit))"
    return Order(reason: reason, value: firing.value, commands: rule.commands)
  }
}

extension TrainingRun {
  /// Gives what the rules ordered in the last step, each with a note of why.
  func applyOrders(now: Double) {
    for order in autopilot.takeOrders() {
      record(
        RunEvent(
          step: step, wallTime: now, kind: .note, by: "autopilot", text: order.reason,
          values: ["value": order.value]))
      for command in order.commands { apply(command, by: "autopilot", now: now) }
    }
  }

  /// Whether the rules have taken a run that is not finite any more back to where it was.
  func isRescued(now: Double) -> Bool {
    let before = rewindCount
    guard autopilot.goesBack else { return false }
    applyOrders(now: now)
    return rewindCount != before
  }
}
