/// What a setting can be: on, off, or a number.
public enum SettingValue: Hashable, Sendable {
  case flag(Bool)
  case number(Double)

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

  public var isOn: Bool {
    switch self {
    case .flag(let flag): flag
    case .number(let number): number != 0
    }
  }

  public var number: Double {
    switch self {
    case .flag(let flag): flag ? 1 : 0
    case .number(let number): number
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
    }
  }
}

extension SettingValue: Codable {
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if let flag = try? container.decode(Bool.self) {
      self = .flag(flag)
      return
    }
    self = .number(try container.decode(Double.self))
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .flag(let flag): try container.encode(flag)
    case .number(let number): try container.encode(number)
    }
  }
}

/// One setting of a run that a source lets a person change, or says why not.
public struct SettingDeclaration: Hashable, Sendable, Codable {
  public enum Kind: Hashable, Sendable, Codable {
    case flag
    case number(lowest: Double, highest: Double)
  }

  public var name: String
  public var kind: Kind
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
