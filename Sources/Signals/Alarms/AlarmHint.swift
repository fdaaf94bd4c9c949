/// What helps against an alarm. An event has it as the key that does it and the words beside that.
package enum AlarmHint: Hashable, Sendable {
  case halveRate
  /// Back to the checkpoint of this name, or to one that is to be chosen.
  case goBack(checkpoint: String?)
  /// A change in the menu of settings, in words.
  case change(String)

  /// As a person reads it: `m: switch qk-layernorm on`.
  package var text: String {
    switch self {
    case .halveRate: "{: halve the rate"
    case .goBack(let checkpoint): "r: go back to \(checkpoint ?? Self.anyCheckpoint)"
    case .change(let words): "m: \(words)"
    }
  }

  /// What an event's hint says; nil for words that no alarm has.
  package init?(_ text: String) {
    let start = "r: go back to "
    if text.hasPrefix("{: ") {
      self = .halveRate
    } else if text.hasPrefix("m: ") {
      self = .change(String(text.dropFirst(3)))
    } else if text.hasPrefix(start) {
      let name = String(text.dropFirst(start.count))
      self = .goBack(checkpoint: name == Self.anyCheckpoint ? nil : name)
    } else {
      return nil
    }
  }

  private static let anyCheckpoint = "a checkpoint"

  /// The setting that it is about, of those with these names.
  package func setting(among names: [String]) -> String? {
    guard case .change(let words) = self else { return nil }
    // Options have hyphens where settings have underscores.
    let plain = words.replacing("-", with: "_")
    return names.first { plain.contains($0) }
  }
}
