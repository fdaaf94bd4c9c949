import Foundation
import TOMLKit
import Telemetry
import Training

/// Reads the `[[when]]` tables of a `run.toml`; what is wrong is named with its line.
struct WhenTables {
  let text: String
  let path: String

  private static let keys = [
    "metric", "above", "below", "after", "for", "command", "commands", "at_most",
  ]
  private static let mostSteps = 1_000_000_000

  func rules(_ value: any TOMLValueConvertible) throws(RunFile.Flaw) -> [AutopilotRule] {
    guard let tables = value.array else {
      throw wrong(nil, nil, "write [[when]] with metric, above or below, and command")
    }
    var rules: [AutopilotRule] = []
    for (index, entry) in tables.enumerated() {
      guard let table = entry.table else {
        throw wrong(index, nil, "write [[when]] with metric, above or below, and command")
      }
      rules.append(try rule(table, index))
    }
    return rules
  }

  private func rule(_ table: TOMLTable, _ index: Int) throws(RunFile.Flaw) -> AutopilotRule {
    for key in table.keys where !Self.keys.contains(key) {
      throw .unknownKey(
        path: place(index, key), key: "when.\(key)", nearest: key.nearest(among: Self.keys))
    }
    return AutopilotRule(
      metric: try metric(table, index), bound: try bound(table, index),
      commands: try commands(table, index),
      limit: try count("at_most", 1...1000, of: table, index) ?? 1,
      after: try count("after", 0...Self.mostSteps, of: table, index) ?? 0,
      steps: try count("for", 0...Self.mostSteps, of: table, index) ?? 0)
  }

  private func count(
    _ key: String, _ range: ClosedRange<Int>, of table: TOMLTable, _ index: Int
  ) throws(RunFile.Flaw) -> Int? {
    guard let value = table[key] else { return nil }
    guard let count = value.int, range.contains(count) else {
      throw wrong(
        index, key, "give a whole number from \(range.lowerBound) to \(range.upperBound)")
    }
    return count
  }

  private func metric(_ table: TOMLTable, _ index: Int) throws(RunFile.Flaw) -> MetricName {
    guard let words = table["metric"]?.string else {
      throw wrong(index, "metric", "give a metric's name, such as \"loss\"")
    }
    let name = MetricName(words)
    guard let family = MetricCatalog.family(of: name) else {
      let nearest = words.nearest(among: MetricCatalog.families.map(\.pattern))
      let hint = nearest.map { "did you mean '\($0)'?" } ?? "the README lists them"
      throw wrong(index, "metric", "no metric '\(words)': \(hint)")
    }
    guard !family.isMeasuredByClock else {
      throw wrong(index, "metric", "'\(words)' is said by a clock: no run could be reproduced")
    }
    return name
  }

  private func bound(
    _ table: TOMLTable, _ index: Int
  ) throws(RunFile.Flaw) -> AutopilotRule.Bound {
    func number(_ key: String) throws(RunFile.Flaw) -> Double? {
      guard let value = table[key] else { return nil }
      guard let number = value.double ?? value.int.map(Double.init), number.isFinite else {
        throw wrong(index, key, "give a number")
      }
      return number
    }
    switch (try number("above"), try number("below")) {
    case (let above?, nil): return .above(above)
    case (nil, let below?): return .below(below)
    default: throw wrong(index, nil, "give one of above and below")
    }
  }

  private func commands(_ table: TOMLTable, _ index: Int) throws(RunFile.Flaw) -> [Command] {
    let given = [table["command"]].compactMap(\.self) + Array(table["commands"]?.array ?? [])
    let lines = given.compactMap(\.string)
    let key = table["commands"] == nil ? "command" : "commands"
    guard !lines.isEmpty, lines.count == given.count,
      table["commands"] == nil || table["commands"]?.array != nil
    else { throw wrong(index, key, "give a command, such as \"rewind good skip 50\"") }
    var commands: [Command] = []
    for line in lines {
      do throws(CommandError) {
        commands.append(try Command(words: line))
      } catch {
        throw wrong(index, key, error.description)
      }
    }
    return commands
  }

  private func wrong(_ index: Int?, _ key: String?, _ reason: String) -> RunFile.Flaw {
    .wrongValue(
      path: index.map { place($0, key) } ?? path, key: key.map { "when.\($0)" } ?? "when",
      reason: reason)
  }

  /// The file and the line of `key` in the table with this number, or of the table itself.
  private func place(_ index: Int, _ key: String?) -> String {
    var table = -1
    var start: Int?
    for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
    {
      let words = line.drop { $0 == " " || $0 == "\t" }
      if words.hasPrefix("[") {
        if table == index { break }
        if words.hasPrefix("[[when]]") || words.hasPrefix("[[ when ]]") { table += 1 }
        if table == index { start = number + 1 }
      } else if table == index, let key, words.hasPrefix(key) {
        let rest = words.dropFirst(key.count).drop { $0 == " " || $0 == "\t" }
        if rest.hasPrefix("=") { return "\(path):\(number + 1)" }
      }
    }
    return start.map { "\(path):\($0)" } ?? path
  }
}
