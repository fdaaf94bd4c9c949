import Models
import Telemetry

/// One option of a run, as `seismo train` and `run.toml` spell it.
package struct RunOption: Sendable {
  package enum Kind: Sendable {
    case flag
    case count(ClosedRange<Int>)
    case number(ClosedRange<Double>)
    case choice([String])
    /// Whole numbers with commas between them.
    case counts(ClosedRange<Int>)
    case text
  }

  package let name: String
  package let kind: Kind
  package let help: String
  /// Takes over a value that ``refusal(of:)`` has nothing against. The other options that are given
  /// come with it: what one of them says stands, whatever another is usually run with.
  let read:
    @Sendable (
      _ words: String, _ given: [String: String], _ configuration: inout TrainingConfiguration
    ) -> Void
  /// The value in a configuration; nil where it is not told.
  let words: @Sendable (TrainingConfiguration) -> String?

  /// What it is for, with the values there are to choose from.
  package var sentence: String {
    guard case .choice(let words) = kind else { return help }
    return "\(help): \(words.joined(separator: ", "))"
  }

  /// What may be given, in words; nil if `value` may be.
  package func refusal(of value: String) -> String? {
    switch kind {
    case .flag: SettingValue(words: value).map(\.isFlag) == true ? nil : "on or off"
    case .count(let range):
      Int(value).map(range.contains) == true
        ? nil : "a whole number from \(range.lowerBound) to \(range.upperBound)"
    case .number(let range):
      Double(value).map { $0.isFinite && range.contains($0) } == true
        ? nil
        : "a number from \(SettingValue.number(range.lowerBound))"
          + " to \(SettingValue.number(range.upperBound))"
    case .choice(let words): words.contains(value) ? nil : words.joined(separator: ", ")
    case .counts(let range):
      Self.counts(value).map { $0.allSatisfy(range.contains) } == true
        ? nil
        : "whole numbers from \(range.lowerBound) to \(range.upperBound) with commas between"
    case .text: value.isEmpty ? "some text" : nil
    }
  }
}

extension RunOption {
  /// The numbers of a list with commas; nil where one of them is none.
  static func counts(_ words: String) -> [Int]? {
    let pieces = words.split(separator: ",", omittingEmptySubsequences: false)
    let numbers = pieces.compactMap { Int($0) }
    return numbers.count == pieces.count ? numbers : nil
  }
}

extension SettingValue {
  fileprivate var isFlag: Bool {
    switch self {
    case .flag: true
    case .number, .word: false
    }
  }
}

extension RunOption {
  typealias Place<Value> = any WritableKeyPath<TrainingConfiguration, Value> & Sendable

  /// One that a configuration holds as `Value`; it is told where `isTold`.
  private init<Value: LosslessStringConvertible & SendableMetatype>(
    _ name: String, _ kind: Kind, _ place: Place<Value>, help: String,
    isTold: @escaping @Sendable (TrainingConfiguration) -> Bool
  ) {
    self.init(name: name, kind: kind, help: help) { words, _, configuration in
      if let value = Value(words) { configuration[keyPath: place] = value }
    } words: { configuration in
      isTold(configuration) ? configuration[keyPath: place].description : nil
    }
  }

  /// A whole number.
  static func count(
    _ name: String, _ range: ClosedRange<Int>, _ place: Place<Int>, help: String,
    isTold: @escaping @Sendable (TrainingConfiguration) -> Bool = { _ in true }
  ) -> RunOption {
    RunOption(name, .count(range), place, help: help, isTold: isTold)
  }

  /// A whole number that a run may have none of.
  static func count(
    _ name: String, _ range: ClosedRange<Int>, _ place: Place<Int?>, help: String,
    isTold: Bool = true
  ) -> RunOption {
    RunOption(name: name, kind: .count(range), help: help) { words, _, configuration in
      configuration[keyPath: place] = Int(words)
    } words: { configuration in
      isTold ? configuration[keyPath: place].map(String.init) : nil
    }
  }

  static func number(
    _ name: String, _ range: ClosedRange<Double>, _ place: Place<Double>, help: String,
    isTold: @escaping @Sendable (TrainingConfiguration) -> Bool = { _ in true }
  ) -> RunOption {
    RunOption(name, .number(range), place, help: help, isTold: isTold)
  }

  static func flag(
    _ name: String, _ place: Place<Bool>, help: String,
    isTold: @escaping @Sendable (TrainingConfiguration) -> Bool = { _ in true }
  ) -> RunOption {
    RunOption(name: name, kind: .flag, help: help) { words, _, configuration in
      configuration[keyPath: place] = SettingValue(words: words)?.isOn ?? false
    } words: { configuration in
      isTold(configuration) ? SettingValue.flag(configuration[keyPath: place]).description : nil
    }
  }

  /// One of the words that `Value` has.
  static func choice<Value: RawRepresentable<String> & CaseIterable & SendableMetatype>(
    _ name: String, _ place: Place<Value>, help: String,
    isTold: @escaping @Sendable (TrainingConfiguration) -> Bool = { _ in true }
  ) -> RunOption {
    RunOption(name: name, kind: .choice(Value.allCases.map(\.rawValue)), help: help) {
      words, _, configuration in
      if let value = Value(rawValue: words) { configuration[keyPath: place] = value }
    } words: { configuration in
      isTold(configuration) ? configuration[keyPath: place].rawValue : nil
    }
  }

  /// A number of the model's experts, where it has any.
  static func ofExperts(
    _ name: String, _ range: ClosedRange<Int>,
    _ place: any WritableKeyPath<ExpertConfiguration, Int> & Sendable, help: String,
    isTold: @escaping @Sendable (ExpertConfiguration) -> Bool = { _ in true }
  ) -> RunOption {
    RunOption(name: name, kind: .count(range), help: help) { words, _, configuration in
      if let value = Int(words) { configuration.model.experts?[keyPath: place] = value }
    } words: { configuration in
      guard let experts = configuration.model.experts, isTold(experts) else { return nil }
      return "\(experts[keyPath: place])"
    }
  }

  /// What a setting that can be changed later starts at; nil where no option says so.
  init?(
    startOf entry: SettingCatalog.Entry,
    isTold: @escaping @Sendable (TrainingConfiguration) -> Bool = { _ in true }
  ) {
    guard let help = entry.help else { return nil }
    let isWhole = entry.isWhole
    self.init(name: entry.option, kind: Kind(entry), help: help) { words, _, configuration in
      configuration.starts[entry.name] = entry.value(words: words) ?? entry.start
    } words: { configuration in
      guard isTold(configuration), let value = configuration.starts[entry.name] else { return nil }
      guard case .number(let number) = value else { return value.description }
      return isWhole ? "\(Int(number))" : "\(number)"
    }
  }
}

extension RunOption.Kind {
  fileprivate init(_ entry: SettingCatalog.Entry) {
    switch entry.kind {
    case .flag: self = .flag
    case .number(let lowest, let highest):
      self = entry.isWhole ? .count(Int(lowest)...Int(highest)) : .number(lowest...highest)
    case .choice(let words): self = .choice(words)
    }
  }
}
