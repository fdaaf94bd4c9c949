import ArgumentParser
import Formats
import Foundation
import Sessions
import Signals
import Telemetry

struct Compare: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Put runs side by side: what differs, how each ended, how good it got.",
    discussion: """
      Runs that differ in nothing but their seed get a column with their mean and deviation, and \
      one line with a band in the charts.
      """)

  @Argument(help: "two sessions or more: files, names, or NAME@1 for an abandoned line")
  var sessions: [String]
  @Option(
    help: "only the metrics that match, such as 'loss*' (default: no layer's own)")
  var metric: String?
  @Flag(help: "a chart and a table as text, which is also the default") var text = false
  @Option(help: "write charts with all runs on one axis to this file, - for standard output")
  var svg: String?
  @Flag(help: "one JSON object on standard output") var json = false

  mutating func validate() throws {
    if sessions.count < 2 { throw ValidationError("compare: give two sessions or more") }
    if [text, json, svg != nil].count(where: { $0 }) > 1 {
      throw ValidationError("--text, --json and --svg: give one of them")
    }
    if svg == "" { throw ValidationError("--svg: give a file name, or - for standard output") }
  }

  mutating func run() throws {
    let references = try sessions.map { try SessionReference($0) }
    let histories = try Comparison.histories(of: references)
    let runs = zip(references, histories).map { reference, history in
      for flaw in history.damage { Seismo.report("\(reference.path): \(flaw)") }
      return Comparison.Run(name: Self.name(of: reference, among: references), history: history)
    }
    let comparison = Comparison(runs: runs)
    let metrics = comparison.metrics(matching: metric.map { MetricGlob($0) })
    guard !metrics.isEmpty || metric == nil else {
      throw Failure.usage("--metric \(metric ?? ""): no metric of these runs matches")
    }
    let output = try OutputFile(path: svg)
    if json {
      try output.write(line: comparison.json(metrics: metrics))
    } else if svg != nil {
      let charts = ComparisonCharts(comparison)
      let drawn = metric == nil ? charts.story : metrics
      try output.write(Array(charts.sheet(drawn).svg.utf8))
    } else {
      for line in plot(comparison, metrics) { try output.write(line: line) }
      for line in comparison.text(metrics: metrics) { try output.write(line: line) }
    }
    try output.finish()
  }

  /// The loss of all runs, or the first of the metrics that were asked for, above the table.
  private func plot(_ comparison: Comparison, _ metrics: [MetricName]) -> [String] {
    let charts = ComparisonCharts(comparison, columns: ComparisonPlot.columns)
    let drawn = metric == nil ? charts.story.first : metrics.first
    guard let drawn else { return [] }
    return ComparisonPlot(chart: charts.chart(drawn)).lines + [""]
  }

  /// The file's name, with its folder where two have the same.
  private static func name(
    of reference: SessionReference, among all: [SessionReference]
  ) -> String {
    guard all.count(where: { $0.name == reference.name }) > 1 else { return reference.name }
    let own = URL(fileURLWithPath: reference.path).deletingPathExtension()
    return own.relativePath + reference.suffix
  }
}
