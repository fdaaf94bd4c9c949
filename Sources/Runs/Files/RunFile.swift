import Foundation
import TOMLKit
import Telemetry
package import Training

/// What a `run.toml` says: options under the flags' own names, commands by step, commands that
/// depend on a metric, and what raises the alarms.
package struct RunFile: Sendable {
  /// Options of the run, by long name, as text.
  package var options: [String: String] = [:]
  /// Options of the command itself: session, resume, headless, json, theme, on-alarm.
  package var conduct: [String: String] = [:]
  package var script: [ScriptedCommand] = []
  package var autopilot: [AutopilotRule] = []

  static let conductNames = ["session", "resume", "theme", "on-alarm"] + conductFlags
  /// Read elsewhere.
  private static let tables = ["when", AlarmTable.name]
  private static let conductFlags = ["headless", "json"]

  /// Why a `run.toml` cannot be used. The description is one line.
  package enum Flaw: Error, Equatable, CustomStringConvertible {
    case unreadable(path: String, reason: String)
    case syntax(path: String, line: Int, reason: String)
    case unknownKey(path: String, key: String, nearest: String?)
    case unknownRule(path: String, rule: String, nearest: String?)
    case wrongValue(path: String, key: String, reason: String)

    package var description: String {
      switch self {
      case .unreadable(let path, let reason): "\(path): \(reason)"
      case .syntax(let path, let line, let reason): "\(path):\(line): \(reason)"
      case .unknownKey(let path, let key, let nearest):
        "\(path): unknown key '\(key)'"
          + (nearest.map { ": did you mean '\($0)'?" } ?? ": seismo train --help lists the options")
      case .unknownRule(let path, let rule, let nearest):
        "\(path): no alarm '\(rule)'"
          + (nearest.map { ": did you mean '\($0)'?" } ?? ": seismo alarms lists them")
      case .wrongValue(let path, let key, let reason): "\(path): \(key): \(reason)"
      }
    }
  }

  package init() {}

  /// What stands in the file that `--config` names.
  static func text(at path: String) throws(Flaw) -> String {
    do {
      return try String(contentsOfFile: path, encoding: .utf8)
    } catch {
      throw .unreadable(path: path, reason: TOMLText.whyUnreadable(path, option: "--config"))
    }
  }

  /// The text of the file at `path` as TOML.
  static func table(_ text: String, path: String) throws(Flaw) -> TOMLTable {
    do {
      return try TOMLText.table(text)
    } catch {
      guard let line = error.line else { throw .unreadable(path: path, reason: error.reason) }
      throw .syntax(path: path, line: line, reason: error.reason)
    }
  }

  package init(path: String) throws(Flaw) {
    try self.init(text: Self.text(at: path), path: path)
  }

  package init(text: String, path: String) throws(Flaw) {
    let table = try Self.table(text, path: path)
    for (key, value) in table where !Self.tables.contains(key) {
      try read(key, value, path: path)
    }
    if let rules = table["when"] {
      autopilot = try WhenTables(text: text, path: path).rules(rules)
    }
    if let alarms = table[AlarmTable.name] {
      let found = AlarmTable(text: text, path: path).options(alarms)
      if let flaw = found.flaws.first { throw flaw }
      options.merge(found.options) { _, own in own }
    }
    do {
      try TrainingConfiguration.check(options)
    } catch .wrongValue(let name, let value, let allowed) {
      throw .wrongValue(
        path: path, key: name, reason: "'\(value)' is no value for it: give \(allowed)")
    } catch {
      throw .wrongValue(path: path, key: "options", reason: "\(error)")
    }
  }

  private mutating func read(
    _ key: String, _ value: any TOMLValueConvertible, path: String
  ) throws(Flaw) {
    if key == "at" {
      script = try Self.readScript(value, path: path)
      return
    }
    let isConduct = Self.conductNames.contains(key)
    guard isConduct || RunOptionCatalog.option(key) != nil else {
      let known = RunOptionCatalog.all.map(\.name) + Self.conductNames + Self.tables + ["at"]
      throw .unknownKey(path: path, key: key, nearest: key.nearest(among: known))
    }
    guard let words = Self.words(value) else {
      throw .wrongValue(path: path, key: key, reason: "give a number, true, false or a string")
    }
    guard isConduct else {
      options[key] = words
      return
    }
    let isFlag = Self.conductFlags.contains(key)
    guard isFlag ? value.bool != nil : value.string?.isEmpty == false else {
      throw .wrongValue(
        path: path, key: key, reason: isFlag ? "give true or false" : "give a string")
    }
    conduct[key] = words
  }

  static func words(_ value: any TOMLValueConvertible) -> String? {
    if let flag = value.bool { return flag ? "on" : "off" }
    if let number = value.int { return "\(number)" }
    if let number = value.double { return "\(number)" }
    return value.string
  }

  private static func readScript(
    _ value: any TOMLValueConvertible, path: String
  ) throws(Flaw) -> [ScriptedCommand] {
    guard let tables = value.array else {
      throw .wrongValue(path: path, key: "at", reason: "write [[at]] with step and command")
    }
    var script: [ScriptedCommand] = []
    for entry in tables {
      guard let table = entry.table else {
        throw .wrongValue(path: path, key: "at", reason: "write [[at]] with step and command")
      }
      script += try readEntry(table, path: path)
    }
    return script.enumerated().sorted {
      ($0.element.step, $0.offset) < ($1.element.step, $1.offset)
    }
    .map(\.element)
  }

  private static func readEntry(
    _ table: TOMLTable, path: String
  ) throws(Flaw) -> [ScriptedCommand] {
    for key in table.keys where !["step", "command", "commands"].contains(key) {
      let nearest = key.nearest(among: ["step", "command", "commands"])
      throw .unknownKey(path: path, key: "at.\(key)", nearest: nearest)
    }
    guard let step = table["step"]?.int, step >= 0 else {
      throw .wrongValue(path: path, key: "at.step", reason: "give the step as a whole number")
    }
    let given = [table["command"]].compactMap(\.self) + Array(table["commands"]?.array ?? [])
    let lines = given.compactMap(\.string)
    guard !lines.isEmpty, lines.count == given.count,
      table["commands"] == nil || table["commands"]?.array != nil
    else {
      throw .wrongValue(
        path: path, key: "at.command", reason: "give a command, such as \"set qk_layernorm on\"")
    }
    var script: [ScriptedCommand] = []
    for line in lines {
      do {
        script.append(ScriptedCommand(step: step, command: try Command(words: line)))
      } catch {
        throw .wrongValue(path: path, key: "at.command", reason: "\(error)")
      }
    }
    return script
  }
}
