/// What a setting can be: on, off, a number, or one of some words.
public enum SettingValue: Hashable, Sendable {
  case flag(Bool)
  case number(Double)
  /// One of the choices that a run of another program declares.
  case word(String)

  /// Reads `on`, `off`, `true`, `false` or a number as a person types it.
  public init?(words: some StringProtocol) {
    switch words.lowercased() {
    case "on", "true": self = .flag(true)
    case "off", "false": self = .flag(false)
    default:
      guard let number = Double(String(words)) else { return nil }
      self = .number(number)
    }
  }

  /// Whether it switches something on: on, or a number that is not 0.
  public var isOn: Bool {
    switch self {
    case .flag(let flag): flag
    case .number(let number): number != 0
    case .word: true
    }
  }

  /// The number it is; on is 1 and off 0, a word none.
  public var number: Double {
    switch self {
    case .flag(let flag): flag ? 1 : 0
    case .number(let number): number
    case .word: .nan
    }
  }
}

extension SettingValue: CustomStringConvertible {
  /// The shortest words that read back as this value.
  public var description: String {
    switch self {
    case .flag(let flag): flag ? "on" : "off"
    case .number(let number):
      number == number.rounded() && abs(number) < 1e15 ? "\(Int(number))" : "\(number)"
    case .word(let word): word
    }
  }
}

extension SettingValue: Codable {
  /// Reads `true`, `false`, a number or a word.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if let flag = try? container.decode(Bool.self) {
      self = .flag(flag)
      return
    }
    if let word = try? container.decode(String.self) {
      self = .word(word)
      return
    }
    self = .number(try container.decode(Double.self))
  }

  /// Writes `true`, `false`, a number or a word.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .flag(let flag): try container.encode(flag)
    case .number(let number): try container.encode(number)
    case .word(let word): try container.encode(word)
    }
  }
}

/// One setting of a run that a source lets a person change, or says why not.
public struct SettingDeclaration: Hashable, Sendable, Codable {
  /// What values it takes.
  public enum Kind: Hashable, Sendable, Codable {
    case flag
    case number(lowest: Double, highest: Double)
    /// One of these words.
    case choice([String])
  }

  /// Its name, such as `z_loss`.
  public var name: String
  /// What values it takes.
  public var kind: Kind
  /// The present value.
  public var value: SettingValue
  /// One line on what it is for.
  public var purpose: String
  /// Why it cannot be changed in this run; nil where it can.
  public var refusal: String?

  package init(
    name: String, kind: Kind, value: SettingValue, purpose: String, refusal: String? = nil
  ) {
    self.name = name
    self.kind = kind
    self.value = value
    self.purpose = purpose
    self.refusal = refusal
  }
}

extension SettingDeclaration {
  /// The value that words name, if this setting may take it. One that the catalogue knows is read as
  /// it says, unless its run declares it otherwise.
  package func value(words: some StringProtocol) -> SettingValue? {
    if let entry = SettingCatalog.entry(name), entry.kind == kind {
      return entry.value(words: words)
    }
    switch kind {
    case .choice(let choices):
      return choices.contains(String(words)) ? .word(String(words)) : nil
    case .flag:
      guard case .flag(let flag)? = SettingValue(words: words) else { return nil }
      return .flag(flag)
    case .number(let lowest, let highest):
      guard case .number(let number)? = SettingValue(words: words), number >= lowest,
        number <= highest
      else { return nil }
      return .number(number)
    }
  }
}
