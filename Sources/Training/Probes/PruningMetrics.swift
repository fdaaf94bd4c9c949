import Models
import Signals
import Telemetry

/// What the estimating phase of a run that prunes found and left, told with the first step.
struct PruningMetrics: Probe {
  private var report: PruningReport?
  private let layers: Int

  /// Nil for a run of a whole model.
  init?(_ run: ProbedRun) {
    guard run.configuration.model.pruned != nil else { return nil }
    report = run.pruning
    layers = run.configuration.model.layers
  }

  func isDue(in step: ProbedStep) -> Bool { step.number == 0 && report != nil }

  func afterUpdate(of step: ProbedStep, _ outcome: StepOutcome, into samples: inout StepSamples) {
    guard let report else { return }
    samples.add(MetricCatalog.lightSeconds, report.seconds)
    samples.add(MetricCatalog.lightBytes, Double(report.bytes))
    let modules = report.modules.count / layers
    for layer in 0..<layers {
      for (head, mask) in report.headMasks[layer].enumerated() {
        samples.add(MetricCatalog.lightHeadMask(layer: layer, head: head), mask)
      }
      samples.add(MetricCatalog.lightChannelMask(layer: layer), report.channelMasks[layer])
      for module in 0..<modules {
        let scores = report.ranks[layer * modules + module]
        samples.add(
          MetricCatalog.lightShare(layer: layer, module: module),
          report.modules[layer * modules + module])
        samples.add(
          MetricCatalog.lightScore(layer: layer, module: module),
          scores.reduce(0, +) / Double(max(scores.count, 1)))
      }
      let ranks = report.keptRanks[layer * modules..<(layer + 1) * modules]
      samples.add(MetricCatalog.lightHeads(layer: layer), Double(report.keptHeads[layer].count))
      samples.add(MetricCatalog.lightChannels(layer: layer), Double(report.keptChannels[layer]))
      samples.add(
        MetricCatalog.lightRanks(layer: layer), Double(ranks.reduce(0) { $0 + $1.count }))
    }
  }

  func events(of step: ProbedStep) -> [RunEvent] {
    guard let report else { return [] }
    return [
      RunEvent(
        step: step.number, wallTime: Trainer.now(), kind: .run, by: "run", name: "light",
        text: report.words,
        values: ["seconds": report.seconds, "bytes": Double(report.bytes)])
    ]
  }

  func state(at step: Int) -> PruningReport? { report }

  mutating func resume(
    _ state: PruningReport?, from checkpoint: Checkpoint
  ) throws(CheckpointError) {
    report = state
  }
}

extension PruningReport {
  /// What is left, in a line.
  fileprivate var words: String {
    let heads = "\(keptHeads[0].count) of \(headMasks[0].count) heads a layer"
    let modules = keptRanks.count { !$0.isEmpty }
    let ranks = keptRanks.reduce(0) { $0 + $1.count }
    return "estimated for \(steps) steps in \(NumberText.compact(seconds)) s and"
      + " \(NumberText.bytes(Double(bytes))); left are \(heads),"
      + " \(NumberText.grouped(weights)) of the trunk's \(NumberText.grouped(weightsBefore)) weights,"
      + " \(modules) of \(keptRanks.count) modules with \(ranks) of \(ranksInAll) ranks"
  }

  private var ranksInAll: Int { ranks.reduce(0) { $0 + $1.count } }
}
