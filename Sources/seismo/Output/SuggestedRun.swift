import Foundation
import Models
import Runs
import Signals
import Sweeps
import Training

/// What `seismo suggest` says as a run that can be trained.
///
/// The shape has as many parameters as were asked for, about: width and depth in the proportion of the
/// sweep's largest size, or forty to one; heads as wide as there, or 64. Of the rates the sweep's own
/// goes before the Step Law's, of the batches the noise scale's.
struct SuggestedRun {
  /// By long name, in the order in which they are written.
  let options: [(name: String, value: String)]
  /// What they rest on, a line each.
  let bases: [String]

  private struct Shape {
    let width: Int
    let layers: Int
    let heads: Int

    var parameters: Double { 12 * Double(layers) * Double(width) * Double(width) }
  }

  private static let usualProportion = 40.0
  private static let usualWarmup = 0.05
  /// What the run has of its own, or takes from the suggestion.
  private static let own: Set<String> = [
    "preset", "width", "layers", "heads", "lr", "seed", "steps", "batch", "warmup", "decay-steps",
    "eval-every", "experts", "expert-width", "expert-active",
  ]

  /// - Parameters:
  ///   - parameters: of the run, without embedding and unembedding.
  ///   - tokens: to train on.
  ///   - rate: the peak rate and what says so.
  ///   - batchTokens: a step's and what says so; nil for the sweep's or the preset's.
  ///   - results: of the sweep, whose other options are taken over from its best cell.
  /// - Throws: where a cell's options contradict each other.
  init(
    parameters: Double, tokens: Double, rate: (value: Double, basis: String),
    batchTokens: (value: Double, basis: String)?, results: SweepResults?
  ) throws {
    let example = try results.flatMap(Self.example)
    let preset: Preset = parameters >= 1e6 ? .small : .tiny
    let base = example?.configuration ?? TrainingConfiguration(preset: preset)
    let shape = Self.shape(parameters, like: example?.configuration)
    let context = Double(base.model.context)
    let windows = batchTokens.map { ($0.value / context).rounded() } ?? Double(base.batch)
    let batch = min(4096, max(1, windows))
    let steps = min(1e9, max(1, (tokens / (batch * context)).rounded()))
    let own = [
      ("preset", preset.rawValue), ("width", "\(shape.width)"), ("layers", "\(shape.layers)"),
      ("heads", "\(shape.heads)"), ("batch", "\(Int(batch))"), ("steps", "\(Int(steps))"),
      ("lr", rate.value.rateText),
      ("warmup", "\(Int((steps * Self.usualWarmup).rounded()))"),
    ]
    options =
      own
      + Self.others(
        example?.options ?? [:], context: base.model.context, heads: shape.heads)
    bases = [
      "\(NumberText.compact(shape.parameters)) parameters, \(NumberText.compact(tokens)) tokens",
      "rate: \(rate.basis)",
      "batch: \(batchTokens?.basis ?? (example == nil ? "the preset's" : "the sweep's"))",
    ]
  }

  /// What the run takes over from a cell.
  private static func others(
    _ cell: [String: String], context: Int, heads: Int
  ) -> [(String, String)] {
    // A hidden width is that of the cell's size.
    var taken = cell.filter { !own.contains($0.key) && $0.key != "ffn-width" }
    if let shared = taken["kv-heads"].flatMap({ Int($0) }), heads % shared != 0 {
      taken["kv-heads"] = nil
    }
    return taken.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
      + (taken["context"] == nil ? [("context", "\(context)")] : [])
  }

  /// The cell that came lowest at the largest size.
  private static func example(
    _ results: SweepResults
  ) throws -> (options: [String: String], configuration: TrainingConfiguration)? {
    let table = SettingTable(results)
    for size in table.sizes.indices.reversed() {
      guard let place = table.ranked(atSize: size).first?.cells[size]?.first else { continue }
      let cell = results.cells[place]
      return (cell.options, try cell.configuration())
    }
    return nil
  }

  private static func shape(_ parameters: Double, like example: TrainingConfiguration?) -> Shape {
    let proportion = example.map { Double($0.model.width) / Double($0.model.layers) }
    let ratio = proportion ?? usualProportion
    let wished = cbrt(parameters * ratio / 12)
    let head = example.map(\.model.headWidth) ?? (wished >= 256 ? 64 : wished >= 64 ? 32 : 16)
    let heads = max(1, Int((wished / Double(head)).rounded()))
    let width = heads * head
    let layers = (parameters / (12 * Double(width) * Double(width))).rounded()
    return Shape(width: width, layers: Int(min(256, max(1, layers))), heads: heads)
  }

  /// As a `run.toml`.
  var text: String {
    let head = ["# Written by seismo suggest."] + bases.map { "# \($0)" }
    let lines = options.map { "\($0.name) = \(TOMLText.quoted($0.value))" }
    return (head + lines).joined(separator: "\n") + "\n"
  }

  /// - Throws: where something lies there, or the options make no run.
  func write(to path: String) throws {
    _ = try TrainingConfiguration(
      options: Dictionary(uniqueKeysWithValues: options.map { ($0.name, $0.value) }))
    guard !FileManager.default.fileExists(atPath: path) else {
      throw Failure(.badInput, "\(path): is there already: name another file with --write")
    }
    let output = try OutputFile(path: path)
    try output.write(Array(text.utf8))
    try output.finish()
  }
}
