import Foundation
import TOMLKit
import Telemetry

/// What a person has settled for all runs, in `$XDG_CONFIG_HOME/seismo/config.toml`.
package struct UserConfiguration: Sendable {
  /// A command for the shell, given once an alarm.
  package var onAlarm: String?
  /// What raises the alarms of a new run, as options; a `run.toml` wins.
  package var alarms: [String: String] = [:]
  /// What metrics are called by this person's programs, and what by Seismo.
  package var aliases: [String: String] = [:]
  /// What is wrong with the file, a line each; the rest of it counts.
  package var warnings: [String] = []

  private static let keys = ["on_alarm", "alarms", "aliases"]

  /// Where a person's settings and themes lie.
  package static var folder: String {
    let environment = ProcessInfo.processInfo.environment
    let home =
      environment["XDG_CONFIG_HOME"].flatMap { $0.isEmpty ? nil : $0 }
      ?? (environment["HOME"].map { $0 + "/.config" } ?? "")
    return home + "/seismo"
  }

  package static var path: String { folder + "/config.toml" }

  package init() {}

  /// The file that is there; nothing where there is none.
  package static func found() -> UserConfiguration {
    guard FileManager.default.fileExists(atPath: path) else { return UserConfiguration() }
    guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
      var configuration = UserConfiguration()
      configuration.warnings = ["\(path): cannot be read as UTF-8 text"]
      return configuration
    }
    return UserConfiguration(text: text, path: path)
  }

  package init(text: String, path: String) {
    let table: TOMLTable
    do {
      table = try TOMLText.table(text)
    } catch {
      warnings = ["\(path)\(error.line.map { ":\($0)" } ?? ""): \(error.reason)"]
      return
    }
    let lines = TOMLLines.of(text)
    for key in table.keys {
      let place = lines[key].map { "\(path):\($0)" } ?? path
      switch key {
      case "on_alarm":
        guard let words = table[key]?.string, !words.isEmpty else {
          warnings.append("\(place): on_alarm: give a command for the shell, in quotes")
          continue
        }
        onAlarm = words
      case "alarms":
        let found = table[key].map { AlarmTable(text: text, path: path).options($0) }
        alarms = found?.options ?? [:]
        warnings += found?.flaws.map(\.description) ?? []
      case "aliases":
        guard let names = table[key]?.table else {
          warnings.append("\(place): write [aliases] with lines such as \"my/loss\" = \"loss\"")
          continue
        }
        for (theirs, ours) in names {
          let place = lines["aliases.\(theirs)"] ?? lines["aliases.\"\(theirs)\""]
          guard let ours = ours.string, !ours.isEmpty else {
            warnings.append(
              "\(place.map { "\(path):\($0)" } ?? path): aliases.\(theirs): give a metric's name")
            continue
          }
          aliases[theirs] = ours
        }
      default:
        let nearest = key.nearest(among: Self.keys).map { ": did you mean '\($0)'?" }
        warnings.append("\(place): unknown key '\(key)'\(nearest ?? ": it is left out")")
      }
    }
  }
}
