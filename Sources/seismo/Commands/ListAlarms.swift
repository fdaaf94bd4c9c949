import ArgumentParser
import Foundation
import Runs
import Signals
import Training

struct ListAlarms: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "alarms", abstract: "List the alarms and what raises them.",
    discussion: """
      Thresholds stand in a table [alarms] of a run.toml, or of the settings for all runs \
      (~/.config/seismo/config.toml): a rule's name, then a number or off.
      """)

  @Option(help: "a run.toml whose thresholds are to be shown") var config: String?

  mutating func run() throws {
    let person = UserConfiguration.found()
    for warning in person.warnings { Seismo.report(warning) }
    let file = try config.map { path throws(RunFile.Flaw) in try RunFile(path: path) }
    let options = person.alarms.merging(file?.options ?? [:]) { _, own in own }
    try StandardOutput.print(Self.lines(AlarmThresholds(options: options)).joined(separator: "\n"))
  }

  /// A rule a line: name, threshold in force, what it watches for, and what may be given.
  static func lines(_ thresholds: AlarmThresholds) -> [String] {
    AlarmRule.allCases.map { rule in
      let words = thresholds.words(rule)
      let usual = AlarmThresholds().words(rule)
      let note = words == usual ? "" : " (usually \(usual))"
      let range = rule.threshold.usual == nil ? "" : "; \(rule.threshold.measure)"
      return rule.name.padding(toLength: 28, withPad: " ", startingAt: 0)
        + words.padding(toLength: 8, withPad: " ", startingAt: 0)
        + rule.sentence(at: thresholds.level(rule)) + note + "\n"
        + String(repeating: " ", count: 36) + "give \(rule.threshold.allowed)\(range)"
    }
  }
}
