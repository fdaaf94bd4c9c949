import ArgumentParser
import Formats
import Foundation
import Runs
import Sessions
import Signals
import Sweeps
import Telemetry

struct Suggest: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "A rate and a batch for a model, each with what it rests on.",
    discussion: """
      The Step Law (2503.04715) within or outside of its range; the best rates of a sweep of one's \
      own, followed over sizes; the gradient noise scale that its best runs told. Parameters count no \
      embedding, unembedding and gains.
      """)

  @Option(help: "the model's size, such as 4.7e6") var parameters: Double
  @Option(help: "tokens to train on, such as 1e8") var tokens: Double
  @Option(help: "a sweep's folder") var sweep: String?
  @Flag(help: "one JSON object on standard output") var json = false
  @Option(help: "write a run.toml of this size with what is suggested, where nothing lies yet")
  var write: String?

  mutating func validate() throws {
    if write == "" || write == "-" {
      throw ValidationError("--write: give a file name, such as run.toml")
    }
    for (name, value) in [("parameters", parameters), ("tokens", tokens)]
    where !(value >= 1 && value.isFinite) {
      throw ValidationError("--\(name) \(value): give a number from 1")
    }
  }

  mutating func run() throws {
    let results = try sweep.map { path in
      let folder = SweepFolder(path: path)
      return try SweepPlan(folder: folder, grid: folder.grid()).results()
    }
    let law =
      parameters >= StepLaw.leastParameters
      ? StepLaw(parameters: parameters, tokens: tokens) : nil
    let own = results.flatMap { OwnOptimum($0, parameters: parameters) }
    let noise = try results.flatMap { try NoiseBatch($0) }
    if let write { try run(law, own, noise, results).write(to: write) }
    if json {
      let members = [
        ("step_law", law.map(Self.json) ?? "null"), ("sweep", own?.json ?? "null"),
        ("noise_scale", noise?.json ?? "null"),
      ]
      return try StandardOutput.print(JSONLines.object(members))
    }
    for line in [words(law), words(own), words(noise)] { try StandardOutput.print(line) }
    if let write {
      StandardOutput.say(
        "train it  \(Invocation.command) train --config \(Invocation.shown(write))\n")
    }
  }

  private func run(
    _ law: StepLaw?, _ own: OwnOptimum?, _ noise: NoiseBatch?, _ results: SweepResults?
  ) throws -> SuggestedRun {
    let rate =
      own.map { ($0.learningRate, $0.basis) } ?? law.map { ($0.learningRate, "the step law") }
    guard let rate else {
      throw Failure(
        .badInput,
        "nothing says a rate for \(NumberText.compact(parameters)) parameters: name a sweep of"
          + " your own with --sweep")
    }
    let batch =
      noise.map { ($0.batchTokens, "the noise scale of the sweep's best run") }
      ?? law.map { ($0.batchTokens, "the step law") }
    return try SuggestedRun(
      parameters: parameters, tokens: tokens, rate: rate, batchTokens: batch, results: results)
  }

  private static func json(_ law: StepLaw) -> String {
    "{\"lr\":\(JSONLines.number(law.learningRate)),"
      + "\"batch_tokens\":\(JSONLines.number(law.batchTokens)),\"in_range\":\(law.isInRange)}"
  }

  private func words(_ law: StepLaw?) -> String {
    guard let law else {
      return "step law     not below \(NumberText.compact(StepLaw.leastParameters)) parameters"
    }
    return "step law     lr \(NumberText.compact(law.learningRate)), batch"
      + " \(NumberText.compact(law.batchTokens)) tokens"
      + (law.isInRange
        ? "" : "; outside of what it was fitted over (0.2–1.1G parameters, 4–100G tokens): a hint")
  }

  private func words(_ own: OwnOptimum?) -> String {
    guard let own else {
      return "sweep        none with rates that have a best one: --sweep FOLDER"
    }
    return "sweep        lr \(NumberText.compact(own.learningRate)): \(own.basis)"
  }

  private func words(_ noise: NoiseBatch?) -> String {
    guard let noise else { return "noise scale  none was told: --sweep FOLDER" }
    return "noise scale  batch \(NumberText.compact(noise.batchTokens)) tokens:"
      + " \(NumberText.compact(noise.windows)) windows at the end of the best run"
  }
}

/// The rates of a grid around those that are suggested.
struct RatesAround {
  let grid: Grid
  /// What it comes to, and what it saves.
  let words: String

  /// - Parameters:
  ///   - source: `suggest`, or the folder of a sweep that has run.
  ///   - grid: without rates.
  /// - Throws: what is wrong with the folder; where nothing is suggested.
  init(_ source: String, of grid: Grid) throws {
    let own = try source == "suggest" ? nil : Self.results(of: source)
    let rates = try SuggestedRates(grid.tables) { cost in
      let parameters = Double(cost.parameters)
      if let own { return OwnOptimum(own, parameters: parameters)?.learningRate }
      guard parameters >= StepLaw.leastParameters else { return nil }
      return StepLaw(parameters: parameters, tokens: Double(cost.tokens)).learningRate
    }
    self.grid = try Grid(rates.tables)
    let usual = grid.cells.count * SuggestedRates.usualCount
    let (low, high) = (rates.range.lowerBound, rates.range.upperBound)
    let range = low == high ? low.rateText : "\(low.rateText) to \(high.rateText)"
    words =
      "rates around \(range) (\(own == nil ? "the step law" : "the best ones of \(source)")):"
      + " \(self.grid.cells.count) cells in place of \(usual) over three decades,"
      + " \(usual - self.grid.cells.count) are saved"
  }

  private static func results(of path: String) throws -> SweepResults {
    let folder = SweepFolder(path: path)
    return try SweepPlan(folder: folder, grid: folder.grid()).results()
  }
}

/// The best rate of a sweep's sizes, followed to another size.
struct OwnOptimum {
  let learningRate: Double
  let basis: String
  private let confidence: String

  init?(_ results: SweepResults, parameters: Double) {
    let best = Self.best(results)
    guard !best.isEmpty else { return nil }
    let points = best.map { (x: log(Double($0.key)), y: log($0.value.point.rate)) }
    // Of one size the rate is as good a guess for any other.
    let line = LineFit(points, least: 2)
    learningRate = exp(line?.value(at: log(parameters)) ?? points[0].y)
    let doubts = Self.doubts(best, parameters: parameters)
    confidence = doubts.isEmpty ? "good" : "low"
    let sizes = "\(best.count) size\(best.count == 1 ? "" : "s")"
    basis =
      "best rates of \(sizes), lr ∝ N^\(NumberText.compact(line?.slope ?? 0, digits: 2))"
      + (doubts.isEmpty ? "" : "; not to be believed: \(doubts.joined(separator: ", "))")
  }

  private struct Best {
    let point: RateCurve.Point
    /// Whether it is the lowest or the highest rate that was run.
    let isAtEnd: Bool
  }

  /// By parameter count: of each size the mitigation that came lowest.
  private static func best(_ results: SweepResults) -> [Int: Best] {
    var best: [Int: Best] = [:]
    for group in results.groups where group.curve.points.count >= 3 {
      guard let point = group.curve.best else { continue }
      if let other = best[group.parameters], other.point.loss <= point.loss { continue }
      let isAtEnd = point == group.curve.points.first || point == group.curve.points.last
      best[group.parameters] = Best(point: point, isAtEnd: isAtEnd)
    }
    return best
  }

  private static func doubts(_ best: [Int: Best], parameters: Double) -> [String] {
    var doubts: [String] = []
    if best.count < 3 { doubts.append("three sizes at least are needed") }
    if parameters > 30 * Double(best.keys.max() ?? 1) {
      doubts.append("more than 30 times the largest size")
    }
    if best.values.contains(where: \.isAtEnd) {
      doubts.append("a best rate lies at the end of its range")
    }
    return doubts
  }

  var json: String {
    "{\"lr\":\(JSONLines.number(learningRate)),\"confidence\":\"\(confidence)\","
      + "\"basis\":\(JSONLines.quoted(basis))}"
  }
}

/// The batch at which the gradient's noise and its signal weigh as much, at the end of the best run.
struct NoiseBatch {
  let windows: Double
  let batchTokens: Double

  /// - Throws: where the run's session cannot be read.
  init?(_ results: SweepResults) throws {
    let finished = results.ended.filter { $0.state == .finished }
    let best = finished.min { $0.evalLoss ?? .infinity < $1.evalLoss ?? .infinity }
    guard let best else { return nil }
    let history = try SessionReader(path: best.session).history()
    guard let series = history[MetricCatalog.noiseScale],
      let context = history.description?.model?.context,
      let last = series.values.last(where: { $0.isFinite && $0 > 0 })
    else { return nil }
    (windows, batchTokens) = (last, last * Double(context))
  }

  var json: String {
    "{\"batch_windows\":\(JSONLines.number(windows)),"
      + "\"batch_tokens\":\(JSONLines.number(batchTokens))}"
  }
}
