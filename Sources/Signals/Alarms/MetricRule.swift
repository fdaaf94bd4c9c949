import Telemetry

/// A person's own rule for any metric: what it may not be above or below, for so many values on end.
package struct MetricRule: Sendable, Hashable {
  /// The metrics it is for, as a shell writes names.
  package let pattern: String
  package let above: Double?
  package let below: Double?
  /// So many values in succession make an alarm, and as many end it.
  package let count: Int

  /// Nil where there is neither a bound nor a name.
  package init?(pattern: String, above: Double?, below: Double?, count: Int = 1) {
    let bounds = [above, below].compactMap(\.self)
    guard !pattern.isEmpty, !bounds.isEmpty, bounds.allSatisfy(\.isFinite), count > 0 else {
      return nil
    }
    (self.pattern, self.above, self.below, self.count) = (pattern, above, below, count)
  }

  /// What may be written, in words.
  package static let allowed = "a metric, above or below a number, for so many values"

  /// Before a rule's number where rules stand among a run's options.
  package static let optionPrefix = "alarms.rule."

  package static func isOption(_ name: String) -> Bool { name.hasPrefix(optionPrefix) }

  /// As options hold it: `val/* above 3 for 5`.
  package var words: String {
    let bounds = [("above", above), ("below", below)].compactMap { word, bound in
      bound.map { "\(word) \(SettingValue.number($0).description)" }
    }
    return ([pattern] + bounds + (count > 1 ? ["for \(count)"] : [])).joined(separator: " ")
  }

  package init?(words: String) {
    var rest = words.split(separator: " ").map(String.init)
    var bounds: [String: Double] = [:]
    while rest.count > 2, let number = Double(rest[rest.count - 1]) {
      let word = rest[rest.count - 2]
      guard ["above", "below", "for"].contains(word), bounds[word] == nil else { break }
      bounds[word] = number
      rest.removeLast(2)
    }
    let count = bounds["for"] ?? 1
    guard count == count.rounded(), (1...1e9).contains(count) else { return nil }
    self.init(
      pattern: rest.joined(separator: " "), above: bounds["above"], below: bounds["below"],
      count: Int(count))
  }

  /// Whether a value is where the rule does not want it; what is no number is for another rule.
  func isBroken(by value: Double) -> Bool {
    above.map { value > $0 } ?? false || below.map { value < $0 } ?? false
  }

  /// What an alarm's event has as its name.
  var name: String { "rule \(words)" }
}

/// What a person's rules have seen of a run.
struct MetricRuleWatch: Sendable, Codable {
  private struct Standing: Sendable, Codable {
    var isRaised = false
    /// Values in succession that speak for the other side.
    var count = 0
  }

  private var standings: [String: Standing] = [:]
  /// Which rules are for a metric, looked up once.
  private var matches: [MetricName: [MetricRule]] = [:]

  private enum CodingKeys: String, CodingKey { case standings }

  /// - Returns: the alarms that a step's values raised or ended.
  mutating func take(_ samples: StepSamples, _ rules: [MetricRule]) -> [RunEvent] {
    guard !rules.isEmpty else { return [] }
    var events: [RunEvent] = []
    for (name, value) in zip(samples.names, samples.values) {
      for rule in found(for: name, among: rules) {
        if let event = take(value, of: name, rule, samples) { events.append(event) }
      }
    }
    return events
  }

  private mutating func found(for name: MetricName, among rules: [MetricRule]) -> [MetricRule] {
    if let known = matches[name] { return known }
    let found = rules.filter { MetricGlob($0.pattern).matches(name) }
    matches[name] = found
    return found
  }

  private mutating func take(
    _ value: Double, of name: MetricName, _ rule: MetricRule, _ samples: StepSamples
  ) -> RunEvent? {
    let key = "\(rule.words) \(name.path)"
    var standing = standings[key] ?? Standing()
    defer { standings[key] = standing }
    guard rule.isBroken(by: value) != standing.isRaised else {
      standing.count = 0
      return nil
    }
    standing.count += 1
    guard standing.count >= rule.count else { return nil }
    standing = Standing(isRaised: !standing.isRaised)
    let number = NumberText.compact(value)
    let length = rule.count > 1 ? " for \(rule.count) values" : ""
    let side = rule.above.map { value > $0 } ?? false ? "above" : "below"
    let bound = NumberText.compact((side == "above" ? rule.above : rule.below) ?? .nan)
    let text =
      standing.isRaised
      ? "\(name) \(number) is \(side) \(bound)\(length)" : "\(name) is back at \(number)"
    return RunEvent(
      step: samples.step, wallTime: samples.wallTime, kind: standing.isRaised ? .alarm : .calm,
      by: "alarm", name: rule.name, text: text, values: [name.path: value])
  }
}
