import Foundation
import Kernels
import Models
import Ranks
import Signals
import Telemetry

extension TrainingRun {
  /// Says what this run is and may change.
  func begin() {
    measurePeak()
    declareSettings()
    emit(.state(.running))
    announced = .running
    if hasOtherData { note("goes on with other data than the checkpoint was trained on") }
    for notice in notices + [objective?.notice].compactMap(\.self) { note(notice) }
  }

  private func note(_ text: String) {
    record(
      RunEvent(step: step, wallTime: Trainer.now(), kind: .note, by: "run", text: text))
  }

  /// Applies the script's commands of the present step that are not applied yet.
  func applyScript(now: Double) {
    let due = script.indices.filter { script[$0].step == step }
    guard progress.scriptedDone < due.count else { return }
    let rewindsBefore = rewindCount
    for index in due[progress.scriptedDone...] {
      let wentBack = rewindCount != rewindsBefore
      if !wentBack { progress.scriptedDone += 1 }
      guard !spentCommands.contains(index) else { continue }
      // What a script does on going back it does once, or the run would go back for ever.
      if wentBack || script[index].command.isForOnce { spentCommands.insert(index) }
      apply(script[index].command, by: "run.toml", now: now)
    }
  }

  /// - Returns: what the events recorded meanwhile answer.
  @discardableResult
  func apply(_ command: Command, by author: String, now: Double) -> CommandAnswer {
    let asked = step
    answering = []
    let (events, tasks) = machine.apply(command, by: author, at: step, wallTime: now)
    for event in events {
      record(event)
      progress.effects.note(event, blendSteps: settings.qkLayerNorm.blendSteps)
    }
    for task in tasks { carryOut(task) }
    defer { answering = nil }
    return CommandAnswer(answering ?? [], step: asked)
  }

  private func carryOut(_ task: TrainerStateMachine.Task) {
    switch task {
    case .writeCheckpoint(let author): writeCheckpoint(by: author)
    case .evaluate: reportEvaluation()
    case .resizeBatch: resizeBatch()
    case .resetQKGains: resetQKGains()
    case .declareSettings: declareSettings()
    case .rewind(let checkpoint, let skip, let author):
      rewind(to: checkpoint, skipping: skip, by: author)
    case .skip(let count, let author): skip(count, by: author)
    case .branch(let name, let author): branch(to: name, by: author)
    }
  }

  private func reportEvaluation() {
    let loss = evaluate().loss
    evaluationAskedAt = step
    record(
      RunEvent(
        step: step, wallTime: Trainer.now(), kind: .evaluate, by: "run",
        text: "held-out loss \(NumberText.compact(loss, digits: 5)) nats/token",
        values: ["loss/eval": loss]))
  }

  /// qk-layernorm comes back from nothing: gains of 1 and moments of 0, as in a new model.
  private func resetQKGains() {
    // In a subspace they move with all other weights, and from what they began as.
    guard subspace == nil else { return }
    for tensor in engine.layout.tensors where tensor.role == .queryKeyGain {
      for index in tensor.offset..<tensor.offset + tensor.count {
        parameters.base[index] = 1
        weights.base[index] = 1
      }
      optimizer.reset(tensor: tensor)
    }
  }

  /// Tells the readers when the run pauses or goes on.
  func announceMode() {
    let state: RunState = machine.isPaused ? .paused : .running
    guard state != announced else { return }
    announced = state
    emit(.state(state))
  }
}

extension TrainingRun {
  func finish(_ outcome: TrainingOutcome) -> TrainingOutcome {
    let isMeasured = outcome == .finished && settings.whole(SettingCatalog.evalEvery) > 0
    if isMeasured || evaluationAskedAt == step { measureEnd() }
    if checkpointFolder != nil { writeCheckpoint(by: "run") }
    let held = progress.lastEvalLoss
    var values: [String: Double] = [:]
    values["loss"] = progress.lastLoss
    values["loss/eval"] = held
    record(
      RunEvent(
        step: step, wallTime: Trainer.now(), kind: .run, by: "run",
        text: ending(outcome, heldOut: held), values: values))
    emit(.state(outcome == .finished ? .finished : .stopped))
    return outcome
  }

  /// The held-out loss of the weights as they are left: a sample of the step that would come next.
  private func measureEnd() {
    var samples = StepSamples(step: step, wallTime: Trainer.now(), names: [], values: [])
    heldOut.tell(evaluate(), into: &samples)
    emit(.samples(samples))
  }

  private func ending(_ outcome: TrainingOutcome, heldOut: Double?) -> String {
    var parts = [outcome == .finished ? "finished" : "stopped"]
    if let lastLoss = progress.lastLoss {
      parts.append("loss \(NumberText.compact(lastLoss, digits: 5))")
    }
    if let heldOut { parts.append("held-out \(NumberText.compact(heldOut, digits: 5))") }
    let raised = progress.alarms.raised.filter(\.isAcute).map(\.name).sorted()
    if !raised.isEmpty { parts.append("still alarmed: \(raised.joined(separator: ", "))") }
    return parts.joined(separator: ", ")
  }

  var isOutOfPatience: Bool { progress.heldOutProgress.isExhausted(configuration.patience) }

  /// Ends as a run does that is told to stop, and says why.
  func stopForWantOfProgress() -> TrainingOutcome {
    var text =
      "stop: the held-out loss has not improved for"
      + " \(NumberText.grouped(progress.heldOutProgress.evaluationsSince)) evaluations"
    var values = ["patience": Double(configuration.patience)]
    if let best = progress.heldOutProgress.best, let step = progress.heldOutProgress.bestStep {
      text += ", since \(NumberText.compact(best, digits: 5)) at step \(NumberText.grouped(step))"
      values["loss/eval"] = best
      values["best_step"] = Double(step)
    }
    if configuration.keepsBest, let best = progress.keeping.best {
      text += "; the best checkpoint is \(CheckpointFolder.folderName(step: best.step))"
    }
    record(
      RunEvent(
        step: step, wallTime: Trainer.now(), kind: .stop, by: "run", name: "patience",
        text: text, values: values))
    return finish(.stopped)
  }

  /// Ends here so that another process goes on from the checkpoint written now.
  func detach() -> TrainingOutcome {
    if evaluationAskedAt == step { measureEnd() }
    guard let checkpoint = writeCheckpoint(by: "run") else {
      return fail("no checkpoint could be written, so the run cannot go on elsewhere")
    }
    return .detached(checkpoint: checkpoint)
  }

  func diverge(_ event: RunEvent) {
    record(event)
    announced = .diverged
    emit(.state(.diverged))
  }

  /// What can be done about a run that is not finite any more: it goes back, or it is left.
  func applyAfterDivergence(_ command: Command, by author: String, now: Double) -> CommandAnswer {
    switch command {
    case .rewind, .note, .stop: return apply(command, by: author, now: now)
    default:
      let reason = "the run has diverged: rewind goes back to a checkpoint, stop leaves it"
      record(
        RunEvent(
          refusing: command.words, because: reason, by: author, step: step, wallTime: now))
      return CommandAnswer(isApplied: false, step: step, text: reason)
    }
  }

  /// What ended the run, and where to go on from.
  func withLastCheckpoint(_ reason: String) -> String {
    let place = lastCheckpoint.map { "go on from \($0.path)" } ?? "no checkpoint was written"
    return "\(reason); \(place)"
  }

  /// Ends a run whose present step could not be prepared: the weights of the last one are good.
  func failBeforePasses(_ reason: String) -> TrainingOutcome {
    // Ranks write together, and the others may know nothing of it.
    if ranks.count == 1, lastWrittenStep != step, resumedFrom != step { writeCheckpoint(by: "run") }
    return fail(withLastCheckpoint(reason))
  }

  func fail(_ reason: String) -> TrainingOutcome {
    record(
      RunEvent(step: step, wallTime: Trainer.now(), kind: .fault, by: "run", text: reason))
    emit(.state(.failed(reason: reason)))
    return .failed(reason: reason)
  }
}
