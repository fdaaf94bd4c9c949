import ArgumentParser
import Training

/// The options of a run on the command line, one for each in the table of ``RunOptionCatalog``.
///
/// Their values stay text here: the table says what is allowed, for `run.toml` alike.
struct RunOptions: ParsableArguments {
  /// What was given, by long name.
  private(set) var given: [String: String] = [:]

  init() {}

  init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: Key.self)
    for option in RunOptionCatalog.all { given[option.name] = try option.given(in: values) }
  }
}

extension RunOptions: CustomReflectable {
  /// The parser learns what there is from a type's properties; these are as many as the table has.
  var customMirror: Mirror {
    Mirror(self, children: RunOptionCatalog.all.map { ($0.name, $0.argument) })
  }

  fileprivate struct Key: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }

    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
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
    in values: KeyedDecodingContainer<RunOptions.Key>
  ) throws -> String? {
    let key = RunOptions.Key(stringValue: name)
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
