import ArgumentParser
import Sweeps
import Training

/// The options of a sweep's cells on the command line: those of a run, each with a list of values.
struct SweepOptions: ParsableArguments {
  /// What was given, by long name, each as it was written.
  private(set) var given: [String: [String]] = [:]

  init() {}

  init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: Key.self)
    for name in Self.names {
      let words = try values.decode(Option<String?>.self, forKey: Key(name)).wrappedValue
      if let words { given[name] = [words] }
    }
  }

  private static let names =
    RunOptionCatalog.all.map(\.name).filter { GridTable.unfit[$0] == nil } + [GridTable.sizes]
}

extension SweepOptions: CustomReflectable {
  var customMirror: Mirror {
    Mirror(
      self,
      children: Self.names.map { name in
        let help: ArgumentHelp =
          name == GridTable.sizes ? "presets to take sizes from" : .of(name)
        return (name, Option<String?>(name: .customLong(name), help: help))
      })
  }

  fileprivate struct Key: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }

    init(_ name: String) { stringValue = name }
    init?(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }
}
