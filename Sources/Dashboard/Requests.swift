package import Telemetry

/// What a person has asked for and the run has not answered yet.
package struct Requests: Sendable, Hashable {
  private struct Change: Sendable, Hashable {
    var value: SettingValue
    /// Quick presses ask several times before the first answer.
    var unanswered = 1
    /// What an event has already told of: the declaration that goes with it is no second answer.
    var told: SettingValue?
  }

  package var isPaused: Bool?
  private var changes: [String: Change] = [:]

  package init() {}

  package var hasChanges: Bool { !changes.isEmpty }

  /// The value asked for last.
  package func value(of setting: String) -> SettingValue? { changes[setting]?.value }

  mutating func ask(_ setting: String, _ value: SettingValue) {
    let before = changes[setting]?.unanswered ?? 0
    changes[setting] = Change(value: value, unanswered: before + 1)
  }

  /// Takes back what the event answers.
  mutating func settle(_ event: RunEvent) {
    switch event.kind {
    case .set:
      guard let name = event.name, let change = changes[name] else { return }
      guard change.value != event.after else {
        changes[name] = nil
        return
      }
      changes[name]?.told = event.after
      answer(name)
    case .refused:
      refuse(event.name ?? "")
    default:
      break
    }
  }

  /// A source may answer by its declaration alone, and with another value than the one asked for.
  mutating func settle(_ declared: [SettingDeclaration], before: [SettingDeclaration]) {
    for (name, change) in changes {
      let value = declared.first { $0.name == name }?.value
      let isNews = value != before.first { $0.name == name }?.value && value != change.told
      guard value == change.value || value == nil || isNews && change.unanswered <= 1 else {
        continue
      }
      changes[name] = nil
    }
  }

  private mutating func answer(_ name: String) {
    changes[name]?.unanswered -= 1
    if changes[name]?.unanswered == 0 { changes[name] = nil }
  }

  /// A refusal is named by the words of its command, or by its setting.
  private mutating func refuse(_ words: String) {
    let parts = words.split(separator: " ").map(String.init)
    let setting = parts.first == "set" ? parts.dropFirst().first : parts.first
    if let setting, changes[setting] != nil { return answer(setting) }
    if ["pause", "resume", "step"].contains(parts.first) { isPaused = nil }
  }
}
