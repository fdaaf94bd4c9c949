package import Telemetry

/// The rules that raise alarms: names, sentences and patience, in one table.
package enum AlarmRule: String, Sendable, Codable, CaseIterable {
  case lossSpike = "loss-spike"
  case lossAboveBest = "loss-above-best"
  case lossDiverged = "loss-diverged"
  case noProgress = "no-progress"
  case attentionLogitsHigh = "attention-logits-high"
  case attentionLogitsDiverging = "attention-logits-diverging"
  case notFinite = "not-finite"
  case logZDrift = "log-z-drift"
  case gradientNearEpsilon = "gradient-near-epsilon"
  case deadExpert = "dead-expert"
  case overloadedExpert = "overloaded-expert"
  case heldOutLossRising = "held-out-loss-rising"
  case functionRunsOff = "function-runs-off"
  case gradientSpike = "gradient-spike"
  case acceleratorIdle = "accelerator-idle"
  case memoryNearEnd = "memory-near-end"
  case slowRank = "slow-rank"
  case strayWeights = "stray-weights"

  /// What events carry as their name.
  package var name: String { rawValue }

  /// Whether it says that the weights are being spoilt, so that those from before are better.
  package var isAcute: Bool {
    switch self {
    case .lossSpike, .lossAboveBest, .lossDiverged, .attentionLogitsHigh,
      .attentionLogitsDiverging, .notFinite, .strayWeights:
      true
    case .noProgress, .logZDrift, .gradientNearEpsilon, .deadExpert, .overloadedExpert,
      .heldOutLossRising, .functionRunsOff, .gradientSpike, .acceleratorIdle, .memoryNearEnd,
      .slowRank:
      false
    }
  }

  /// One line on what it watches for, at its usual threshold.
  package var sentence: String { sentence(at: threshold.usual ?? 0) }

  /// One line on what it watches for.
  package func sentence(at level: Double) -> String {
    let number = SettingValue.number(level).description
    return switch self {
    case .lossSpike: "The loss is \(number) standard deviations above its last 1,000 values."
    case .lossAboveBest:
      "The loss stays \(number) robust deviations above its own best level, for 25 steps or longer."
    case .lossDiverged:
      "The loss is finite and has lost \(NumberText.percent(level)) of what was learnt, or is above its start."
    case .noProgress:
      "The loss has not begun to fall in \(number) steps, or stopped at once for so long."
    case .attentionLogitsHigh:
      "An attention logit is above \(AlarmThreshold.words(level: level)), where the loss begins to suffer."
    case .attentionLogitsDiverging:
      "Attention logits are above \(AlarmThreshold.words(level: level)), or forecast to pass it."
    case .notFinite: "A metric is NaN or infinite."
    case .logZDrift:
      "Log Z is \(number) nats further from 0 than at its start and goes on: output logits run off."
    case .gradientNearEpsilon:
      "A tensor's gradient is within \(number) times Adam's ε for 100 steps."
    case .deadExpert: "An expert gets less than \(number) of an even share for 100 steps."
    case .overloadedExpert: "An expert gets \(number) times an even share for 100 steps."
    case .heldOutLossRising:
      "The held-out loss is \(NumberText.percent(level)) above its lowest for three measurements."
    case .functionRunsOff:
      "A trained function of a feed-forward layer is \(number) times its start's size from its start."
    case .gradientSpike:
      "The gradient norm of another program's run is \(number) standard deviations above its last 1,000 values."
    case .acceleratorIdle:
      "An accelerator that was at work is busy for less than \(number)% of a minute."
    case .memoryNearEnd:
      "\(number)% of the memory, the machine's or an accelerator's, is in use for ten seconds."
    case .slowRank:
      "One rank's own work takes \(number) times the median rank's for 50 steps: the others wait for it."
    case .strayWeights: "A rank's weights are not rank 0's any more."
    }
  }

  /// The rules that say the same and more: while one of them is raised this one is no news.
  var coveredBy: [AlarmRule] {
    switch self {
    case .attentionLogitsHigh: [.attentionLogitsDiverging]
    case .lossAboveBest, .lossSpike: [.lossDiverged]
    case .noProgress: [.lossAboveBest, .lossDiverged]
    default: []
    }
  }

  /// The rules whose trouble is the same loss's: while one of them is raised this one does not end.
  var endsAfter: [AlarmRule] {
    self == .lossSpike ? [.lossAboveBest, .lossDiverged] : []
  }

  /// Steps for which the trouble must last before the alarm is raised, the quiet before it ends,
  /// and after its end before it may come again.
  var patience: Patience {
    switch self {
    case .lossSpike: Patience(trouble: 0, quiet: 20, coolDown: 100)
    case .lossAboveBest: Patience(trouble: 25, quiet: 25, coolDown: 0)
    case .lossDiverged: Patience(trouble: 10, quiet: 25, coolDown: 0)
    case .noProgress: Patience(trouble: 25, quiet: 25, coolDown: 500)
    case .attentionLogitsHigh: Patience(trouble: 5, quiet: 20, coolDown: 100)
    case .attentionLogitsDiverging: Patience(trouble: 30, quiet: 50, coolDown: 100)
    case .notFinite: Patience(trouble: 0, quiet: 20, coolDown: 0)
    case .logZDrift: Patience(trouble: 50, quiet: 50, coolDown: 200)
    case .gradientNearEpsilon: Patience(trouble: 100, quiet: 50, coolDown: 200)
    case .deadExpert, .overloadedExpert:
      Patience(trouble: ExpertBalance.stepsToTell, quiet: 100, coolDown: 500)
    case .heldOutLossRising: Patience(trouble: 0, quiet: 0, coolDown: 0)
    // Measured every tenth step.
    case .functionRunsOff: Patience(trouble: 20, quiet: 50, coolDown: 200)
    case .gradientSpike: Patience(trouble: 0, quiet: 20, coolDown: 100)
    // In seconds: a machine is looked at by the clock.
    case .acceleratorIdle: Patience(trouble: 60, quiet: 10, coolDown: 300)
    case .memoryNearEnd: Patience(trouble: 10, quiet: 10, coolDown: 300)
    case .slowRank: Patience(trouble: 50, quiet: 50, coolDown: 500)
    case .strayWeights: Patience(trouble: 0, quiet: 0, coolDown: 0)
    }
  }
}

struct Patience: Sendable, Equatable {
  let trouble: Int
  let quiet: Int
  let coolDown: Int
}

extension RunEvent {
  /// The rule that an alarm or its end is of.
  package var alarmRule: AlarmRule? { name.flatMap(AlarmRule.init(rawValue:)) }
}
