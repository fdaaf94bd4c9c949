import Screen
import Signals
import Telemetry

/// A vertical mark on the charts: something a person did, or an alarm.
struct EventMark: Sendable, Equatable {
  var step: Int
  var role: Role
  /// What stands for it where no words fit.
  var sign: String
  /// Words for it, the longest first.
  var texts: [String]
  /// Words that are worth a place anywhere, the longest first.
  var essential: [String] = []
  /// Of several in one column the highest is drawn.
  var rank: Int

  /// The mark of `event`, nil for what charts do not show.
  init?(_ event: RunEvent) {
    step = event.step
    let look = EventLook(event.kind)
    sign = look.sign
    role = look.role
    switch event.kind {
    case .set:
      texts = Self.changeTexts(event)
      rank = 4
    case .diverged:
      texts = ["diverged", "NaN"]
      rank = 5
    case .fault:
      texts = ["fault"]
      rank = 2
    case .alarm:
      texts = [Self.alarmText(event), "alarm"].compactMap(\.self)
      rank = 3
    case .note:
      texts = [event.text, "note"].filter { $0.count <= 24 }
      rank = 1
    case .run, .effect, .pause, .resume, .step, .checkpoint, .evaluate, .stop, .detach, .refused,
      .calm:
      return nil
    }
  }

  private static func alarmText(_ event: RunEvent) -> String? {
    switch event.name.flatMap(AlarmRule.init(rawValue:)) {
    case .lossSpike: "loss spike"
    case .attentionLogitsHigh: "logits high"
    case .attentionLogitsDiverging: "logits alarm"
    case .notFinite: "NaN"
    case .logZDrift: "log Z drifts"
    case .deadExpert: "dead expert"
    case .overloadedExpert: "overload"
    case .heldOutLossRising: "eval rises"
    case nil: nil
    }
  }

  private static func changeTexts(_ event: RunEvent) -> [String] {
    let name = SettingWords.short(event.name ?? "")
    guard let after = event.after else { return [name] }
    if event.name == SettingCatalog.learningRateMultiplier { return ["\(name) ×\(after)"] }
    return ["\(name) \(after)", name]
  }
}

/// How an event's line and mark look.
struct EventLook: Sendable, Equatable {
  var sign: String
  var role: Role

  init(_ kind: RunEvent.Kind) {
    switch kind {
    case .set, .note: (sign, role) = ("◆", .person)
    case .pause, .resume, .step, .stop, .detach: (sign, role) = ("◇", .person)
    case .checkpoint, .evaluate: (sign, role) = ("✓", .good)
    case .effect: (sign, role) = ("=", .good)
    case .calm: (sign, role) = ("·", .good)
    case .alarm: (sign, role) = ("▲", .warning)
    case .refused: (sign, role) = ("✗", .warning)
    case .diverged, .fault: (sign, role) = ("✗", .trouble)
    case .run: (sign, role) = ("·", .faint)
    }
  }
}

/// A setting's name as charts write it.
enum SettingWords {
  static func short(_ name: String) -> String {
    switch name {
    case SettingCatalog.learningRateMultiplier: "rate"
    case SettingCatalog.balanceLoss: "balance loss"
    default: name.replacing("_", with: "-")
    }
  }
}
