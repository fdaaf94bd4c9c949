import Telemetry

/// How far a rule lets its metric go, in the rule's own measure.
package struct AlarmThreshold: Sendable, Equatable {
  /// Nil for a rule that knows no more and less, only on and off.
  package let usual: Double?
  package let range: ClosedRange<Double>
  package let measure: String

  init(_ usual: Double, _ range: ClosedRange<Double>, _ measure: String) {
    self.usual = usual
    self.range = range
    self.measure = measure
  }

  private init() {
    usual = nil
    range = 0...0
    measure = "on or off"
  }

  static let whole = AlarmThreshold()

  /// As alarms name it: `200`, `1e3`, `12k`.
  package static func words(level: Double) -> String {
    level < 1000 ? SettingValue.number(level).description : NumberText.level(level)
  }

  /// What may be given, in words.
  package var allowed: String {
    guard usual != nil else { return "on or off" }
    return "a number from \(SettingValue.number(range.lowerBound)) to "
      + "\(SettingValue.number(range.upperBound)), or off"
  }
}

extension AlarmRule {
  package var threshold: AlarmThreshold {
    switch self {
    case .lossSpike:
      AlarmThreshold(
        SpikeDetector.threshold, 1...1000, "standard deviations above the recent mean")
    case .lossAboveBest:
      AlarmThreshold(3, 1.1...1000, "standard deviations of a single loss above the best level")
    case .lossDiverged:
      AlarmThreshold(0.3, 0.05...10, "share of the fall from the start to the best that is lost")
    case .noProgress:
      AlarmThreshold(500, 100...10_000, "losses without progress")
    case .attentionLogitsHigh:
      AlarmThreshold(LogitGrowth.warningLevel, 1...1e9, "largest attention logit")
    case .attentionLogitsDiverging:
      AlarmThreshold(
        LogitGrowth.criticalLevel, 1...1e9, "largest attention logit, now or forecast")
    case .notFinite: .whole
    case .logZDrift:
      AlarmThreshold(5, 0.1...1000, "nats that log Z is further from 0 than at its start")
    case .gradientNearEpsilon: AlarmThreshold(10, 0.001...1e6, "gradient's RMS over Adam's ε")
    case .deadExpert:
      AlarmThreshold(ExpertBalance.deadBelow, 0.001...0.9, "share of an even share")
    case .overloadedExpert:
      AlarmThreshold(ExpertBalance.overloadedAbove, 1.1...1000, "times an even share")
    case .heldOutLossRising: AlarmThreshold(0.02, 0.001...10, "share of the lowest loss above it")
    case .functionRunsOff:
      AlarmThreshold(4, 0.1...1e6, "distance from its start over the start's size")
    case .gradientSpike: AlarmThreshold(10, 1...1000, "standard deviations above the recent mean")
    case .acceleratorIdle: AlarmThreshold(5, 0.1...90, "per cent of its time that it is busy")
    case .slowRank: AlarmThreshold(1.5, 1.05...100, "times the median rank's work")
    case .strayWeights: .whole
    case .memoryNearEnd: AlarmThreshold(97, 10...99.9, "per cent of a memory in use")
    }
  }
}

/// What raises each rule in a run: the tables `[alarms]` of a person's settings and of a `run.toml`.
///
/// Rules that nothing is said about have their usual thresholds.
package struct AlarmThresholds: Sendable, Equatable {
  private var levels: [AlarmRule: Double] = [:]
  private var off: Set<AlarmRule> = []
  /// A person's own rules.
  package var rules: [MetricRule] = []

  package init() {}

  /// Before a rule's name where thresholds stand among a run's options.
  package static let optionPrefix = "alarms."

  package static func rule(option: String) -> AlarmRule? {
    guard option.hasPrefix(optionPrefix) else { return nil }
    return AlarmRule(rawValue: String(option.dropFirst(optionPrefix.count)))
  }

  /// The options that are thresholds; names and values that are none are left out.
  package init(options: [String: String]) {
    for (name, words) in options {
      if let rule = Self.rule(option: name) { _ = set(rule, words: words) }
    }
    let own = options.filter { MetricRule.isOption($0.key) }
    rules = own.sorted { ($0.key.count, $0.key) < ($1.key.count, $1.key) }
      .compactMap { MetricRule(words: $0.value) }
  }

  /// What differs from the usual, as options.
  package var options: [String: String] {
    var options: [String: String] = [:]
    for rule in off.union(levels.keys) { options[Self.optionPrefix + rule.name] = words(rule) }
    for (number, rule) in rules.enumerated() {
      options["\(MetricRule.optionPrefix)\(number + 1)"] = rule.words
    }
    return options
  }

  /// Whether the rule raises at all.
  package func isOn(_ rule: AlarmRule) -> Bool { !off.contains(rule) }

  /// The same with these rules off.
  package func without(_ rules: Set<AlarmRule>) -> AlarmThresholds {
    var fewer = self
    fewer.off.formUnion(rules)
    return fewer
  }

  /// Where the rule raises, or would, were it on.
  package func level(_ rule: AlarmRule) -> Double {
    levels[rule] ?? rule.threshold.usual ?? 0
  }

  package func words(_ rule: AlarmRule) -> String {
    if !isOn(rule) { return "off" }
    return rule.threshold.usual == nil ? "on" : SettingValue.number(level(rule)).description
  }

  /// Takes a threshold as a person writes it.
  /// - Returns: what may be given where `words` may not; nil where they are taken.
  package mutating func set(_ rule: AlarmRule, words: String) -> String? {
    let threshold = rule.threshold
    switch SettingValue(words: words) {
    case .flag(false)?:
      off.insert(rule)
    case .flag(true)?:
      off.remove(rule)
    case .number(let level)? where threshold.usual != nil && threshold.range.contains(level):
      off.remove(rule)
      levels[rule] = level == threshold.usual ? nil : level
    default:
      return threshold.allowed
    }
    return nil
  }
}
