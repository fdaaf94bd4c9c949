import Signals
import TOMLKit
import Telemetry
import Training

/// Reads a table `[alarms]`, a person's or a run's; what is wrong is named with its line.
struct AlarmTable {
  let text: String
  let path: String

  static let name = "alarms"

  /// The thresholds that can be used, as options of a run, and what is wrong with the others.
  func options(
    _ value: any TOMLValueConvertible
  ) -> (options: [String: String], flaws: [RunFile.Flaw]) {
    let lines = TOMLLines.of(text)
    func place(_ key: String) -> String { lines[key].map { "\(path):\($0)" } ?? path }
    guard let table = value.table else {
      let reason = "write [alarms] with a rule's name and its threshold, such as loss-spike = 8"
      return ([:], [.wrongValue(path: place(Self.name), key: Self.name, reason: reason)])
    }
    var options: [String: String] = [:]
    var flaws: [RunFile.Flaw] = []
    var thresholds = AlarmThresholds()
    for (key, value) in table {
      if key == Self.ownRules {
        let own = rules(value)
        options.merge(own.options) { first, _ in first }
        flaws += own.flaws
        continue
      }
      let name = "\(Self.name).\(key)"
      guard let rule = AlarmRule(rawValue: key) else {
        let nearest = key.nearest(among: AlarmRule.allCases.map(\.name) + [Self.ownRules])
        flaws.append(.unknownRule(path: place(name), rule: key, nearest: nearest))
        continue
      }
      let words = RunFile.words(value) ?? ""
      if let allowed = thresholds.set(rule, words: words) {
        flaws.append(.wrongValue(path: place(name), key: name, reason: "give \(allowed)"))
      } else {
        options[AlarmThresholds.optionPrefix + rule.name] = words
      }
    }
    return (options, flaws)
  }

  private static let ownRules = "rule"

  /// The tables `[[alarms.rule]]`: a rule each for metrics of any name.
  private func rules(
    _ value: any TOMLValueConvertible
  ) -> (options: [String: String], flaws: [RunFile.Flaw]) {
    let tables = value.array.map { Array($0) } ?? [value]
    var rules: [MetricRule] = []
    var flaws: [RunFile.Flaw] = []
    for (number, table) in tables.enumerated() {
      do throws(RunFile.Flaw) {
        rules.append(try rule(table, name: "\(Self.name).\(Self.ownRules) \(number + 1)"))
      } catch {
        flaws.append(error)
      }
    }
    var thresholds = AlarmThresholds()
    thresholds.rules = rules
    return (thresholds.options, flaws)
  }

  private func rule(
    _ value: any TOMLValueConvertible, name: String
  ) throws(RunFile.Flaw) -> MetricRule {
    guard let table = value.table else {
      throw .wrongValue(
        path: path, key: name, reason: "write [[alarms.rule]] with metric, above or below, for")
    }
    let keys = ["metric", "above", "below", "for"]
    if let key = table.keys.first(where: { !keys.contains($0) }) {
      throw .unknownKey(path: path, key: "\(name).\(key)", nearest: key.nearest(among: keys))
    }
    guard let metric = table["metric"]?.string, !metric.isEmpty else {
      throw .wrongValue(
        path: path, key: "\(name).metric", reason: "give a name such as \"val/*\"")
    }
    for key in ["above", "below"] where table[key] != nil && Self.number(table[key]) == nil {
      throw .wrongValue(path: path, key: "\(name).\(key)", reason: "give a number")
    }
    let count = table["for"] == nil ? 1 : table["for"]?.int ?? 0
    guard (1...1_000_000_000).contains(count) else {
      throw .wrongValue(
        path: path, key: "\(name).for", reason: "give how many values, from 1")
    }
    guard
      let rule = MetricRule(
        pattern: metric, above: Self.number(table["above"]), below: Self.number(table["below"]),
        count: count)
    else {
      throw .wrongValue(path: path, key: name, reason: "give above or below, a number each")
    }
    return rule
  }

  private static func number(_ value: (any TOMLValueConvertible)?) -> Double? {
    (value?.double ?? value?.int.map { Double($0) }).flatMap { $0.isFinite ? $0 : nil }
  }
}
