import ArgumentParser
import Formats
import Foundation
import Runs
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
      no embedding, unembedding and gains.
      """)

  @Argument(help: "a sweep's folder") var folder: String
  @Option(help: "the metric that must not pass the limit") var metric = "attention_logit_max"
  @Option(help: "the step at which it is read (default: the end)") var atStep: Int?
  @Option(help: "the limit (default: 1e4; Adam's ε for grad_rms)") var limit: Double?
  @Flag(help: "one JSON object on standard output") var json = false
  @Flag(help: "a table as text, which is also the default") var text = false

  mutating func validate() throws {
    if let atStep, atStep < 0 { throw ValidationError("--at-step \(atStep): give a step from 0") }
    if let limit, !(limit > 0 && limit.isFinite) {
      throw ValidationError("--limit \(limit): give a number above 0")
    }
    if json && text { throw ValidationError("--json and --text: give one of them") }
  }

  mutating func run() throws {
    let place = SweepFolder(path: folder)
    let plan = try SweepPlan(folder: place, grid: place.grid())
    let forecasts = try SweepForecast(
      plan.results(), metric: MetricName(metric), step: atStep,
      limit: limit ?? (metric == "grad_rms" ? 1e-8 : 1e4))
    guard !forecasts.entries.isEmpty else {
      throw Failure(
        .badInput,
        "\(folder): no cell of this sweep has '\(metric)'"
          + (atStep.map { " at step \($0)" } ?? "") + ": let cells end first")
    }
    if json { return try StandardOutput.print(forecasts.json) }
    for line in forecasts.lines { try StandardOutput.print(line) }
  }
}

/// What a sweep's cells say of larger models, a forecast a rate and mitigation.
struct SweepForecast {
  struct Entry {
    let rate: Double
    let mitigation: String
    let forecast: SizeForecast
  }

  let entries: [Entry]
  private let limit: Double
  private let metric: MetricName

  /// - Throws: where a session cannot be read.
  init(_ results: SweepResults, metric: MetricName, step: Int?, limit: Double) throws {
    (self.limit, self.metric) = (limit, metric)
    struct Key: Hashable {
      let mitigation: String
      let rate: Double
    }
    var points: [Key: [Int: [Double]]] = [:]
    for group in results.groups {
      for index in group.cells {
        guard let result = results.results[results.cells[index].number], result.state != .failed,
          let value = try Self.value(metric, step: step, of: result)
        else { continue }
        let key = Key(mitigation: group.mitigation, rate: results.rate(ofCellAt: index))
        points[key, default: [:]][group.parameters, default: []].append(value)
      }
    }
    let order = points.keys.sorted { ($0.mitigation, $0.rate) < ($1.mitigation, $1.rate) }
    entries = order.map { key in
      let sizes = (points[key] ?? [:]).map { SizeForecast.Point(parameters: $0, values: $1) }
      return Entry(
        rate: key.rate, mitigation: key.mitigation, forecast: SizeForecast(sizes, limit: limit))
    }
  }

  private static func value(
    _ metric: MetricName, step: Int?, of result: CellResult
  ) throws -> Double? {
    if step == nil, metric == MetricCatalog.attentionLogitMax { return result.attentionLogitMax }
    if step == nil, metric.path == "grad_rms" { return result.gradRMS }
    let history = try SessionReader(path: result.session).history()
    guard let series = history[metric] else { return nil }
    guard let step else { return series.lastValue }
    // A run that did not come so far has nothing to say of that step.
    guard let last = history[MetricCatalog.loss]?.lastStep, last >= step else { return nil }
    return series.value(atOrBefore: step)
  }

  private var doubts: [String] {
    let all = entries.flatMap { entry in
      entry.forecast.doubts.map { doubt in
        let place = [NumberText.compact(entry.rate), entry.mitigation].filter { !$0.isEmpty }
        return "\(place.joined(separator: ", ")): \(doubt)"
      }
    }
    return all
  }

  var json: String {
    let rates = entries.map(Self.json).joined(separator: ",")
    let doubts = doubts.map(JSONLines.quoted).joined(separator: ",")
    return "{\"rates\":[\(rates)],\"doubts\":[\(doubts)]}"
  }

  private static func json(_ entry: Entry) -> String {
    let forecast = entry.forecast
    var members: [(String, String)] = []
    members.append(("lr", JSONLines.number(entry.rate)))
    let coefficients = forecast.coefficients.map { JSONLines.number($0) }
    members.append(("coefficients", "[" + coefficients.joined(separator: ",") + "]"))
    let limit = forecast.limitParameters.map { JSONLines.number($0) }
    members.append(("limit_parameters", limit ?? "null"))
    let interval = forecast.interval.map { ends in
      "[" + JSONLines.number(ends.low) + "," + JSONLines.number(ends.high) + "]"
    }
    members.append(("interval", interval ?? "null"))
    members.append(("held_out", forecast.heldOut.map(json) ?? "null"))
    if !entry.mitigation.isEmpty {
      members.append(("mitigation", JSONLines.quoted(entry.mitigation)))
    }
    return "{" + members.map { "\"\($0.0)\":\($0.1)" }.joined(separator: ",") + "}"
  }

  private static func json(_ held: SizeForecast.HeldOut) -> String {
    let predicted = JSONLines.number(held.predicted)
    let measured = JSONLines.number(held.measured)
    return "{\"parameters\":\(held.parameters),\"predicted\":\(predicted),"
      + "\"measured\":\(measured)}"
  }

  var lines: [String] {
    var rows = [
      [
        "rate", "cells of", "sizes", "passes \(NumberText.level(limit)) at", "held out",
        "predicted",
        "measured",
      ]
    ]
    for entry in entries {
      let forecast = entry.forecast
      let size = forecast.limitParameters.map { NumberText.compact($0, digits: 2) } ?? "never"
      let range = forecast.interval.map {
        " (\(NumberText.compact($0.low, digits: 2))–\(NumberText.compact($0.high, digits: 2)))"
      }
      rows.append([
        NumberText.compact(entry.rate), entry.mitigation.isEmpty ? "all" : entry.mitigation,
        "\(forecast.points.count)", size + (range ?? ""),
        forecast.heldOut.map { NumberText.compact(Double($0.parameters)) } ?? "–",
        forecast.heldOut.map { NumberText.compact($0.predicted) } ?? "–",
        forecast.heldOut.map { NumberText.compact($0.measured) } ?? "–",
      ])
    }
    let table = TextTable.lines(rows, rightAligned: [0, 2])
    return ["\(metric.path) over parameters"] + table
      + (doubts.isEmpty ? [] : ["", "must not be believed:"] + doubts.map { "  \($0)" })
  }
}
