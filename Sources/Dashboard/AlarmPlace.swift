import Signals
import Telemetry

/// What the screen makes of each alarm rule: the word at its mark, the charts it concerns, and the
/// setting that helps.
extension AlarmRule {
  struct Place: Sendable {
    let mark: String
    let panes: Set<PaneID>
    let setting: String
  }

  var place: Place {
    let rate = SettingCatalog.learningRateMultiplier
    return switch self {
    case .lossSpike:
      Place(mark: "loss spike", panes: [.loss, .gradients, .learningRate], setting: rate)
    case .lossAboveBest:
      Place(mark: "loss worse", panes: [.loss, .learningRate], setting: rate)
    case .lossDiverged:
      Place(mark: "diverged", panes: [.loss, .gradients, .learningRate], setting: rate)
    case .noProgress:
      Place(mark: "no progress", panes: [.loss, .learningRate], setting: rate)
    case .attentionLogitsHigh:
      Place(
        mark: "logits high", panes: [.loss, .attentionLogits], setting: SettingCatalog.qkLayerNorm)
    case .attentionLogitsDiverging:
      Place(
        mark: "logits alarm", panes: [.loss, .attentionLogits], setting: SettingCatalog.qkLayerNorm)
    case .notFinite:
      Place(mark: "NaN", panes: Set(PaneID.allCases), setting: rate)
    case .logZDrift:
      Place(mark: "log Z drifts", panes: [.loss, .outputs], setting: SettingCatalog.zLoss)
    case .gradientNearEpsilon:
      Place(mark: "near ε", panes: [.gradients], setting: SettingCatalog.adamEpsilon)
    case .deadExpert:
      Place(mark: "dead expert", panes: [.experts], setting: SettingCatalog.balanceLoss)
    case .overloadedExpert:
      Place(mark: "overload", panes: [.experts], setting: SettingCatalog.balanceLoss)
    case .heldOutLossRising:
      Place(mark: "eval rises", panes: [.loss], setting: SettingCatalog.weightDecay)
    case .functionRunsOff:
      Place(mark: "function off", panes: [.loss, .activations], setting: rate)
    case .gradientSpike:
      Place(mark: "grad spike", panes: [.loss, .gradients], setting: rate)
    case .slowRank: Place(mark: "slow rank", panes: [], setting: "")
    case .strayWeights: Place(mark: "stray rank", panes: Set(PaneID.allCases), setting: "")
    case .acceleratorIdle, .memoryNearEnd:
      Place(mark: self == .memoryNearEnd ? "memory full" : "gpu idle", panes: [], setting: "")
    }
  }
}

extension RunEvent {
  /// The setting that an alarm's hint names; else its rule's.
  func helpingSetting(among settings: [String]) -> String? {
    guard kind == .alarm else { return nil }
    let hint = hint.flatMap { AlarmHint($0) }
    if hint == .halveRate { return SettingCatalog.learningRateMultiplier }
    return hint?.setting(among: settings) ?? alarmRule?.place.setting
  }
}
