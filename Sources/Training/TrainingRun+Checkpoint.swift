import Dispatch
package import Foundation
import Kernels
import Models
package import Ranks
import Signals
import Telemetry

extension TrainingRun {
  /// Goes on from `checkpoint`, bit for bit.
  ///
  /// `state` is the checkpoint's continuation, for those who have read it already.
  /// `configuration` may differ from the checkpoint's in what leaves the model's shape alone.
  /// - Throws: ``CheckpointError``, ``DataError``, ``ConfigurationError`` for another shape.
  package convenience init(
    resuming checkpoint: Checkpoint, with state: ContinuationState? = nil,
    configuration: TrainingConfiguration, corpus: Corpus, script: [ScriptedCommand],
    autopilot: [AutopilotRule] = [], probes: [ProbeCatalog.Maker] = ProbeCatalog.makers,
    checkpointFolder: URL?, ranks: any RankGroup = SoleRank(), reward: TextReward? = nil
  ) throws {
    // What was cut out is told by no option.
    var configuration = configuration
    configuration.model.pruned = checkpoint.configuration.pruned
    guard checkpoint.configuration == configuration.model else {
      throw ConfigurationError.impossible(
        reason: "\(checkpoint.path) holds \(checkpoint.configuration.words), not"
          + " \(configuration.model.words): leave the sizes out when resuming")
    }
    let state = try state ?? checkpoint.continuation()
    try Self.check(configuration.optimizer, continues: state.options["optimizer"])
    try Self.checkSubspace(configuration, continues: state.options)
    try Self.checkLight(configuration, continues: state.options)
    try Self.checkSparsity(configuration, continues: state.options)
    try Self.checkTeacher(configuration, continues: state.options)
    let earlier = state.autopilot ?? Autopilot()
    let isSame = autopilot.isEmpty || autopilot == earlier.rules
    try self.init(
      configuration: configuration, corpus: corpus, script: script,
      autopilot: isSame ? earlier : Autopilot(autopilot), probes: probes,
      checkpointFolder: checkpointFolder,
      settings: Self.settings(of: state, at: checkpoint.step, configuration),
      changes: state.changes, ranks: ranks, reward: reward)
    try checkTeacher(continues: state.teacher)
    try adopt(checkpoint, state)
    rewindCount = state.rewindCount ?? 0
    spentCommands = script == state.script ? Set(state.spentCommands ?? []) : []
    hasOtherData = dataFingerprint != state.dataFingerprint
  }

  /// The settings in force in a checkpoint, with what the configuration may say anew.
  static func settings(
    of state: ContinuationState, at step: Int, _ configuration: TrainingConfiguration
  ) -> LiveSettings {
    var settings = state.settings
    settings.qkLayerNorm.set(blendSteps: configuration.blendSteps, at: step)
    settings.complete(from: state.options, configuration)
    return settings
  }

  /// Takes over all that `checkpoint` holds beside the settings.
  /// - Throws: ``CheckpointError``; then weights and moments may be of neither state.
  func adopt(_ checkpoint: Checkpoint, _ state: ContinuationState) throws(CheckpointError) {
    try checkpoint.load(parameters: parameters)
    if let trunk = try checkpoint.trunk() { engine.trunk?.copy(from: trunk) }
    try sigma?.resume(checkpoint, parameters: parameters)
    try sparsity?.resume(checkpoint)
    try probes.resume(from: checkpoint)
    try mezo?.resume(checkpoint, parameters: parameters)
    if let subspace {
      try subspace.resume(checkpoint, optimizer: optimizer, seed: configuration.seed)
    } else if mezo == nil {
      try checkpoint.load(
        firstMoments: optimizer.firstMoments, secondMoments: optimizer.secondMoments)
    }
    sparsity?.mask([parameters, optimizer.firstMoments, optimizer.secondMoments])
    optimizer.releaseMoments()
    step = checkpoint.step
    routerBias = RouterBias(checkpoint.configuration, values: checkpoint.forward.routerBias)
    optimizer.clipping = state.clipping ?? GradientClipping()
    progress = state.progress
    progress.keeping.filter {
      $0 < checkpoint.step && isOwnCheckpoint(ofStep: $0, beside: checkpoint.path)
    }
    evaluationAskedAt = nil
    lastCheckpoint = URL(fileURLWithPath: checkpoint.path)
    resumedFrom = checkpoint.step
    lastWrittenStep = nil
  }

  /// Moments of another rule mean something else; one that keeps none goes on from any.
  private static func check(
    _ optimizer: OptimizerKind, continues name: String?
  ) throws(ConfigurationError) {
    let earlier = name.flatMap(OptimizerKind.init) ?? .adamW
    guard optimizer == earlier || optimizer == .mezo || (optimizer.isAdam && earlier.isAdam) else {
      throw .impossible(
        reason: "the checkpoint's moments are \(earlier.rawValue)'s, not \(optimizer.rawValue)'s:"
          + " leave the optimizer out when resuming")
    }
  }

  /// Another one would begin elsewhere.
  private static func checkSubspace(
    _ configuration: TrainingConfiguration, continues options: [String: String]
  ) throws(ConfigurationError) {
    let earlier = options["subspace"].flatMap(Int.init) ?? 0
    guard configuration.subspace == earlier else {
      let held = earlier == 0 ? "all weights" : "a subspace of \(earlier) dimensions"
      throw .impossible(
        reason: "the checkpoint's run trains \(held): leave subspace out when resuming")
    }
    guard earlier == 0 || options["seed"] == "\(configuration.seed)" else {
      throw .impossible(
        reason: "the checkpoint's subspace was drawn by the seed \(options["seed"] ?? "0"): leave"
          + " the seed out when resuming")
    }
  }

  /// What is cut out is cut out before the first step.
  private static func checkLight(
    _ configuration: TrainingConfiguration, continues options: [String: String]
  ) throws(ConfigurationError) {
    guard configuration.light != options["light"].flatMap(Int.init) ?? 0 else { return }
    throw .impossible(
      reason: "light prunes before the first step, which is done: leave it out when resuming")
  }

  /// The blocks that are there would be too many or too few.
  private static func checkSparsity(
    _ configuration: TrainingConfiguration, continues options: [String: String]
  ) throws(ConfigurationError) {
    let earlier = options["sparsity"].flatMap(Double.init) ?? 0
    guard configuration.sparsity != earlier else { return }
    let held = earlier == 0 ? "whole matrices" : "matrices with a sparsity of \(earlier)"
    throw .impossible(
      reason: "the checkpoint's run trains \(held): leave sparsity out when resuming")
  }

  /// Writes the checkpoint that is due at the present step, before its commands are applied, and
  /// removes those that need not stay then.
  func writePeriodicCheckpoint() {
    guard let every = configuration.checkpointEvery, step % every == 0, progress.scriptedDone == 0,
      resumedFrom != step, lastWrittenStep != step
    else { return }
    writeCheckpoint(by: "run", isPeriodic: true)
  }

  /// Writes a checkpoint of the present step and records it; a failure is recorded too and ends
  /// nothing.
  /// - Returns: the checkpoint's folder, nil where it could not be written.
  @discardableResult
  func writeCheckpoint(by author: String, isPeriodic: Bool = false) -> URL? {
    guard let checkpointFolder, ranks.flaw == nil else { return nil }
    let start = DispatchTime.now().uptimeNanoseconds
    optimizer.collectMoments()
    guard ranks.flaw == nil else { return nil }
    progress.keeping.forget(step: step)
    if isPeriodic { progress.keeping.add(step: step) }
    do {
      let path = try ranks.led {
        try CheckpointFolder.write(
          contents, step: step, run: writtenState, to: checkpointFolder.path)
      }
      let milliseconds = Double(DispatchTime.now().uptimeNanoseconds - start) / 1e6
      let folder = URL(fileURLWithPath: path)
      optimizer.releaseMoments()
      lastCheckpoint = folder
      lastWrittenStep = step
      checkpointFlaw = nil
      let removed = isPeriodic ? removeSuperfluous(in: checkpointFolder.path) : []
      recordCheckpoint(folder, by: author, milliseconds: milliseconds, removed: removed)
      return folder
    } catch {
      progress.keeping.forget(step: step)
      checkpointFlaw = "the checkpoint could not be written: \(error)"
      record(
        RunEvent(
          step: step, wallTime: Trainer.now(), kind: .fault, by: "run",
          text: "the checkpoint could not be written: \(error)"))
      return nil
    }
  }

  /// - Returns: the steps of the checkpoints that are gone.
  private func removeSuperfluous(in parent: String) -> [Int] {
    let steps = progress.keeping.superfluous(
      keepingLast: configuration.keptCheckpoints, andBest: configuration.keepsBest,
      troubleSince: progress.alarms.troubleSince)
    return steps.filter { step in
      // One that cannot be removed is told once and left alone.
      progress.keeping.forget(step: step)
      do {
        return try ranks.led {
          try CheckpointFolder.remove(step: step, in: parent)
          return true
        }
      } catch {
        record(
          RunEvent(
            step: self.step, wallTime: Trainer.now(), kind: .fault, by: "run",
            text: "a checkpoint that need not stay could not be removed: \(error)"))
        return false
      }
    }
  }

  /// Whether the checkpoint of `step` lies where this run writes its own, beside `path`.
  private func isOwnCheckpoint(ofStep step: Int, beside path: String) -> Bool {
    guard let checkpointFolder else { return false }
    let folder = URL(fileURLWithPath: path).deletingLastPathComponent().standardizedFileURL
    return folder.path == checkpointFolder.standardizedFileURL.path
      && CheckpointFolder.holds(step: step, in: checkpointFolder.path)
  }

  private func recordCheckpoint(
    _ folder: URL, by author: String, milliseconds: Double, removed: [Int]
  ) {
    let bytes = Self.bytes(in: folder)
    let cost =
      "\(NumberText.bytes(bytes)) in \(NumberText.grouped(milliseconds.rounded(.up))) ms"
    let gone = removed.map { CheckpointFolder.folderName(step: $0) }.joined(separator: ", ")
    var event = RunEvent(
      step: step, wallTime: Trainer.now(), kind: .checkpoint, by: author,
      name: folder.lastPathComponent,
      text: "checkpoint \(folder.lastPathComponent), \(cost)"
        + (removed.isEmpty ? "" : "; removed \(gone)"),
      values: ["bytes": bytes])
    event.removedCheckpoints = removed
    record(event)
  }

  private static func bytes(in folder: URL) -> Double {
    let files = try? FileManager.default.contentsOfDirectory(
      at: folder, includingPropertiesForKeys: [.fileSizeKey])
    let sizes = files?.compactMap { try? $0.resourceValues(forKeys: [.fileSizeKey]).fileSize }
    return Double(sizes?.reduce(0, +) ?? 0)
  }

  private var contents: CheckpointContents {
    // The moments of a subspace stand beside those of the layout, which nobody has.
    let none = subspace.map { _ in FloatBuffer(untouched: engine.layout.count) }
    return CheckpointContents(
      configuration: configuration.model, layout: engine.layout,
      qkLayerNormWeight: Float(settings.qkLayerNorm.weight(at: step)),
      forward: ForwardState(lossSettings(at: step)), parameters: parameters, trunk: engine.trunk,
      firstMoments: none ?? optimizer.firstMoments,
      secondMoments: none ?? optimizer.secondMoments,
      others: (sigma?.stored ?? []) + (sparsity?.stored ?? []) + (mezo.map { [$0.stored] } ?? [])
        + (subspace?.stored(optimizer) ?? []) + probes.tensors(at: step))
  }

  private var writtenState: WrittenState {
    let state = ContinuationState(
      options: configuration.options, script: script, settings: settings,
      changes: machine.changes, clipping: optimizer.clipping, rewindCount: rewindCount,
      spentCommands: spentCommands.sorted(), autopilot: autopilot,
      dataFingerprint: dataFingerprint, teacher: teacher?.fingerprint, progress: progress)
    return WrittenState(run: state, probes: probes, step: step)
  }
}
