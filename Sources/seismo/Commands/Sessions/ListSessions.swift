import ArgumentParser
import Foundation
import Runs
import Sessions
import Signals
import Telemetry

struct ListSessions: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sessions", abstract: "List what is recorded; rename, delete, tag, note, restore.",
    subcommands: [List.self, Rename.self, Delete.self, Tag.self, Note.self, Restore.self],
    defaultSubcommand: List.self)
}

extension SessionSummary.Order: ExpressibleByArgument {}

extension ListSessions {
  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "list", abstract: "List what is recorded, the newest first.",
      discussion: """
        A filter has words that all must be found, | between alternatives, - or ! before what must \
        not be found. Words are looked for in names, notes and projects; name: note: project: tag: \
        state: config: look there alone, has:grad_norm and has:alarms ask for what is in it, \
        loss<2 compares what the list says (loss, the held-out one where it was measured, best, \
        steps, alarms, length in seconds, size in bytes) and cfg.lr>=1e-3 an option.

        held-out is the held-out loss measured last, best the lowest one and its step, loss the \
        training loss, smoothed. The order by loss is that of the held-out loss, and of the smoothed \
        one where none was measured.

        A run that was resumed from an earlier step, or went back, leaves the way it had gone as an \
        abandoned line, listed below it. NAME@1, the first line of NAME, is taken by replay, export, \
        compare, reproduce and --overlay; 'sessions restore NAME@1' makes it the run again.
        """)

    @Argument(help: "the folder to look in; host:DIR for another machine's") var folder =
      SessionReference.folder
    @Option(help: "loss, steps, date, size or name") var sort = SessionSummary.Order.date
    @Option(help: "only those that match, such as 'loss<2 cfg.lr>=1e-3 | note:cured'")
    var filter: String?

    mutating func run() throws {
      if !FileManager.default.fileExists(atPath: folder), let place = RemotePlace(folder) {
        return try list(place)
      }
      try checkFolder()
      let wanted = try filter.map(Self.filter)
      let all =
        try wanted == nil
        ? SessionSummary.sessions(in: folder).map { ($0, nil) }
        : SessionSummary.outlines(in: folder)
      guard !all.isEmpty else {
        try StandardOutput.print("no sessions in \(folder): '\(Invocation.command)' records one")
        return
      }
      try wanted?.checkOptions(of: all.map(\.summary))
      let summaries = all.filter { wanted?.matches(RunTraits($0.summary, $0.outline)) ?? true }
        .map(\.summary)
      guard !summaries.isEmpty else {
        try StandardOutput.print("none of \(all.count) sessions in \(folder) matches")
        return
      }
      try printTable(summaries.sorted(by: sort))
    }

    /// Another machine's sessions: as its own seismo lists them, or what their files tell.
    private func list(_ place: RemotePlace) throws {
      let order = sort == .date ? [] : ["--sort", sort.rawValue]
      let wanted = filter.map { ["--filter", $0] } ?? []
      switch try RemoteListing.read(place, options: order + wanted) {
      case .listed(let lines):
        for line in lines { try StandardOutput.print(line) }
      case .files(let files):
        guard !files.isEmpty else {
          return try StandardOutput.print("no sessions in \(folder)")
        }
        let newest = files.sorted { ($0.changed, $1.name) > ($1.changed, $0.name) }
        try Self.printCells(
          [["name", "size", "written", "state"]] + newest.map(Self.cells))
        Seismo.report(
          "\(place.host) has no seismo: the rest is in the files, which 'scp' brings here")
      }
    }

    private static func cells(_ file: RemoteListing.File) -> [String] {
      let format = ISO8601DateFormatter()
      format.formatOptions = [
        .withFullDate, .withTime, .withColonSeparatorInTime, .withSpaceBetweenDateAndTime,
      ]
      let time =
        file.changed > 0 ? format.string(from: Date(timeIntervalSince1970: file.changed)) : "–"
      let name =
        file.name.hasSuffix(SessionSummary.ending)
        ? String(file.name.dropLast(SessionSummary.ending.count)) : file.name
      return [
        name, NumberText.bytes(Double(file.bytes)), time, file.isWritten ? "open" : "",
      ]
    }

    private func checkFolder() throws(Failure) {
      var isFolder: ObjCBool = false
      let exists = FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder)
      guard exists else {
        if folder == SessionReference.folder { return }
        throw Failure(.badInput, "no folder \(folder): name one that holds sessions")
      }
      guard isFolder.boolValue else {
        throw Failure(.badInput, "\(folder) is a file: name the folder that holds it")
      }
    }

    private static func filter(_ expression: String) throws(Failure) -> RunFilter {
      do throws(RunFilter.Flaw) {
        return try RunFilter(expression)
      } catch {
        throw Failure.usage("--filter '\(expression)': \(error)")
      }
    }

    private func printTable(_ summaries: [SessionSummary]) throws {
      let header = [
        "name", "steps", "loss", "held-out", "best", "at step", "alarms", "length", "size", "state",
      ]
      try Self.printCells([header] + summaries.flatMap(Self.rows))
    }

    private static func printCells(_ rows: [[String]]) throws {
      let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
      for row in rows {
        let cells = zip(row, widths).map { $0.padding(toLength: $1, withPad: " ", startingAt: 0) }
        let line = cells.joined(separator: "  ")
        let end = line.lastIndex { $0 != " " }.map { line.index(after: $0) } ?? line.startIndex
        try StandardOutput.print(String(line[..<end]))
      }
    }

    /// The run as it went in the end, below it the lines that it left.
    private static func rows(_ summary: SessionSummary) -> [[String]] {
      let size = NumberText.bytes(Double(summary.bytes))
      if let flaw = summary.flaw {
        return [[summary.name, "", "", "", "", "", "", "", size, flaw]]
      }
      let left = summary.abandoned.count
      let words = left == 0 ? "" : ", \(left == 1 ? "one" : "\(left)") abandoned"
      let figures = [
        "\(summary.alarms)", NumberText.duration(seconds: summary.seconds), size,
        summary.word + words,
      ]
      let lines = summary.abandoned.map { line in
        let name = SessionReference(path: summary.path, line: line.number).name
        let place = line.leftAt.map { "abandoned at step \(NumberText.grouped($0))" } ?? ""
        return ["  \(name)"] + losses(line) + ["", "", "", place]
      }
      return [[summary.name] + losses(summary.newest) + figures] + lines
    }

    /// How far a line went, and how good it was.
    private static func losses(_ line: SessionLine) -> [String] {
      func text(_ value: Double?) -> String { value.map { NumberText.compact($0) } ?? "–" }
      let steps = NumberText.grouped(line.steps)
      let isThrough = line.totalSteps.map { line.steps >= $0 } ?? true
      let total = isThrough ? "" : line.totalSteps.map { " of \(NumberText.grouped($0))" } ?? ""
      return [
        steps + total, text(line.smoothedLoss), text(line.heldOut?.value), text(line.best?.value),
        line.best.map { NumberText.grouped($0.step) } ?? "–",
      ]
    }
  }
}

extension RunFilter {
  /// An option that no session has was hardly meant.
  fileprivate func checkOptions(of sessions: [SessionSummary]) throws(Failure) {
    let options = sessions.reduce(into: [:]) { $0.merge($1.options) { first, _ in first } }
    for name in comparedOptions where !RunFilter.has(option: name, in: options) {
      let nearest = name.nearest(among: options.keys.sorted())
      throw Failure.usage(
        "--filter: no session here has an option '\(name)'"
          + (nearest.map { ": did you mean 'cfg.\($0)'?" } ?? ": seismo train --help lists them"))
    }
  }
}
