import Telemetry

/// The name of a metric that only its run knows, with the numbers in it taken out, so that
/// `layer_3/norm` and `layer_12/norm` are alike.
struct NumberedName: Sendable, Comparable {
  let name: MetricName
  /// The name with a `#` for each number.
  let pattern: String
  let numbers: [Int]

  init(_ name: MetricName) {
    self.name = name
    var (pattern, numbers) = ([UInt8](), [Int]())
    var rest = Array(name.path.utf8)[...]
    while !rest.isEmpty {
      pattern += rest.prefix { !Self.digits.contains($0) }
      rest = rest.drop { !Self.digits.contains($0) }
      let digits = rest.prefix { Self.digits.contains($0) }
      rest = rest.dropFirst(digits.count)
      // What is too long to be a number is a word.
      if let number = Int(String(decoding: digits, as: UTF8.self)) {
        numbers.append(number)
        pattern.append(UInt8(ascii: "#"))
      } else {
        pattern += digits
      }
    }
    (self.pattern, self.numbers) = (String(decoding: pattern, as: UTF8.self), numbers)
  }

  private static let digits = UInt8(ascii: "0")...UInt8(ascii: "9")

  static func < (one: NumberedName, other: NumberedName) -> Bool {
    guard one.pattern == other.pattern else { return one.pattern < other.pattern }
    return one.numbers.lexicographicallyPrecedes(other.numbers)
  }

  /// What stands around the numbers: one part more than there are of them.
  var words: [String] {
    pattern.split(separator: "#", omittingEmptySubsequences: false).map(String.init)
  }
}
