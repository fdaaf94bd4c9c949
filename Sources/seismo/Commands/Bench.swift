import ArgumentParser
import Foundation
import Models
import Training

struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Time the training step of a preset on this machine.",
    discussion: "Medians over the steps after warm-up, on random bytes.")

  @Option(help: .of("preset")) var preset = Preset.small.rawValue
  @Option(help: "model width, a multiple of twice the heads (default: the preset's)")
  var width: Int?
  @Option(help: "blocks (default: the preset's)") var layers: Int?
  @Option(help: "attention heads (default: the preset's)") var heads: Int?
  @Option(help: "bytes a window (default: the preset's)") var context: Int?
  @Option(help: "windows a step (default: the preset's)") var batch: Int?
  @Option(help: "steps to take, warm-up included (default: a few seconds' worth)") var steps: Int?
  @Option(help: "cores to use") var workers: Int?
  @Option(help: "whether each step's metrics are named and kept: on or off") var stats = "on"
  @Flag(help: "one JSON object on standard output") var json = false

  mutating func validate() throws {
    if let steps, steps < 4 { throw ValidationError("--steps \(steps): give at least 4") }
    guard Preset(rawValue: preset) != nil else {
      let known = Preset.allCases.map(\.rawValue).joined(separator: ", ")
      throw ValidationError("--preset \(preset): give one of \(known)")
    }
    guard ["on", "off"].contains(stats) else {
      throw ValidationError("--stats \(stats): give on or off")
    }
    for (name, value) in sizes {
      guard let value, !(1...8192).contains(value) else { continue }
      throw ValidationError("--\(name) \(value): give a whole number from 1 to 8192")
    }
    guard model.width % (2 * model.heads) == 0 else {
      throw ValidationError(
        "--width \(model.width) in \(model.heads) heads: give a multiple of \(2 * model.heads)")
    }
    if let workers, !(1...256).contains(workers) {
      throw ValidationError("--workers \(workers): give a whole number from 1 to 256")
    }
  }

  mutating func run() throws {
    let benchmark = Benchmark(
      preset: base, model: model, batch: batch, steps: steps, workers: workers,
      keepsMetrics: stats == "on")
    let result = benchmark.run()
    try StandardOutput.print(json ? result.json : result.text)
  }

  private var base: Preset { Preset(rawValue: preset) ?? .small }

  private var sizes: [(String, Int?)] {
    [
      ("width", width), ("layers", layers), ("heads", heads), ("context", context),
      ("batch", batch),
    ]
  }

  /// The preset's model in the sizes that were given; hidden layers grow with the width.
  private var model: ModelConfiguration {
    var model = base.model
    if let width {
      model.feedForwardWidth = model.feedForwardWidth * width / model.width
      if let hidden = model.experts?.width { model.experts?.width = hidden * width / model.width }
      model.width = width
    }
    model.layers = layers ?? model.layers
    model.heads = heads ?? model.heads
    model.context = context ?? model.context
    return model
  }
}
