import ArgumentParser
import Models
import Training

/// The options of a run on the command line, one for each in the table of ``RunOptionCatalog``.
///
/// Their values stay text here: the table says what is allowed, for `run.toml` alike.
struct RunOptions: ParsableArguments {
  /// What was given, by long name.
  private(set) var given: [String: String] = [:]

  init() {}

  init(from decoder: any Decoder) throws {
    given = try decoder.container(keyedBy: OptionKey.self).given(RunOptionCatalog.all)
  }
}

extension RunOptions: CustomReflectable {
  /// The parser learns what there is from a type's properties; these are as many as the table has.
  var customMirror: Mirror {
    Mirror(self, children: RunOptionCatalog.all.map { ($0.name, $0.argument) })
  }
}

/// Those of them that say of what layers a model is, for commands that train none.
struct FamilyOptions: ParsableArguments {
  /// What was given, by long name.
  private(set) var given: [String: String] = [:]

  init() {}

  init(from decoder: any Decoder) throws {
    given = try decoder.container(keyedBy: OptionKey.self).given(RunOptionCatalog.family)
  }

  /// A model of these sizes, of what layers the options say.
  /// - Throws: a validation error for options that make none.
  func model(_ sizes: ModelConfiguration) throws -> ModelConfiguration {
    do {
      return try sizes.shaped(by: given)
    } catch {
      throw ValidationError("\(error)")
    }
  }
}

extension FamilyOptions: CustomReflectable {
  var customMirror: Mirror {
    Mirror(self, children: RunOptionCatalog.family.map { ($0.name, $0.argument) })
  }
}

private struct OptionKey: CodingKey {
  let stringValue: String
  var intValue: Int? { nil }

  init(stringValue: String) { self.stringValue = stringValue }
  init?(intValue: Int) { nil }
}

extension KeyedDecodingContainer<OptionKey> {
  fileprivate func given(_ options: [RunOption]) throws -> [String: String] {
    var given: [String: String] = [:]
    for option in options { given[option.name] = try option.given(in: self) }
    return given
  }
}

extension RunOption {
  fileprivate var argument: Any {
    let help = ArgumentHelp.of(name)
    switch kind {
    case .flag:
      return Flag<Bool?>(name: .customLong(name), inversion: .prefixedNo, help: help)
    case .choice(let words):
      return Option<String?>(name: .customLong(name), help: help, completion: .list(words))
    case .text: return Option<String?>(name: .customLong(name), help: help, completion: .file())
    case .count, .counts, .number: return Option<String?>(name: .customLong(name), help: help)
    }
  }

  fileprivate func given(
    in values: KeyedDecodingContainer<OptionKey>
  ) throws -> String? {
    let key = OptionKey(stringValue: name)
    guard case .flag = kind else {
      return try values.decode(Option<String?>.self, forKey: key).wrappedValue
    }
    return try values.decode(Flag<Bool?>.self, forKey: key).wrappedValue.map { $0 ? "on" : "off" }
  }
}

extension ArgumentHelp {
  /// What the table of a run's options says of `option`.
  static func of(_ option: String) -> ArgumentHelp {
    ArgumentHelp(stringLiteral: RunOptionCatalog.option(option)?.sentence ?? "")
  }
}
