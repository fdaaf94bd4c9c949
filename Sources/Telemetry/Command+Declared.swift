import Foundation

extension Command {
  /// Reads words for a run of another program, which has declared `settings` and obeys `commands`.
  /// - Throws: ``CommandError``, as far as it can be told before the program is asked.
  package init(
    words: String, declared settings: [SettingDeclaration], obeyed commands: Set<String>
  ) throws(CommandError) {
    let trimmed = words.trimmingCharacters(in: .whitespacesAndNewlines)
    let parts = trimmed.split(separator: " ").map(String.init)
    guard let head = parts.first else { throw .empty }
    if head == "set", parts.count == 3 {
      self = try Self.readSet(parts[1], parts[2], declared: settings)
      return
    }
    do throws(CommandError) {
      self = try Command(words: trimmed)
    } catch {
      guard head != "set", commands.contains(head) else { throw error }
      self = .other(trimmed)
    }
  }

  /// Takes words as they are, for a program that knows itself which are commands.
  /// - Throws: `empty`; `wrongValue` where a terminal or a line would be disturbed.
  package init(trainersWords words: String) throws(CommandError) {
    let trimmed = words.trimmingCharacters(in: .whitespaces)
    guard !trimmed.isEmpty else { throw .empty }
    let isPlain = trimmed.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control }
    guard isPlain else {
      throw .wrongValue(
        name: "a command", value: "…", allowed: "words without control characters")
    }
    self = .other(trimmed)
  }

  private static func readSet(
    _ name: String, _ word: String, declared settings: [SettingDeclaration]
  ) throws(CommandError) -> Command {
    guard let setting = settings.first(where: { $0.name == name }) else {
      throw .unknownSetting(name: name, nearest: name.nearest(among: settings.map(\.name)))
    }
    guard let value = setting.value(words: word) else {
      throw .wrongValue(name: name, value: word, allowed: setting.kind.allowed)
    }
    return .set(name: name, value: value)
  }
}

extension SettingCatalog.Entry {
  /// The value that `words` name, if this setting may take it.
  package func value(words: some StringProtocol) -> SettingValue? {
    guard let value = SettingValue(words: words) else { return nil }
    if isWhole, value.number != value.number.rounded() { return nil }
    switch (kind, value) {
    case (.flag, .flag): return value
    case (.flag, .number(let number)): return number == 0 || number == 1 ? .flag(number == 1) : nil
    case (.number(let lowest, _), .flag(let isOn)):
      return isOn ? usual : (lowest <= 0 ? .number(0) : nil)
    case (.number(let lowest, let highest), .number(let number)):
      return number >= lowest && number <= highest ? value : nil
    default: return nil
    }
  }
}

extension SettingDeclaration.Kind {
  /// What a person may type, in words.
  package var allowed: String {
    switch self {
    case .flag: "on or off"
    case .number(let lowest, let highest):
      "a number from \(SettingValue.number(lowest)) to \(SettingValue.number(highest))"
    case .choice(let choices): "one of \(choices.joined(separator: ", "))"
    }
  }
}
