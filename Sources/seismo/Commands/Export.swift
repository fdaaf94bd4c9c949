import ArgumentParser
import Formats
import Foundation
import Sessions
import Signals
import Telemetry

struct Export: ParsableCommand {
  enum Format: String, ExpressibleByArgument, CaseIterable {
    case csv, json, tfevents, svg, html
  }

  static let configuration = CommandConfiguration(
    abstract: "Write a recording for other tools.",
    discussion: """
      csv is a row a step, or with --long a row a sample; json is the lines that train --json \
      prints; tfevents is a folder with an event file for TensorBoard; svg is charts of the \
      metrics that tell the story, or of those that --metric names; html is one page with the \
      charts, events and settings, which needs nothing beside it.
      """)

  @Argument(help: "a session: a file, a name, or NAME@1 for an abandoned line") var session: String
  @Option(help: "csv, json, tfevents, svg or html") var format: Format
  @Option(help: "only the metrics that match, such as 'loss*' or 'expert_load/0/*'")
  var metric: String?
  @Option(help: "an abandoned line: 1 for the one that 'seismo sessions' lists as NAME@1")
  var line: Int?
  @Flag(help: "the abandoned lines too, each under its name: csv (in front) and tfevents")
  var allLines = false
  @Flag(help: "csv with the columns run, step, wall_time, metric, value") var long = false
  @Option(
    help: "where to write (default: standard output; for tfevents a folder named as the session)")
  var output: String?

  mutating func validate() throws {
    if long && format != .csv { throw ValidationError("--long: only --format csv has it") }
    guard allLines else { return }
    guard format == .csv || format == .tfevents else {
      throw ValidationError(
        "--all-lines: csv and tfevents tell lines apart; give --line N for one of them")
    }
    if line != nil || SessionReference.hasLine(session) {
      throw ValidationError("--all-lines and a line: give one of them")
    }
  }

  mutating func run() throws {
    let reference = try SessionReference(session, line: line)
    let reader = try SessionReader(path: reference.path)
    let records = try reader.records(line: reference.line)
    let recorded = RecordedRun(records: records)
    for flaw in recorded.damage { Seismo.report("\(reference.path): \(flaw)") }
    let run = try selected(recorded)
    var lines = [(name: reference.name, run: run)]
    if allLines { lines += try abandoned(reference, reader) }
    switch format {
    case .csv:
      let output = try OutputFile(path: output)
      try writeTables(lines, to: output)
      try output.finish()
    case .json:
      let output = try OutputFile(path: output)
      try JSONLines.eachLine(of: run) { try output.write(line: $0) }
      try output.finish()
    case .tfevents:
      for line in lines { try writeEvents(line.run, folder: folder(of: line.name, reference)) }
    case .svg, .html:
      try writeCharts(records, name: reference.name)
    }
  }

  /// The lines that the run left, under their names.
  private func abandoned(
    _ reference: SessionReference, _ reader: SessionReader
  ) throws -> [(name: String, run: RecordedRun)] {
    try SessionSummary(path: reference.path).abandoned.map { line in
      let name = SessionReference(path: reference.path, line: line.number).name
      let run = RecordedRun(records: try reader.records(line: line.number))
      return (name, try selected(run))
    }
  }

  /// TensorBoard takes the folders below one for runs.
  private func folder(of name: String, _ reference: SessionReference) -> String {
    let folder = output ?? "\(reference.name).tfevents"
    return name == reference.name && !allLines ? folder : "\(folder)/\(name)"
  }

  private func selected(_ run: RecordedRun) throws -> RecordedRun {
    guard let metric else { return run }
    var selected = run.selecting(MetricGlob(metric))
    guard selected.metricCount > 0 else {
      throw Failure.usage(
        "--metric \(metric): none of its \(run.metricCount) metrics matches; it has "
          + run.names.prefix(8).map(\.path).joined(separator: ", "))
    }
    for index in selected.generations.indices { selected.generations[index].happenings = [] }
    return selected
  }

  private func writeTables(
    _ lines: [(name: String, run: RecordedRun)], to output: OutputFile
  ) throws {
    if long { return try writeLongTable(lines, to: output) }
    if !allLines, let run = lines.first?.run { tellLeftOut(of: run) }
    let names = Set(lines.flatMap(\.run.names)).sorted()
    try output.write(line: (allLines ? "run," : "") + CSV.header(names))
    for line in lines {
      let history = RunHistory(line.run.newest.records)
      let prefix = allLines ? CSV.quoted(line.name) + "," : ""
      try CSV.eachRow(of: history, metrics: names) { try output.write(line: prefix + $0) }
    }
  }

  private func writeLongTable(
    _ lines: [(name: String, run: RecordedRun)], to output: OutputFile
  ) throws {
    let hasGenerations = !allLines && lines.contains { !$0.run.superseded.isEmpty }
    try output.write(line: hasGenerations ? CSV.longHeaderWithGenerations : CSV.longHeader)
    for line in lines {
      if hasGenerations {
        try CSV.eachLongRowOfAll(of: line.run, name: line.name) { try output.write(line: $0) }
      } else {
        try CSV.eachLongRow(of: line.run, name: line.name) { try output.write(line: $0) }
      }
    }
  }

  /// A wide table has the newest generation of each metric.
  private func tellLeftOut(of run: RecordedRun) {
    let rows = run.superseded.reduce(0) { rows, generation in
      rows + generation.columns.reduce(into: Set<Int>()) { $0.formUnion($1.steps) }.count
    }
    guard rows > 0 else { return }
    let what = rows == 1 ? "one older row is" : "\(rows) older rows are"
    Seismo.report("\(what) left out: --long keeps every generation")
  }

  private func writeCharts(_ records: [RunRecord], name: String) throws {
    let history = RunHistory(records)
    let names = metric.map { pattern in
      let glob = MetricGlob(pattern)
      return history.names.filter(glob.matches)
    }
    let report = RunReport(history, name: name, metrics: names)
    let output = try OutputFile(path: output)
    try output.write(Array((format == .svg ? report.svg : report.html).utf8))
    try output.finish()
  }

  private func writeEvents(_ run: RecordedRun, folder: String) throws {
    let place = URL(fileURLWithPath: folder)
    do {
      try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
    } catch {
      throw Failure(.badInput, "\(folder): no such folder can be made: choose another --output")
    }
    let created = run.description?.created ?? 0
    let path = place.appendingPathComponent(TensorBoardExport.fileName(created: created)).path
    let output = try OutputFile(path: path)
    try TensorBoardExport(run).eachRecord { try output.write($0) }
    try output.finish()
    try StandardOutput.print(Invocation.shown(path))
  }
}
