import ArgumentParser
import Formats
import Foundation
import Runs
import Screen
import Sessions
import Signals
import Sweeps
import Telemetry

struct Forecast: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "At which size a sweep's rates will break: a number over sizes, extrapolated.",
    discussion: """
      At each rate a quadratic over the parameter count, both in logs, is fitted to the metric at a \
      step, and followed to the limit. The same fit without the largest size is held against what was \
      measured there. Coefficients are c0, c1, c2 of ln y = c0 + c1 ln N + c2 (ln N)². Sizes count \
      no embedding, unembedding and gains. The lowest loss of each size, and of each number of \
      tokens, is fitted by E + a x^-b.
      """)

  @Argument(help: "a sweep's folder") var folder: String
  @Option(help: "the metric that must not pass the limit") var metric = "attention_logit_max"
  @Option(help: "the step at which it is read (default: the end)") var atStep: Int?
  @Option(help: "the limit (default: 1e4; the cells' Adam's ε for grad_rms)") var limit: Double?
  @Flag(help: "one JSON object on standard output") var json = false
  @Flag(help: "a table as text, which is also the default") var text = false
  @Option(help: "write curves and table as SVG to this file, - for standard output")
  var svg: String?
  @Option(
    help: "columns and rows of the picture, such as 120x40", transform: ScreenSize.init(words:))
  var size: ScreenSize?
  @Option(help: "theme of the picture: see seismo themes") var theme: String?

  mutating func validate() throws {
    if let atStep, atStep < 0 { throw ValidationError("--at-step \(atStep): give a step from 0") }
    if let limit, !(limit > 0 && limit.isFinite) {
      throw ValidationError("--limit \(limit): give a number above 0")
    }
    if [json, text, svg != nil].count(where: { $0 }) > 1 {
      throw ValidationError("--json, --text and --svg: give one of them")
    }
    if svg == "" {
      throw ValidationError("--svg: give a file name, or - for standard output")
    }
  }

  mutating func run() throws {
    let place = SweepFolder(path: folder)
    let plan = try SweepPlan(folder: place, grid: place.grid())
    let forecasts = try SweepForecast(
      plan.results(), metric: MetricName(metric), step: atStep,
      limit: limit)
    guard !forecasts.entries.isEmpty else {
      throw Failure(
        .badInput,
        "\(folder): no cell of this sweep has '\(metric)'"
          + (atStep.map { " at step \($0)" } ?? "") + ": let cells end first")
    }
    if json { return try StandardOutput.print(forecasts.json) }
    if let svg {
      return try forecasts.writePicture(
        to: svg, name: folder, size: size?.size ?? Size(columns: 140, rows: 48), theme: theme)
    }
    for line in forecasts.lines { try StandardOutput.print(line) }
  }
}
