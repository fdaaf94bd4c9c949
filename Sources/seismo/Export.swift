import ArgumentParser
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

  @Argument(help: "a .seismo file") var session: String
  @Option(help: "csv, json, tfevents, svg or html") var format: Format
  @Option(help: "only the metrics that match, such as 'loss*' or 'expert_load/0/*'")
  var metric: String?
  @Flag(help: "csv with the columns run, step, wall_time, metric, value") var long = false
  @Option(
    help: "where to write (default: standard output; for tfevents a folder named as the session)")
  var output: String?

  mutating func validate() throws {
    if long && format != .csv { throw ValidationError("--long: only --format csv has it") }
  }

  mutating func run() throws {
    let records = try SessionReader(path: session).records()
    let recorded = RecordedRun(records: records)
    for flaw in recorded.damage { Seismo.report("\(session): \(flaw)") }
    let run = try selected(recorded)
    let name = URL(fileURLWithPath: session).deletingPathExtension().lastPathComponent
    switch format {
    case .csv:
      let output = try OutputFile(path: output)
      if long { try writeLong(run, name: name, to: output) } else { try write(run, to: output) }
      try output.finish()
    case .json:
      let output = try OutputFile(path: output)
      try JSONLines.eachLine(of: run) { try output.write(line: $0) }
      try output.finish()
    case .tfevents:
      try writeEvents(run, folder: output ?? "\(name).tfevents")
    case .svg, .html:
      try writeCharts(records, name: name)
    }
  }

  private func selected(_ run: RecordedRun) throws -> RecordedRun {
    guard let metric else { return run }
    var selected = run.selecting(MetricGlob(metric))
    guard !selected.names.isEmpty else {
      throw Failure.usage(
        "--metric \(metric): none of its \(run.names.count) metrics matches; it has "
          + run.names.prefix(8).map(\.path).joined(separator: ", "))
    }
    for index in selected.generations.indices { selected.generations[index].happenings = [] }
    return selected
  }

  private func write(_ run: RecordedRun, to output: OutputFile) throws {
    let history = run.newest.records.reduce(into: RunHistory()) { $0.append($1) }
    try output.write(line: CSV.header(history.names))
    try CSV.eachRow(of: history, metrics: history.names) { try output.write(line: $0) }
  }

  private func writeLong(_ run: RecordedRun, name: String, to output: OutputFile) throws {
    try output.write(line: CSV.longHeader)
    try CSV.eachLongRow(of: run, name: name) { try output.write(line: $0) }
  }

  private func writeCharts(_ records: [RunRecord], name: String) throws {
    let history = records.reduce(into: RunHistory()) { $0.append($1) }
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
