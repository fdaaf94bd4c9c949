import Dispatch
import Kernels
import Models
import Ranks

/// A run's estimating phase, taken before its first step: what of the model and of its adapter is
/// needed, and the numbers of what stays.
///
/// It is a short run of the masked model over the first windows of the data at the peak rate. Its
/// steps are not the run's own, whose schedule begins with the smaller model. What the adapter has
/// learned by then stays, the masks do not.
struct EarlyPruning {
  /// Of the run that goes on with what is left.
  let configuration: TrainingConfiguration
  let report: PruningReport
  private let kept: KeptParts
  private let whole: AdaptedModel

  /// Nil for a run that prunes nothing.
  /// - Throws: what starting a run throws, ``DataError`` where the data cannot be read any more,
  ///   ``ConfigurationError`` where the phase diverges.
  init?(_ configuration: TrainingConfiguration, corpus: Corpus, ranks: any RankGroup) throws {
    guard configuration.light > 0, !configuration.model.isMasked else { return nil }
    let start = DispatchTime.now().uptimeNanoseconds
    let run = try TrainingRun(
      configuration: configuration.estimating, corpus: corpus, probes: [], checkpointFolder: nil,
      ranks: ranks)
    while !run.isFinished { try Self.advance(run) }
    guard let estimate = run.estimate, let trunk = run.engine.trunk else { return nil }
    let importances = estimate.importances(masks: run.engine.masks(run.parameters))
    kept = importances.kept(leavingOut: configuration.lightShares)
    whole = AdaptedModel(run.configuration.model, parameters: run.parameters, trunk: trunk)
    var pruned = configuration
    pruned.model.pruned = kept.shape
    self.configuration = pruned
    report = PruningReport(
      steps: configuration.light,
      seconds: Double(DispatchTime.now().uptimeNanoseconds - start) / 1e9,
      bytes: run.memoryBytes, importances: importances, kept: kept,
      weightsBefore: configuration.model.trunkCount, weights: pruned.model.trunkCount)
  }

  private static func advance(_ run: TrainingRun) throws {
    guard case .diverged = try run.advance(now: Trainer.now) else { return }
    throw ConfigurationError.impossible(
      reason: "the loss or its gradient is not finite at step \(run.step) of the estimating phase:"
        + " give a lower --lr")
  }

  /// Has `run`, which has the shape of what stays, begin with it.
  func begin(_ run: TrainingRun) {
    guard let trunk = run.engine.trunk else { return }
    cut(
      kept, of: whole,
      into: AdaptedModel(run.configuration.model, parameters: run.parameters, trunk: trunk))
  }
}

/// What an estimating phase came to, as a run tells it and its checkpoints keep it.
package struct PruningReport: Sendable, Codable, Equatable {
  let steps: Int
  let seconds: Double
  /// What the masked model, its passes and its update took.
  let bytes: Int
  /// By layer: the masks of its heads, and the mean of its channels'.
  let headMasks: [[Double]]
  let channelMasks: [Double]
  /// By module.
  let modules: [Double]
  let ranks: [[Double]]
  /// The numbers of the heads that stay, by layer.
  let keptHeads: [[Int]]
  /// Of the ranks, by module.
  let keptRanks: [[Int]]
  let keptChannels: [Int]
  /// The trunk's weights before and after.
  let weightsBefore: Int
  let weights: Int

  init(
    steps: Int, seconds: Double, bytes: Int, importances: PartImportances, kept: KeptParts,
    weightsBefore: Int, weights: Int
  ) {
    (self.steps, self.seconds, self.bytes) = (steps, seconds, bytes)
    (self.weightsBefore, self.weights) = (weightsBefore, weights)
    headMasks = importances.heads
    channelMasks = importances.channels.map { $0.reduce(0, +) / Double(max($0.count, 1)) }
    (modules, ranks) = (importances.modules, importances.ranks)
    (keptHeads, keptRanks) = (kept.heads, kept.ranks)
    keptChannels = kept.channels.map(\.count)
  }
}

extension ModelConfiguration {
  /// The numbers of the trunk; 0 where all is trained.
  fileprivate var trunkCount: Int {
    ParameterLayout(self).trunk.reduce(0) { $0 + $1.count }
  }
}

extension TrainingConfiguration {
  /// The run that estimates: of the masked model, at the peak rate from the first step on.
  fileprivate var estimating: TrainingConfiguration {
    var own = self
    own.model.isMasked = true
    (own.steps, own.warmup, own.schedule, own.decaySteps) = (light, 0, .constant, nil)
    return own
  }
}
