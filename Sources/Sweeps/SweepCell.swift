package import Training

/// One run of a grid.
package struct SweepCell: Sendable, Hashable {
  /// Its place among the grid's cells, from 1.
  package let number: Int
  /// The options that were given for it, by long name; flags are on or off.
  package let options: [String: String]
  /// Those that differ from cell to cell, in the order of the table of options.
  package let varied: [String]
  /// What its session is called, the same however the grid is extended.
  package let name: String

  private static let longestName = 120

  init(number: Int, options: [String: String], varied: [String], named: [String]) {
    self.number = number
    self.options = options
    self.varied = varied
    let digits = "\(number)"
    let parts = named.compactMap { name in options[name].map { Self.part(name, $0) } }
    let padded = String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    let words = ([padded] + parts).joined(separator: "-")
    name = String(words.prefix(Self.longestName))
  }

  /// `lr0.003`, `qk-layernorm-on`: what may stand in the name of a file.
  private static func part(_ name: String, _ value: String) -> String {
    let separator = value.first?.isNumber == true ? "" : "-"
    let safe = value.unicodeScalars.map { scalar -> Character in
      let isPlain = scalar.isASCII && (scalar.properties.isAlphabetic || ("0"..."9") ~= scalar)
      return isPlain || "+-._".unicodeScalars.contains(scalar) ? Character(scalar) : "_"
    }
    return name + separator + String(safe.suffix(40))
  }

  /// What it has of its own: `lr 0.003, qk-layernorm on, seed 1`.
  package var words: String {
    varied.compactMap { name in options[name].map { "\(name) \($0)" } }.joined(separator: ", ")
  }

  /// The run's configuration, on one core.
  /// - Throws: where the options contradict each other.
  package func configuration() throws(ConfigurationError) -> TrainingConfiguration {
    try Self.configuration(options)
  }

  static func configuration(
    _ options: [String: String]
  ) throws(ConfigurationError) -> TrainingConfiguration {
    try TrainingConfiguration(options: runOptions(options))
  }

  /// As the run takes them.
  package var runOptions: [String: String] { Self.runOptions(options) }

  /// No number depends on the cores.
  private static func runOptions(_ options: [String: String]) -> [String: String] {
    options.merging(["workers": "1"]) { own, _ in own }
  }
}
