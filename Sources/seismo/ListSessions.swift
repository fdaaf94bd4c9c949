import ArgumentParser
import Foundation
import Sessions
import Signals
import Telemetry

struct ListSessions: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sessions", abstract: "List what is recorded, the newest first.")

  private static let usual = "sessions"

  @Argument(help: "the folder to look in") var folder = usual

  mutating func run() throws {
    guard FileManager.default.fileExists(atPath: folder) || folder == Self.usual else {
      throw Failure(.badInput, "no folder \(folder): name one that holds sessions")
    }
    let summaries = try SessionSummary.sessions(in: folder)
    guard !summaries.isEmpty else {
      print("no sessions in \(folder): '\(Invocation.command)' records one")
      return
    }
    let header = ["name", "steps", "loss", "alarms", "length", "size", "state"]
    let rows = [header] + summaries.map(Self.row)
    let widths = header.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    for row in rows {
      let cells = zip(row, widths).map { $0.padding(toLength: $1, withPad: " ", startingAt: 0) }
      print(cells.joined(separator: "  ").trimmingCharacters(in: CharacterSet.whitespaces))
    }
  }

  private static func row(_ summary: SessionSummary) -> [String] {
    if let flaw = summary.flaw {
      return [summary.name, "", "", "", "", NumberText.bytes(Double(summary.bytes)), flaw]
    }
    return [
      summary.name, NumberText.grouped(summary.steps),
      summary.finalLoss.map { NumberText.compact($0) } ?? "–", "\(summary.alarms)",
      NumberText.duration(seconds: summary.seconds), NumberText.bytes(Double(summary.bytes)),
      summary.isKilled ? "killed" : summary.isLive ? "live" : summary.state.word,
    ]
  }
}
