import ArgumentParser
import Foundation
import Sessions
import Signals
import Telemetry

struct Compare: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Put runs side by side: what differs, how each ended, how good it got.",
    discussion: """
      Runs that differ in nothing but their seed get a column with their mean and deviation.
      """)

  @Argument(help: "two .seismo files or more") var sessions: [String]
  @Option(
    help: "only the metrics that match, such as 'expert_load/0/*' (default: no layer's own)")
  var metric: String?
  @Flag(help: "a table, which is also the default") var text = false
  @Flag(help: "one JSON object on standard output") var json = false

  mutating func validate() throws {
    if sessions.count < 2 { throw ValidationError("compare: give two sessions or more") }
    if text && json { throw ValidationError("--text and --json: give one of them") }
  }

  mutating func run() throws {
    let runs = try sessions.map { path in
      let records = try SessionReader(path: path).records()
      let history = records.reduce(into: RunHistory()) { $0.append($1) }
      return Comparison.Run(name: name(of: path), history: history)
    }
    let comparison = Comparison(runs: runs)
    let metrics = comparison.metrics(matching: metric.map { MetricGlob($0) })
    guard !metrics.isEmpty || metric == nil else {
      throw Failure.usage("--metric \(metric ?? ""): no metric of these runs matches")
    }
    let output = try OutputFile(path: nil)
    if json {
      try output.write(line: comparison.json(metrics: metrics))
    } else {
      for line in comparison.text(metrics: metrics) { try output.write(line: line) }
    }
    try output.finish()
  }

  /// The file's name, with its folder where two have the same.
  private func name(of path: String) -> String {
    let names = sessions.map { URL(fileURLWithPath: $0).deletingPathExtension().lastPathComponent }
    let own = URL(fileURLWithPath: path).deletingPathExtension()
    let isUnique = names.filter { $0 == own.lastPathComponent }.count == 1
    return isUnique ? own.lastPathComponent : own.relativePath
  }
}
