package import Foundation
import Kernels
import Models
package import Ranks
import Signals
package import Telemetry

/// One run's model, optimiser, data and windows: all that a step reads and changes.
///
/// It knows neither queue nor mailbox; ``Trainer`` owns it and calls it between two steps.
package final class TrainingRun {
  package let configuration: TrainingConfiguration
  /// Where checkpoints go; nil for a run that writes none.
  package internal(set) var checkpointFolder: URL?
  let script: [ScriptedCommand]
  private(set) var engine: TransformerEngine
  let optimizer: Optimizer
  /// Nil where all weights are trained.
  let subspace: RandomSubspace?
  /// Nil where gradients are taken.
  let mezo: SparseMeZO?
  let qkClip: QKClip
  /// What the engine sees.
  let parameters: FloatBuffer
  /// Nil where hidden matrices are trained as they are.
  let sigma: SigmaReparametrisation?
  /// Nil where hidden matrices are whole.
  let sparsity: DynamicSparsity?
  /// Nil where hidden matrices have numbers of their own.
  let shared: SharedParameters?
  let schedule: LearningRateSchedule
  let windows: WindowSource
  /// What the data is, from before any of it can be lost.
  let dataFingerprint: String
  let heldOut: HeldOutLoss
  /// What is to be told as the run begins.
  var notices: [String] = []
  /// Nil where the loss is of the windows' next bytes alone.
  var objective: (any StepObjective)?
  /// As the run began; nil where nothing asks for it.
  let reference: FloatBuffer?
  /// Nil but in the phase that estimates what of a model is needed.
  let estimate: PartEstimate?
  var probes: ProbeList
  var phases = StepPhases()
  /// Takes each record on the trainer's queue; must not block.
  var emit: @Sendable (RunRecord) -> Void = { _ in }
  /// Whether nobody has asked for its end; answered at once, also in the midst of a step.
  var isGoingOn: @Sendable () -> Bool = { true }
  /// Those that take its steps, until it ends.
  package private(set) var ranks: any RankGroup
  private let workers: Int
  private let pool: WorkerPool
  private(set) var peakGFLOPS = Double.nan

  var machine: TrainerStateMachine
  var routerBias: RouterBias
  var progress = TrainingProgress()
  var rankAlarms: RankAlarms
  var autopilot: Autopilot
  /// Updates done so far, which is also the number of the next step.
  package internal(set) var step = 0
  /// Scripted commands, by their place, that are not to come again when a run that went back gets
  /// there again.
  var spentCommands: Set<Int> = []
  /// How often it went back, in stretches given up too.
  var rewindCount = 0
  /// Why going back left the run in no state to go on; nil where it did not.
  var rewindFlaw: String?
  /// Opens the session of a branch; nil for a run that is not recorded.
  var brancher: Brancher?
  /// The step at which a command last asked for the held-out loss.
  var evaluationAskedAt: Int?
  package internal(set) var lastCheckpoint: URL?
  /// The step whose checkpoint this run was resumed from.
  var resumedFrom: Int?
  var lastWrittenStep: Int?
  /// Why the last checkpoint could not be written; nil where it could.
  package internal(set) var checkpointFlaw: String?
  /// Whether it was resumed on other data than it was trained on.
  package internal(set) var hasOtherData = false
  var tokens: [Token]
  /// What the loss takes the noise of each row of ``tokens`` for; empty for none.
  var noise: [Float] = []
  /// The events recorded while a command is carried out; nil between commands.
  var answering: [RunEvent]?
  /// The state the readers were last told.
  var announced = RunState.starting

  /// Starts a new run over `corpus`, with new weights or those of its base; `script` holds commands
  /// by step, in the order in which they are to be applied, `autopilot` those that depend on a metric.
  /// `probes` are fitted to the run and tell what they measure in their order. All `ranks` make the
  /// same run. `reward` is what the configuration names. A run that prunes takes its estimating phase
  /// here.
  /// - Throws: ``DataError`` where the data holds no window; ``ConfigurationError`` where there are
  ///   more ranks than slices; ``CheckpointError`` where the base cannot be read.
  package convenience init(
    configuration: TrainingConfiguration, corpus: Corpus, script: [ScriptedCommand] = [],
    autopilot: [AutopilotRule] = [], probes: [ProbeCatalog.Maker] = ProbeCatalog.makers,
    checkpointFolder: URL?, ranks: any RankGroup = SoleRank(), reward: TextReward? = nil
  ) throws {
    let base = try configuration.base.map { try BaseModel(path: $0) }
    try base?.check(configuration)
    let pruning = try EarlyPruning(configuration, corpus: corpus, ranks: ranks)
    try self.init(
      configuration: pruning?.configuration ?? configuration, corpus: corpus, script: script,
      autopilot: Autopilot(autopilot), probes: probes, checkpointFolder: checkpointFolder,
      settings: LiveSettings(configuration), changes: [], ranks: ranks, reward: reward,
      pruning: pruning?.report)
    if let pruning {
      pruning.begin(self)
      return
    }
    initialise(parameters: parameters, layout: engine.layout, seed: configuration.seed)
    if let base { try begin(at: base) }
    sigma?.begin(at: parameters, seed: configuration.seed)
    sparsity?.begin(at: parameters, seed: configuration.seed)
    shared?.begin(at: parameters)
    mezo?.begin(at: parameters)
    subspace?.begin(at: parameters)
  }

  init(
    configuration: TrainingConfiguration, corpus: Corpus, script: [ScriptedCommand],
    autopilot: Autopilot, probes: [ProbeCatalog.Maker], checkpointFolder: URL?,
    settings: LiveSettings, changes: [TrainerStateMachine.Change], ranks: any RankGroup,
    reward: TextReward?, pruning: PruningReport? = nil
  ) throws {
    let model = configuration.model
    try Self.check(settings, of: ranks)
    var configuration = configuration
    // The newest one of a folder may be another when the run goes on.
    configuration.distil = try configuration.distil.map { try CheckpointFolder.model($0).path }
    let trunk = model.adapter.map { _ in FloatBuffer(count: ParameterLayout(model).trunkCount) }
    self.ranks = ranks
    self.configuration = configuration
    self.script = script
    self.autopilot = autopilot
    self.checkpointFolder = checkpointFolder
    windows = try WindowSource(corpus: corpus, configuration: configuration)
    dataFingerprint = try corpus.fingerprint()
    heldOut = HeldOutLoss(
      tokens: try windows.heldOut(windows: configuration.evalWindows), model: model)
    tokens = [Token](repeating: 0, count: settings.batch.value * (model.context + 1))
    workers = configuration.workers ?? ProcessInfo.processInfo.activeProcessorCount
    pool = WorkerPool(workers: workers)
    engine = TransformerEngine(
      configuration: model, batch: settings.batch.value, slices: settings.slices, pool: pool,
      ranks: ranks, trunk: trunk, takesGradients: configuration.optimizer.takesGradients)
    parameters = FloatBuffer(count: engine.layout.count)
    guard configuration.reward == nil || (reward != nil && ranks.count == 1) else {
      throw ConfigurationError.impossible(
        reason: "reward judges texts in one process of the program's: leave the ranks out")
    }
    objective = try Self.objective(
      configuration, reward, data: dataFingerprint, engine: engine, pool: pool)
    reference =
      objective.map { type(of: $0).hasReference } == true
      ? try Self.reference(configuration, layout: engine.layout) : nil
    sigma =
      model.sigmaReparam ? SigmaReparametrisation(layout: engine.layout, pool: pool) : nil
    sparsity = DynamicSparsity(configuration, layout: engine.layout, pool: pool)
    shared = SharedParameters(
      layout: engine.layout, seed: configuration.seed, pool: pool, slices: settings.slices,
      ranks: ranks)
    subspace =
      configuration.subspace > 0
      ? RandomSubspace(
        dimensions: configuration.subspace, of: engine.layout, pool: pool,
        slices: engine.sliceGradients.count, seed: configuration.seed)
      : nil
    optimizer = Optimizer(
      layout: subspace?.layout ?? engine.layout, pool: pool, kind: configuration.optimizer,
      isMuParam: configuration.muParam, slices: settings.slices, ranks: ranks,
      isSharded: configuration.shardsOptimizer && ranks.count > 1
        && configuration.optimizer.takesGradients)
    mezo =
      configuration.optimizer == .mezo
      ? SparseMeZO(
        layout: engine.layout, pool: pool, options: configuration.mezo, seed: configuration.seed)
      : nil
    qkClip = QKClip(configuration.model)
    estimate = model.isMasked ? PartEstimate(steps: configuration.steps) : nil
    routerBias = RouterBias(model)
    schedule = LearningRateSchedule(configuration: configuration)
    let probeRows = max(1, settings.batch.first / 4)
    self.probes = ProbeList(
      probes,
      of: ProbedRun(
        configuration: configuration, layout: engine.layout, trunk: trunk,
        trained: optimizer.layout, pool: pool,
        entropyPerByte: corpus.entropyPerByte, tokens: try windows.probe(rows: probeRows),
        rows: probeRows, firstBatch: settings.batch.first, heldOut: heldOut, sparsity: sparsity,
        shared: shared, pruning: pruning, ranks: ranks))
    rankAlarms = RankAlarms(thresholds: configuration.alarms)
    machine = TrainerStateMachine(
      settings: settings, changes: changes, conditions: SettingConditions(configuration),
      largestBatch: configuration.largestBatch,
      detachRefusal: Self.detachRefusal(configuration, checkpointFolder, ranks))
  }

  /// Plans the passes' memory anew for the batch in force; the slices stay as many.
  func resizeBatch() {
    let batch = settings.batch.value
    guard batch != engine.batch else { return }
    engine = TransformerEngine(
      configuration: configuration.model, batch: batch, slices: engine.slices, pool: pool,
      ranks: ranks, trunk: engine.trunk, takesGradients: configuration.optimizer.takesGradients)
    tokens = [Token](repeating: 0, count: batch * windows.windowCount)
  }

  private static func check(_ settings: LiveSettings, of ranks: any RankGroup) throws {
    let (slices, batch) = (settings.slices, settings.batch.value)
    guard batch % slices == 0 else {
      throw ConfigurationError.impossible(
        reason: "a batch of \(batch) in \(slices) slices: give as many as divide it")
    }
    guard slices % ranks.count == 0 else {
      throw ConfigurationError.impossible(
        reason: "\(ranks.count) ranks for \(slices) slices of a batch: give --slices"
          + " \(ranks.count), or fewer ranks")
    }
  }

  private static func detachRefusal(
    _ configuration: TrainingConfiguration, _ checkpointFolder: URL?, _ ranks: any RankGroup
  ) -> String? {
    if ranks.count > 1 { return "its ranks end together: stop it, and resume it elsewhere" }
    if configuration.dataPath == "-" { return "its data came from standard input" }
    return checkpointFolder == nil ? "it writes no checkpoints" : nil
  }

  /// Takes over what the machine's matrix product can do.
  func measurePeak() {
    guard peakGFLOPS.isNaN else { return }
    peakGFLOPS = MachinePeak.gflops(workers: workers)
  }

  /// What rank 0 does from now on the others know nothing of.
  func leaveRanks() { ranks = SoleRank() }

  package var isFinished: Bool { step >= configuration.steps }
  package var settings: LiveSettings { machine.settings }

  /// What the model, its passes and its update take; what stands beside the step is not counted.
  package var memoryBytes: Int {
    // The parameters, their moments and the sum of the slices' gradients, or a copy to one side.
    engine.memoryBytes + (engine.trunk?.bytes ?? 0)
      + (2 + configuration.optimizer.moments) * parameters.bytes + (objective?.memoryBytes ?? 0)
  }

  /// What the optimiser trains.
  var weights: FloatBuffer { sigma?.weights ?? subspace?.weights ?? parameters }

  /// The learning rate of the update of `step`, all that a person changed included.
  func learningRate(at step: Int) -> Double {
    LearningRateInForce(schedule: schedule, settings: settings).rate(step: step)
  }

  func lossSettings(at step: Int) -> LossSettings {
    LossSettings(
      qkLayerNormWeight: Float(settings.qkLayerNorm.weight(at: step)),
      zLoss: Float(settings.number(SettingCatalog.zLoss)),
      balanceLoss: Float(settings.number(SettingCatalog.balanceLoss)),
      routerZLoss: Float(settings.number(SettingCatalog.routerZLoss)),
      capacity: Float(settings.number(SettingCatalog.capacity)),
      routerBias: routerBias.values,
      logitSoftCap: Float(settings.number(SettingCatalog.logitSoftCap)),
      outputSoftCap: Float(settings.number(SettingCatalog.outputSoftCap)),
      consistency: Float(settings.number(SettingCatalog.consistency)),
      draw: CounterGenerator(seed: configuration.seed, stream: "experts").bits(at: UInt64(step)))
  }

  func record(_ event: RunEvent) {
    answering?.append(event)
    emit(.event(event))
  }

  func declareSettings() {
    emit(.settings(settings.declarations(in: SettingConditions(configuration))))
  }

  /// The run as a session and a screen describe it.
  package func description(name: String, created: Double) -> RunDescription {
    let model = configuration.model
    return RunDescription(
      name: name, created: created,
      model: RunDescription.Model(
        preset: configuration.preset?.rawValue, width: model.width, layers: model.layers,
        heads: model.heads, context: model.context, batch: configuration.batch,
        experts: model.experts?.count ?? 0, parameters: model.parameterCount),
      totalSteps: configuration.steps, warmup: configuration.warmup,
      peakLearningRate: configuration.learningRate,
      minimumLearningRate: configuration.minimumLearningRate,
      entropyPerByte: windows.corpus.entropyPerByte, initialLoss: progress.initialLoss,
      options: configuration.options,
      environment: Self.environment(corpus: windows.corpus, teacher: teacher))
  }

  /// What the numbers of a run over `corpus` depend on beside its options.
  package static func environment(
    corpus: Corpus, teacher: Teacher? = nil
  ) -> [String: String] {
    var environment = [
      EnvironmentKey.version.name: seismoVersion, "blas_core": LinearAlgebra.coreName,
      "blas_version": LinearAlgebra.version, EnvironmentKey.data.name: corpus.description,
    ]
    environment[.teacher] = teacher?.fingerprint
    return environment
  }
}

extension WindowSource {
  fileprivate init(corpus: Corpus, configuration: TrainingConfiguration) throws(DataError) {
    try self.init(
      corpus: corpus, evalFraction: configuration.evalFraction,
      context: configuration.model.context, order: configuration.order, seed: configuration.seed,
      corruption: configuration.corruption)
  }
}

extension LearningRateSchedule {
  fileprivate init(configuration: TrainingConfiguration) {
    self.init(
      peak: configuration.learningRate, warmup: configuration.warmup, total: configuration.steps,
      minimum: configuration.minimumLearningRate, shape: configuration.schedule,
      decaySteps: configuration.decaySteps ?? configuration.steps / 5)
  }
}
