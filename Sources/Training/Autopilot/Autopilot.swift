import Signals
import Telemetry

/// The rules of `[[when]]` and what has become of them.
///
/// A rule fires once its metric has been beyond the bound for the rule's steps, and again only once
/// the metric has been back within it, also where the run went back meanwhile. It depends on nothing
/// but the samples, so that a run resumed from a checkpoint steers itself as one that was never
/// stopped.
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
    /// Whether it has fired since the metric was last within the bound.
    var isBeyond = false
    /// The step from which on the metric has been beyond the bound.
    var since: Int?
    /// Whether the run went back since it fired.
    var wentBack: Bool?

    /// Takes a measurement in; whether the rule fires.
    mutating func fires(at step: Int, _ value: Double) -> Bool {
      guard step >= rule.after else { return false }
      guard rule.bound.isPassed(by: value) else {
        (isBeyond, since, wentBack) = (false, nil, nil)
        return false
      }
      let first = since ?? step
      since = first
      // Nothing else could save a run that is not finite any more.
      let isNews = !isBeyond || (wentBack == true && !value.isFinite)
      guard isNews, step - first >= rule.steps || !value.isFinite, fired < rule.limit else {
        return false
      }
      (isBeyond, wentBack) = (true, nil)
      fired += 1
      return true
    }
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
      guard let value = samples[watches[index].rule.metric],
        watches[index].fires(at: samples.step, value)
      else { continue }
      let watch = watches[index]
      pending.append(Firing(rule: watch.rule, count: watch.fired, value: value))
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

  /// The run went back: how long a metric has been beyond its bound counts anew.
  mutating func wentBack() {
    for index in watches.indices {
      watches[index].since = nil
      watches[index].wentBack = true
    }
  }

  private static func order(_ firing: Firing) -> Order {
    let rule = firing.rule
    let words = rule.commands.map(\.words).joined(separator: ", ")
    let reason =
      "\(rule.metric) is \(NumberText.compact(firing.value, digits: 4)), \(rule.bound.words)"
      + (rule.steps > 0 ? " for \(NumberText.grouped(rule.steps)) steps" : "") + ": \(words)"
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
