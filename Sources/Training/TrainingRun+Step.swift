import Foundation
import Kernels
import Models
import Ranks
import Signals
import Telemetry

extension TrainingRun {
  /// What became of a step.
  enum StepResult {
    case done
    /// The loss or the gradient is not finite; no update was made.
    case diverged(RunEvent)
  }

  /// Computes the loss of the present step with the weights as they are, then updates them.
  /// - Throws: ``DataError`` where the data cannot be read any more, `RankError` where another rank
  ///   cannot or is gone, and what the objective throws; but for the second the weights are as before.
  func advance(now: () -> Double) throws -> StepResult {
    phases.end(.waiting)
    let probed = probedStep()
    probes.beforePasses(of: probed)
    phases.end(.statistics)
    let start = DispatchTime.now().uptimeNanoseconds
    let statistics = try pass(probed.lossSettings)
    probes.beforeUpdate(of: probed)
    estimateParts(statistics)
    phases.end(.statistics)
    let update = update(probed.rates, isLossFinite: statistics.loss.isFinite)
    phases.end(.optimizer)
    let seconds = Double(DispatchTime.now().uptimeNanoseconds - start) / 1e9
    var samples = StepSamples(step: step, wallTime: now(), names: [], values: [])
    let outcome = StepOutcome(statistics: statistics, update: update, seconds: seconds)
    probes.afterUpdate(of: probed, outcome, into: &samples)
    objective?.tell(statistics, into: &samples)
    if update.isMade {
      clipQueriesAndKeys(statistics, settings: probed.lossSettings)
      moveRouterBias(statistics)
      regrow()
    }
    progress.lastLoss = statistics.loss
    if let flaw = ranks.flaw { throw RankError.lost(flaw) }
    remember(samples, of: probed)
    tell(&samples)
    for event in probes.events(of: probed) { record(event) }
    guard update.isMade else { return .diverged(divergence(samples)) }
    step += 1
    progress.scriptedDone = 0
    machine.stepped()
    return .done
  }

  private func probedStep() -> ProbedStep {
    ProbedStep(
      number: step, engine: engine, parameters: parameters, weights: weights,
      optimizer: optimizer, settings: settings, lossSettings: lossSettings(at: step),
      rates: rates(at: step), learningRate: learningRate(at: step),
      initialLoss: progress.initialLoss, isEvaluationAsked: evaluationAskedAt == step,
      peakGFLOPS: peakGFLOPS)
  }

  /// Draws the windows of the present step and takes both passes over them.
  private func pass(_ settings: LossSettings) throws -> StepStatistics {
    let first = self.settings.batch.firstWindow(of: step)
    try ranks.together {
      try tokens.withUnsafeMutableBufferPointer { try windows.windows(from: first, into: $0) }
    }
    phases.end(.data)
    let tokenLoss = try prepareObjective(settings, first)
    if let corruption = windows.corruption {
      corruption.tell(&noise, from: first, count: engine.batch)
    }
    // What an objective does before the passes are passes of its own.
    phases.end(.forward)
    defer { phases.endPasses(forwardShare: mezo == nil ? engine.forwardShare : 1) }
    return tokens.withUnsafeBufferPointer { tokens in
      if let mezo {
        return mezo.losses(
          engine, parameters: parameters, tokens: tokens, noise: noise, settings: settings,
          frozenBlocks: self.settings.whole(SettingCatalog.freeze), step: step)
      }
      return engine.lossAndGradients(
        parameters: parameters, tokens: tokens, settings: settings, noise: noise,
        tokenLoss: tokenLoss, sparse: sparsity?.matrices(at: step))
    }
  }

  /// The loss of the step's tokens; nil for a mean.
  private func prepareObjective(
    _ settings: LossSettings, _ first: Int
  ) throws -> (any TokenLoss)? {
    guard objective != nil else { return nil }
    let step = ObjectiveStep(
      number: step, firstWindow: first, engine: engine, parameters: parameters,
      reference: reference, settings: settings, isWanted: isGoingOn)
    // In its place: a copy would be memory of each step's.
    return try objective?.prepare(step, &tokens)
  }

  /// Takes in what the estimating phase of a masked model is for, and pulls its masks to 0.
  private func estimateParts(_ statistics: StepStatistics) {
    guard let estimate else { return }
    if estimate.isGathering(at: step) {
      let gradient = optimizer.sum(engine.sliceGradients)
      estimate.add(
        modules: statistics.adapterShares,
        ranks: engine.rankScores(parameters: parameters, gradient: gradient))
    }
    // In one slice of one rank: the slices' gradients are added up.
    guard ranks.isFirst else { return }
    engine.addMaskPenalty(
      PartEstimate.penalty, of: parameters, to: engine.sliceGradients[0])
  }

  /// Takes the optimiser's step, if the loss and the gradients allow of one.
  private func update(_ rates: Optimizer.Rates, isLossFinite: Bool) -> UpdateStatistics {
    if let mezo {
      return mezo.update(
        parameters, clipping: &optimizer.clipping, rates: rates, updates: step)
    }
    sigma?.backward(engine.sliceGradients)
    maskGradients()
    shared?.backward(engine.sliceGradients)
    let gradients = subspace?.gradients(of: engine.sliceGradients) ?? engine.sliceGradients
    let update = optimizer.update(
      parameters: weights, sliceGradients: gradients, updates: step, rates: rates,
      isLossFinite: isLossFinite)
    guard update.isMade else { return update }
    subspace?.fold(into: parameters)
    sigma?.fold(into: parameters, frozenBlocks: settings.whole(SettingCatalog.freeze))
    shared?.expand(parameters)
    return update
  }

  /// Leaves the gradients of what is there of sparse matrices, and remembers those of all of them where
  /// blocks are about to be exchanged.
  private func maskGradients() {
    guard let sparsity else { return }
    if sparsity.isDue(at: step) { sparsity.measure(optimizer.sum(engine.sliceGradients)) }
    sparsity.mask(engine.sliceGradients)
  }

  /// After the probes, which look at the optimiser's own update.
  private func regrow() {
    guard let sparsity, sparsity.isDue(at: step) else { return }
    sparsity.regrow(
      at: step, parameters: parameters,
      moments: [optimizer.firstMoments, optimizer.secondMoments],
      frozenBlocks: settings.whole(SettingCatalog.freeze))
  }

  /// What the run itself goes by later of what a step measured.
  private func remember(_ samples: StepSamples, of probed: ProbedStep) {
    if step == 0, let loss = samples[MetricCatalog.probeLoss(multiplier: 0)] {
      progress.initialLoss = loss
    }
    guard heldOut.isDue(in: probed), let held = samples[MetricCatalog.evalLoss] else { return }
    progress.lastEvalLoss = held
    progress.heldOutProgress.evaluated(held, at: step)
    progress.keeping.evaluated(held, at: step)
  }

  private func moveRouterBias(_ statistics: StepStatistics) {
    guard settings.number(SettingCatalog.biasBalance) > 0 else { return }
    routerBias.update(
      counts: statistics.expertCounts, rate: Float(settings.number(SettingCatalog.biasBalance)),
      frozenBlocks: settings.whole(SettingCatalog.freeze))
  }

  private func tell(_ samples: inout StepSamples) {
    phases.end(.statistics)
    samples.names += StepPhases.names
    samples.values += phases.take()
    agree(on: &samples)
    emit(.samples(samples))
    observe(samples)
    phases.end(.recording)
  }

  /// What a clock says is rank 0's, so that alarms and rules say the same on all ranks.
  private func agree(on samples: inout StepSamples) {
    guard ranks.count > 1 else { return }
    ranks.tell(&samples.values)
  }

  /// After the probe, which scales the optimiser's own update.
  private func clipQueriesAndKeys(_ statistics: StepStatistics, settings: LossSettings) {
    guard self.settings.number(SettingCatalog.qkClip) > 0, settings.qkLayerNormWeight == 0 else {
      return
    }
    _ = qkClip.apply(
      to: parameters, headLogitMax: statistics.headLogitMax,
      threshold: Float(self.settings.number(SettingCatalog.qkClip)),
      frozenBlocks: self.settings.whole(SettingCatalog.freeze))
  }

  private func rates(at step: Int) -> Optimizer.Rates {
    var rates = Optimizer.Rates(
      learningRate: Float(learningRate(at: step)),
      peakLearningRate: Float(configuration.learningRate))
    rates.weightDecay = Float(settings.number(SettingCatalog.weightDecay))
    rates.decayIsCoupled = configuration.decayIsCoupled
    rates.gradClip = Float(settings.number(SettingCatalog.gradClip))
    rates.clipping = settings.clipping
    rates.updateClip = Float(settings.number(SettingCatalog.updateClip))
    rates.updateCap = Float(settings.number(SettingCatalog.updateCap))
    rates.epsilon = Float(settings.number(SettingCatalog.adamEpsilon))
    rates.beta2 = settings.adamBeta2
    rates.frozenBlocks = settings.whole(SettingCatalog.freeze)
    return rates
  }

  /// The means over the held-out windows with the present weights.
  func evaluate() -> StepStatistics {
    let statistics = heldOut.measure(
      engine, parameters: parameters, settings: lossSettings(at: step))
    progress.lastEvalLoss = statistics.loss
    return statistics
  }

  private func observe(_ samples: StepSamples) {
    var watched = settings.values
    // Beside Adam's there are tensors whose update no ε bounds.
    if !configuration.optimizer.isAdam { watched[SettingCatalog.adamEpsilon] = nil }
    let raised = progress.alarms.observe(
      samples, settings: watched, remainingSteps: configuration.steps - samples.step,
      watchesExperts: configuration.model.experts?.router.conformer.hasScores ?? true,
      thresholds: configuration.watchedAlarms)
    for event in raised { record(withWayBack(event)) }
    for event in rankAlarms.take(samples, ranks: ranks.count) { record(event) }
    for event in progress.effects.observe(samples) { record(event) }
    autopilot.observe(samples)
  }

  /// An alarm that says that the weights are being spoilt names the checkpoint to go back to.
  private func withWayBack(_ event: RunEvent) -> RunEvent {
    guard event.kind == .alarm, event.alarmRule?.isAcute == true, let good = goodCheckpoint()
    else { return event }
    var event = event
    event.text += "; good before it: \(good.words)"
    event.values["good_step"] = Double(good.step)
    if let loss = good.loss { event.values["good_loss"] = loss }
    if event.alarmRule == .lossDiverged {
      event.hint = AlarmHint.goBack(checkpoint: good.folder.lastPathComponent).text
    }
    return event
  }

  private var lackOfCheckpoint: String {
    lastCheckpoint == nil
      ? "no checkpoint was written" : "no checkpoint is from before the trouble"
  }

  private func divergence(_ samples: StepSamples) -> RunEvent {
    let checkpoint = goodCheckpoint().map { "the last good checkpoint is \($0.words)" }
    let loss = samples[MetricCatalog.loss] ?? .nan
    let culprit = objective?.culprit ?? (loss.isFinite ? "the gradient norm" : "the loss")
    return RunEvent(
      step: samples.step, wallTime: samples.wallTime, kind: .diverged, by: "run",
      text: "\(culprit) is not finite: the run cannot go on; "
        + (checkpoint ?? lackOfCheckpoint))
  }
}
