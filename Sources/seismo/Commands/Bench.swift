import ArgumentParser
import Foundation
import Models
import Ranks
import Training

struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Time the training step of a preset on this machine, or its writing.",
    discussion: """
      Medians over the steps after warm-up, on random tokens. With --sample it is the bytes a second \
      that a model of this size writes, over lists of --batch and --workers such as 1,2,4..64.
      """)

  @Option(help: .of("preset")) var preset = Preset.small.rawValue
  @Option(help: "model width, a multiple of twice the heads (default: the preset's)")
  var width: Int?
  @Option(help: "blocks (default: the preset's)") var layers: Int?
  @Option(help: "attention heads (default: the preset's)") var heads: Int?
  @Option(help: "tokens a window (default: the preset's)") var context: Int?
  @Option(help: "windows a step (default: the preset's); with --sample texts at once, a list")
  var batch: CountList?
  @Option(help: "steps to take, warm-up included (default: a few seconds' worth)") var steps: Int?
  @Option(help: "cores to use; with --sample a list") var workers: CountList?
  @Option(help: "whether each step's metrics are named and kept: on or off") var stats = "on"
  @Option(help: "parts that the batch is cut in (default: up to 4)") var slices: Int?
  @Option(
    help:
      "share of the hidden matrices' blocks that are not there; GFLOP/s count them as if they were")
  var sparsity = 0.0
  @Flag(help: "time a step over the ranks that mpirun has started, and their exchanges")
  var ranks = false
  @Flag(help: "with --ranks: cut the update over them") var shardOptimizer = false
  @Flag(help: "time what the model writes, not its training") var sample = false
  @Flag(help: "one JSON object on standard output") var json = false
  @OptionGroup(title: "The layers") var family: FamilyOptions

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
    guard (0...0.99).contains(sparsity) else {
      throw ValidationError("--sparsity \(sparsity): give a number from 0 to 0.99")
    }
    let (width, heads) = (sized.width, sized.heads)
    guard width % (2 * heads) == 0 else {
      throw ValidationError("--width \(width) in \(heads) heads: give a multiple of \(2 * heads)")
    }
    _ = try family.model(sized)
    try checkLists()
    let windows = batch?.values.first ?? base.batch
    if let slices, slices < 1 || slices.nonzeroBitCount != 1 || windows % slices != 0 {
      throw ValidationError(
        "--slices \(slices): give a power of two that divides the batch of \(windows)")
    }
  }

  private func checkLists() throws {
    for (name, list, most) in [("batch", batch, 8192), ("workers", workers, 256)] {
      guard let list else { continue }
      try CountList.check(name, list, 1...most)
      guard list.values.count > 1, !sample else { continue }
      throw ValidationError(
        "--\(name) \(list.defaultValueDescription): give one number, or --sample for a list")
    }
    if sample, ranks || steps != nil || slices != nil || sparsity > 0 {
      throw ValidationError("--sample: leave out --ranks, --steps, --slices and --sparsity")
    }
  }

  mutating func run() throws {
    let model = try family.model(sized)
    if sample { return try timeWriting(model) }
    let (batch, workers) = (self.batch?.values.first, self.workers?.values.first)
    let group = ranks ? try ProcessRanks.begin() : SoleRank()
    let benchmark = Benchmark(
      preset: base, model: model, batch: batch, steps: steps, workers: workers,
      keepsMetrics: stats == "on", slices: slices, ranks: group, isSharded: shardOptimizer,
      sparsity: sparsity)
    let cut = slices ?? TransformerEngine.slices(ofBatch: batch ?? base.batch)
    guard cut % group.count == 0 else {
      throw Failure.usage("--slices \(cut) for \(group.count) ranks: give \(group.count) or more")
    }
    guard group.count > 1 else {
      if ranks { throw Self.lackOfRanks }
      let result = benchmark.run()
      return try StandardOutput.print(json ? result.json : result.text)
    }
    let result = RankBenchmark(benchmark, model: model, ranks: group).run()
    if group.isFirst { try StandardOutput.print(json ? result.json : result.text) }
  }

  private func timeWriting(_ model: ModelConfiguration) throws {
    let cores = ProcessInfo.processInfo.activeProcessorCount
    let report = LandscapeReport(
      landscape: SamplingLandscape(
        model, batches: batch?.values ?? [1, 2, 4, 8, 16, 32, 64],
        workers: workers?.values ?? Array(Set([1, cores])).sorted()))
    if json { return try StandardOutput.print(report.json) }
    try report.lines.forEach(StandardOutput.print)
  }

  private static var lackOfRanks: Failure {
    .usage(
      StartedRanks.isBuilt
        ? "--ranks: write mpirun -n 2 seismo bench --ranks …"
        : "\(RankStartError.notBuilt(asked: "--ranks"))")
  }

  private var base: Preset { Preset(rawValue: preset) ?? .small }

  private var sizes: [(String, Int?)] {
    [
      ("width", width), ("layers", layers), ("heads", heads), ("context", context),
    ]
  }

  /// The preset's model in the sizes that were given; hidden layers grow with the width.
  private var sized: ModelConfiguration {
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
