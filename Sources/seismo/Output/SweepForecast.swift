import Formats
import Foundation
import Runs
import Sessions
import Signals
import Sweeps
import Telemetry
import Training

/// What a sweep's cells say of larger models, a forecast a rate and mitigation.
struct SweepForecast {
  struct Entry {
    let rate: Double
    let mitigation: String
    let limit: Double
    let forecast: SizeForecast
  }

  let entries: [Entry]
  let metric: MetricName
  let laws: [LossLaw]

  /// The metric that the papers fit, and how far it may go.
  static let usualLimit = 1e4

  /// - Parameters:
  ///   - results: of the sweep.
  ///   - metric: what is followed over the sizes.
  ///   - step: at which it is read; nil for the end.
  ///   - limit: nil for the metric's own: Adam's ε, or 1e4.
  /// - Throws: where a session cannot be read.
  init(
    _ results: SweepResults, metric: MetricName = MetricCatalog.attentionLogitMax,
    step: Int? = nil, limit: Double? = nil
  ) throws {
    self.metric = metric
    laws = results.lossLaws
    let courses = try Self.courses(results, metric: metric, step: step, limit: limit)
    let order = courses.keys.sorted { ($0.mitigation, $0.rate) < ($1.mitigation, $1.rate) }
    entries = order.map { key in
      let sizes = (courses[key] ?? [:]).map { SizeForecast.Point(parameters: $0, values: $1) }
      return Entry(
        rate: key.rate, mitigation: key.mitigation, limit: key.limit,
        forecast: SizeForecast(sizes, limit: key.limit))
    }
  }

  /// What cells have in common that differ in size and seed alone.
  private struct Course: Hashable {
    let mitigation: String
    let rate: Double
    let limit: Double
  }

  /// The seeds' values by parameter count.
  private static func courses(
    _ results: SweepResults, metric: MetricName, step: Int?, limit: Double?
  ) throws -> [Course: [Int: [Double]]] {
    var courses: [Course: [Int: [Double]]] = [:]
    for group in results.groups {
      let bound = try limit ?? Self.limit(of: metric, results.cells[group.cells[0]])
      for index in group.cells {
        guard let result = results.results[results.cells[index].number], result.state != .failed,
          let value = try Self.value(metric, step: step, of: result)
        else { continue }
        let course = Course(
          mitigation: group.mitigation, rate: results.rate(ofCellAt: index), limit: bound)
        courses[course, default: [:]][group.parameters, default: []].append(value)
      }
    }
    return courses
  }

  private static func limit(of metric: MetricName, _ cell: SweepCell) throws -> Double {
    metric.path == "grad_rms" ? try cell.configuration().adamEpsilon : usualLimit
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

  /// What is doubted, and of what.
  private struct Reason {
    let doubt: String
    let place: String
  }

  private var reasons: [Reason] {
    var reasons: [Reason] = []
    for entry in entries {
      let parts = [entry.rate.rateText, entry.mitigation].filter { !$0.isEmpty }
      let place = parts.joined(separator: " ")
      reasons += entry.forecast.doubts.map { Reason(doubt: $0, place: place) }
    }
    for law in laws {
      let place = "loss over \(law.axis.rawValue)\(law.suffix)"
      reasons += law.law.doubts.map { Reason(doubt: $0, place: place) }
    }
    return reasons
  }

  private var doubts: [String] { reasons.map { "\($0.place): \($0.doubt)" } }

  /// A line a doubt, with all that it is of.
  private var doubtLines: [String] {
    var places: [String: [String]] = [:]
    var order: [String] = []
    for reason in reasons {
      if places[reason.doubt] == nil { order.append(reason.doubt) }
      places[reason.doubt, default: []].append(reason.place)
    }
    return order.map { "  \($0): \((places[$0] ?? []).joined(separator: ", "))" }
  }

  var json: String {
    JSONLines.object([
      ("rates", "[\(entries.map(Self.json).joined(separator: ","))]"),
      ("loss", "[\(laws.map(\.json).joined(separator: ","))]"),
      ("doubts", "[\(doubts.map(JSONLines.quoted).joined(separator: ","))]"),
    ])
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
    return JSONLines.object(members)
  }

  private static func json(_ held: SizeForecast.HeldOut) -> String {
    let predicted = JSONLines.number(held.predicted)
    let measured = JSONLines.number(held.measured)
    return JSONLines.object([
      ("parameters", "\(held.parameters)"), ("predicted", predicted), ("measured", measured),
    ])
  }

  var lines: [String] {
    var rows = [
      [
        "rate", "cells of", "sizes", "passes \(limitWords) at", "held out", "predicted", "measured",
      ]
    ]
    for entry in entries {
      let forecast = entry.forecast
      let size = forecast.limitParameters.map { NumberText.compact($0, digits: 2) } ?? "never"
      let range = forecast.interval.map {
        " (\(NumberText.compact($0.low, digits: 2))–\(NumberText.compact($0.high, digits: 2)))"
      }
      rows.append([
        entry.rate.rateText, entry.mitigation.isEmpty ? "all" : entry.mitigation,
        "\(forecast.points.count)", size + (range ?? ""),
        forecast.heldOut.map { NumberText.compact(Double($0.parameters)) } ?? "–",
        forecast.heldOut.map { NumberText.compact($0.predicted) } ?? "–",
        forecast.heldOut.map { NumberText.compact($0.measured) } ?? "–",
      ])
    }
    let table = TextTable.lines(rows, rightAligned: [0, 2])
    return ["\(metric.path) over parameters"] + table + lossLines
      + (doubts.isEmpty ? [] : ["", "must not be believed:"] + doubtLines)
  }

  private var limitWords: String {
    let limits = Set(entries.map(\.limit))
    return limits.count == 1 ? NumberText.level(limits.first ?? 0) : "its limit"
  }

  private var lossLines: [String] {
    guard !laws.isEmpty else { return [] }
    var rows = [["loss over", "cells of", "sizes", "law", "held out", "predicted", "measured"]]
    for law in laws {
      let fit = law.law
      let words =
        "\(NumberText.compact(fit.offset)) + \(NumberText.compact(fit.factor))"
        + "·x^−\(NumberText.compact(fit.exponent, digits: 2))"
      rows.append([
        law.axis.rawValue, law.words.isEmpty ? "all" : law.words, "\(fit.points.count)", words,
        fit.heldOut.map { NumberText.compact($0.size) } ?? "–",
        fit.heldOut.map { NumberText.compact($0.predicted, digits: 4) } ?? "–",
        fit.heldOut.map { NumberText.compact($0.measured, digits: 4) } ?? "–",
      ])
    }
    return [""] + TextTable.lines(rows, rightAligned: [2])
  }
}

extension LossLaw {
  fileprivate var suffix: String { words.isEmpty ? "" : ", \(words)" }

  fileprivate var json: String {
    let held = law.heldOut.map { held in
      JSONLines.object([
        (axis.rawValue, JSONLines.number(held.size)),
        ("predicted", JSONLines.number(held.predicted)),
        ("measured", JSONLines.number(held.measured)),
      ])
    }
    return JSONLines.object([
      ("over", JSONLines.quoted(axis.rawValue)), ("cells", JSONLines.quoted(words)),
      ("offset", JSONLines.number(law.offset)), ("factor", JSONLines.number(law.factor)),
      ("exponent", JSONLines.number(law.exponent)), ("held_out", held ?? "null"),
    ])
  }
}
