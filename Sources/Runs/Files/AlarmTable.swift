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
      let name = "\(Self.name).\(key)"
      guard let rule = AlarmRule(rawValue: key) else {
        let nearest = key.nearest(among: AlarmRule.allCases.map(\.name))
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
}
