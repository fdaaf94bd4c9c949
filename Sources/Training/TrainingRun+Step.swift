import Foundation
import Kernels
import Models
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
  /// - Throws: ``DataError`` where the data cannot be read any more.
  func advance(now: () -> Double) throws -> StepResult {
    let step = self.step
    phases.end(.waiting)
    let held = evaluationIsDue(at: step) ? evaluate() : nil
    phases.end(.statistics)
    let start = DispatchTime.now().uptimeNanoseconds
    try tokens.withUnsafeMutableBufferPointer {
      try windows.windows(from: settings.batch.firstWindow(of: step), into: $0)
    }
    let lossSettings = lossSettings(at: step)
    phases.end(.data)
    let statistics = tokens.withUnsafeBufferPointer {
      engine.lossAndGradients(parameters: parameters, tokens: $0, settings: lossSettings)
    }
    phases.endPasses(forwardShare: engine.forwardShare)
    let routing =
      routingMetrics.isDue(at: step)
      ? routingMetrics.measure(engine, parameters: parameters) : []
    phases.end(.statistics)
    let probeIsDue = probe.isDue(at: step)
    if probeIsDue { probe.keep(parameters) }
    let update = update()
    phases.end(.optimizer)
    let seconds = Double(DispatchTime.now().uptimeNanoseconds - start) / 1e9
    var samples = self.samples(
      statistics, gradNorm: update.gradNorm, seconds: seconds, wallTime: now())
    if let held {
      heldOutProgress.evaluated(held.loss, at: step)
      keeping.evaluated(held.loss, at: step)
      addHeldOut(held, to: &samples)
    }
    for (name, value) in routing { samples.add(name, value) }
    addUpdate(update, to: &samples)
    if probeIsDue { addProbe(to: &samples, settings: lossSettings) }
    addSharpness(to: &samples, settings: lossSettings)
    clipQueriesAndKeys(statistics, settings: lossSettings)
    moveRouterBias(statistics)
    lastLoss = statistics.loss
    tell(&samples)
    guard statistics.loss.isFinite, update.gradNorm.isFinite else {
      return .diverged(divergence(samples))
    }
    self.step += 1
    scriptedDone = 0
    machine.stepped()
    return .done
  }

  /// Takes the optimiser's step.
  private func update() -> UpdateStatistics {
    updateCosine.keep(weights, step: step)
    sigma?.backward(engine.sliceGradients)
    let update = optimizer.update(
      parameters: weights, sliceGradients: engine.sliceGradients, updates: step,
      rates: rates(at: step))
    sigma?.fold(into: parameters, frozenBlocks: settings.whole(SettingCatalog.freeze))
    clips.add(update.isClipped)
    noiseScale.add(
      slices: update.sliceGradientSquares, norm: update.gradNorm, batch: settings.batch.value)
    return update
  }

  private func addUpdate(_ update: UpdateStatistics, to samples: inout StepSamples) {
    if tensorMetrics.isDue(at: step) {
      tensorMetrics.add(update, noiseScale: noiseScale.sequences, to: &samples)
    }
    if let cosine = updateCosine.cosine(weights, step: step) {
      samples.add(MetricCatalog.updateCosine, cosine)
    }
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
    emit(.samples(samples))
    observe(samples)
    phases.end(.recording)
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
    rates.epsilon = Float(settings.number(SettingCatalog.adamEpsilon))
    rates.beta2 = settings.adamBeta2
    rates.frozenBlocks = settings.whole(SettingCatalog.freeze)
    return rates
  }

  private func samples(
    _ statistics: StepStatistics, gradNorm: Double, seconds: Double, wallTime: Double
  ) -> StepSamples {
    let tokenCount = Double(settings.batch.value * configuration.model.context)
    let flops = tokenCount * configuration.model.flopsPerToken()
    let numbers = StepMetrics.Step(
      learningRate: learningRate(at: step),
      multiplier: settings.number(SettingCatalog.learningRateMultiplier), gradNorm: gradNorm,
      clipFraction: clips.fraction, tokensPerSecond: tokenCount / seconds,
      milliseconds: seconds * 1000, memoryBytes: memory.resident(),
      flopsFraction: shareOfPeak(gigaflops: flops / seconds / 1e9))
    return StepSamples(
      step: step, wallTime: wallTime, names: metrics.names,
      values: metrics.values(statistics, numbers))
  }

  func addHeldOut(_ held: StepStatistics, to samples: inout StepSamples) {
    samples.add(MetricCatalog.evalLoss, held.loss)
    for (name, value) in routingMetrics.heldOutViolations(held) { samples.add(name, value) }
  }

  /// Where a person asks, too, so that what the answer says stands among the samples.
  private func evaluationIsDue(at step: Int) -> Bool {
    if evaluationAskedAt == step { return true }
    let every = settings.whole(SettingCatalog.evalEvery)
    return every > 0 && step % every == 0
  }

  /// The means over the held-out windows with the present weights.
  ///
  /// They are fewer than asked for where the held-out part is short. Random experts are those that
  /// `seismo eval` draws too.
  func evaluate() -> StepStatistics {
    var settings = lossSettings(at: step)
    settings.draw = 0
    let rows = heldOut.count / windows.windowCount
    let statistics = heldOut.withUnsafeBufferPointer {
      engine.loss(parameters: parameters, tokens: $0, rows: rows, settings: settings)
    }
    lastEvalLoss = statistics.loss
    return statistics
  }

  private func addProbe(to samples: inout StepSamples, settings: LossSettings) {
    let measured = probe.curve(engine: engine, after: parameters, settings: settings)
    let losses = measured.losses
    for (multiplier, loss) in zip(MetricCatalog.probeMultipliers, losses) {
      samples.add(MetricCatalog.probeLoss(multiplier: multiplier), loss)
    }
    for (multiplier, error) in zip(MetricCatalog.probeMultipliers, measured.errors)
    where multiplier > 0 {
      samples.add(MetricCatalog.probeError(multiplier: multiplier), error)
    }
    if step == 0 { initialLoss = losses.first }
    let curve = LearningRateSensitivity(
      multipliers: MetricCatalog.probeMultipliers, losses: losses,
      initialLoss: initialLoss ?? samples[MetricCatalog.loss] ?? .nan)
    samples.add(MetricCatalog.learningRateSensitivity, curve.sensitivity)
  }

  /// At the weights as they are after the update.
  private func addSharpness(to samples: inout StepSamples, settings: LossSettings) {
    let rates = rates(at: step)
    guard let sharpness, sharpness.isDue(at: step),
      let preconditioner = optimizer.preconditioner(rates, updates: step),
      let value = sharpness.measure(
        parameters, settings: settings, preconditioner: preconditioner)
    else { return }
    samples.add(MetricCatalog.sharpness, value)
    guard rates.learningRate > 0 else { return }
    samples.add(MetricCatalog.sharpnessLimit, optimizer.sharpnessLimit(rates))
  }

  private func observe(_ samples: StepSamples) {
    var watched = settings.values
    // Beside Adam's there are tensors whose update no ε bounds.
    if !configuration.optimizer.isAdam { watched[SettingCatalog.adamEpsilon] = nil }
    let raised = alarms.observe(
      samples, settings: watched, remainingSteps: configuration.steps - samples.step,
      watchesExperts: configuration.model.experts?.router.conformer.hasScores ?? true,
      thresholds: configuration.alarms)
    for event in raised { record(withWayBack(event)) }
    for event in effects.observe(samples) { record(event) }
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
      event.hint = "r: go back to \(good.folder.lastPathComponent)"
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
    let culprit = loss.isFinite ? "the gradient norm" : "the loss"
    return RunEvent(
      step: samples.step, wallTime: samples.wallTime, kind: .diverged, by: "run",
      text: "\(culprit) is not finite: the run cannot go on; "
        + (checkpoint ?? lackOfCheckpoint))
  }
}

extension StepSamples {
  fileprivate mutating func add(_ name: MetricName, _ value: Double) {
    names.append(name)
    values.append(value)
  }
}
