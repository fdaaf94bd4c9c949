import ArgumentParser
import Formats
import Foundation
import Models
import Training

struct Estimate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "What writing with a checkpoint or a preset costs: operations, memory, time.",
    discussion: """
      A pass at the beginning of a text, what attention takes more for each place, and the choice of a \
      token are timed by themselves at the model's sizes and added up: T(P, O) = F(P) + the passes of \
      the O-1 tokens after the first (2305.02440), and where positions are learned those that read the \
      later half of a full window again. Beside it stands what sample takes.
      """)

  @Argument(
    help: "a checkpoint folder, or that of a Persimmon, GPT-2 or Llama as transformers writes it")
  var checkpoint: String?
  @Option(help: "a preset, its weights random") var preset: String?
  @Option(help: "tokens of the prompt, a list (default: 16,256)")
  var promptBytes = CountList([16, 256])
  @Option(help: "tokens to write, a list (default: 16,256)") var tokens = CountList([16, 256])
  @Option(help: "samples side by side (default: 1)") var n = 1
  @Option(help: "cores to use") var workers: Int?
  @Flag(help: "leave out what sample takes") var unmeasured = false
  @Flag(help: "one JSON object on standard output") var json = false
  @OptionGroup(title: "The preset's layers") var family: FamilyOptions

  mutating func validate() throws {
    if let preset, Preset(rawValue: preset) == nil {
      let known = Preset.allCases.map(\.rawValue).joined(separator: ", ")
      throw ValidationError("--preset \(preset): give one of \(known)")
    }
    guard (checkpoint == nil) != (preset == nil) else {
      throw ValidationError("CHECKPOINT or --preset: give one of them")
    }
    if checkpoint != nil, let name = family.given.keys.min() {
      throw ValidationError("--\(name): give it with --preset, for a checkpoint has its own layers")
    }
    _ = try family.model(sizes)
    for (name, list) in [("prompt-bytes", promptBytes), ("tokens", tokens)] {
      try CountList.check(name, list, 1...100_000)
    }
    try CountList.check("n", CountList([n]), 1...4096)
    if let workers { try CountList.check("workers", CountList([workers]), 1...256) }
  }

  mutating func run() throws {
    let engine = try engine()
    let estimate = InferenceEstimate(engine, texts: n)
    let cost = InferenceCost(engine.configuration)
    let rows = promptBytes.values.flatMap { prompt in
      tokens.values.map { tokens in
        EstimateReport.Row(
          prompt: prompt, tokens: tokens,
          seconds: estimate.seconds(prompt: prompt, tokens: tokens),
          measured: unmeasured ? nil : estimate.measured(prompt: prompt, tokens: tokens))
      }
    }
    let report = EstimateReport(model: engine.configuration, cost: cost, texts: n, rows: rows)
    if json { return try StandardOutput.print(report.json) }
    try report.lines.forEach(StandardOutput.print)
  }

  private func engine() throws -> InferenceEngine {
    if let checkpoint {
      return try CheckpointFolder.model(checkpoint).inferenceEngine(workers: workers)
    }
    return try family.model(sizes).randomInferenceEngine(workers: workers)
  }

  private var sizes: ModelConfiguration { (Preset(rawValue: preset ?? "") ?? .small).model }
}

/// What an estimate is told as.
struct EstimateReport {
  struct Row {
    let prompt: Int
    let tokens: Int
    let seconds: Double
    /// Nil where it was not asked for.
    let measured: Double?
  }

  let model: ModelConfiguration
  let cost: InferenceCost
  let texts: Int
  let rows: [Row]

  var lines: [String] {
    [
      String(
        format: "weights %.1f MB, keys and values %.2f MB a text of %d tokens",
        Double(cost.weightBytes) / 1e6,
        Double(cost.cacheBytes(positions: model.context)) / 1e6, model.context),
      "prompt tokens  MFLOP a text  estimate s" + (isMeasured ? "  sample s  ratio" : ""),
    ] + rows.map(line)
  }

  private var isMeasured: Bool { rows.contains { $0.measured != nil } }

  private func flops(_ row: Row) -> Double {
    cost.flops(prompt: row.prompt, tokens: row.tokens)
  }

  private func line(_ row: Row) -> String {
    let line = String(
      format: "%6d %6d %13.1f %11.5f", row.prompt, row.tokens, flops(row) / 1e6, row.seconds)
    guard let measured = row.measured else { return line }
    return line + String(format: " %9.5f %6.2f", measured, row.seconds / measured)
  }

  var json: String {
    let entries = rows.map { row in
      JSONLines.object([
        ("prompt", "\(row.prompt)"), ("tokens", "\(row.tokens)"),
        ("flops", JSONLines.number(flops(row))), ("seconds", JSONLines.number(row.seconds)),
        ("measured", row.measured.map { JSONLines.number($0) } ?? "null"),
      ])
    }
    return JSONLines.object([
      ("samples", "\(texts)"), ("weight_bytes", "\(cost.weightBytes)"),
      ("cache_bytes", "\(cost.cacheBytes(positions: model.context))"),
      ("times", "[\(entries.joined(separator: ","))]"),
    ])
  }
}
