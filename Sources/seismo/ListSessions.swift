import ArgumentParser
import Foundation
import Sessions
import Signals
import Telemetry

struct ListSessions: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sessions", abstract: "List what is recorded; rename, delete, tag, note.",
    subcommands: [List.self, Rename.self, Delete.self, Tag.self, Note.self],
    defaultSubcommand: List.self)

  static let usual = "sessions"

  /// The file that `session` names: a path, or the name of one in sessions/.
  static func path(of session: String) -> String {
    let ending = SessionSummary.ending
    let candidates = [session + ending, "\(usual)/\(session)\(ending)"]
    guard !session.hasSuffix(ending) else { return session }
    return candidates.first { FileManager.default.fileExists(atPath: $0) } ?? session
  }
}

extension SessionSummary.Order: ExpressibleByArgument {}

extension ListSessions {
  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "List what is recorded, the newest first.",
      discussion: """
        A filter has words that all must be found, | between alternatives, - or ! before what must \
        not be found. Words are looked for in names, notes and projects; name: note: project: tag: \
        state: config: look there alone, has:grad_norm and has:alarms ask for what is in it, \
        loss<2 compares what the list says (loss, best, steps, alarms, length in seconds, size in \
        bytes) and cfg.lr>=1e-3 an option.
        """)

    @Argument(help: "the folder to look in") var folder = ListSessions.usual
    @Option(help: "loss, steps, date, size or name") var sort = SessionSummary.Order.date
    @Option(help: "only those that match, such as 'cfg.lr>=1e-3 has:alarms | note:cured'")
    var filter: String?

    mutating func run() throws {
      guard FileManager.default.fileExists(atPath: folder) || folder == ListSessions.usual else {
        throw Failure(.badInput, "no folder \(folder): name one that holds sessions")
      }
      let wanted = try filter.map { expression in
        do {
          return try RunFilter(expression)
        } catch {
          throw Failure.usage("--filter \(expression): \(error)")
        }
      }
      let all = try SessionSummary.sessions(in: folder)
      guard !all.isEmpty else {
        try StandardOutput.print("no sessions in \(folder): '\(Invocation.command)' records one")
        return
      }
      let summaries = all.filter { summary in
        wanted?.matches(RunTraits(summary)) ?? true
      }
      guard !summaries.isEmpty else {
        try StandardOutput.print("none of \(all.count) sessions in \(folder) matches")
        return
      }
      try printTable(summaries.sorted(by: sort))
    }

    private func printTable(_ summaries: [SessionSummary]) throws {
      let header = ["name", "steps", "loss", "alarms", "length", "size", "state"]
      let rows = [header] + summaries.map(Self.row)
      let widths = header.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
      for row in rows {
        let cells = zip(row, widths).map { $0.padding(toLength: $1, withPad: " ", startingAt: 0) }
        let line = cells.joined(separator: "  ")
        try StandardOutput.print(line.trimmingCharacters(in: CharacterSet.whitespaces))
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
        summary.word,
      ]
    }
  }
}
