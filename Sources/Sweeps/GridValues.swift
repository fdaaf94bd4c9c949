import Foundation
import Telemetry
package import Training

/// The values that an option takes in a grid, as they were written: `a,b,c`, `1..5`, `lo..hi*n`.
///
/// A range is kept as one, so that a grid can be counted before there is room for it.
package struct GridValues: Sendable {
  private enum Part: Sendable {
    case list([String])
    case whole(ClosedRange<Int>)
    /// So many values from one end to the other, evenly in log.
    case geometric(low: Double, high: Double, count: Int)

    var count: Int {
      switch self {
      case .list(let values): values.count
      case .whole(let range): range.count
      case .geometric(_, _, let count): count
      }
    }
  }

  private let parts: [Part]

  /// Whole numbers spaced in log are rounded, and each is told once, so they are all made at once.
  private static let mostRounded = 10_000

  package var count: Int {
    parts.reduce(0) { sum, part in
      let (total, overflows) = sum.addingReportingOverflow(part.count)
      return overflows ? .max : total
    }
  }

  /// The value with this number, in words that `train` takes.
  package subscript(index: Int) -> String {
    var index = index
    for part in parts {
      guard index >= part.count else { return Self.value(index, of: part) }
      index -= part.count
    }
    preconditionFailure("value \(index) beyond the end")
  }

  private static func value(_ index: Int, of part: Part) -> String {
    switch part {
    case .list(let values): values[index]
    case .whole(let range): "\(range.lowerBound + index)"
    case .geometric(let low, let high, let count):
      "\(spaced(index, of: count, from: low, to: high))"
    }
  }

  /// The ends are what was given; what lies between has twelve digits, which hides the last
  /// rounding.
  private static func spaced(
    _ index: Int, of count: Int, from low: Double, to high: Double
  ) -> Double {
    if index == 0 { return low }
    if index == count - 1 { return high }
    let exact = low * pow(high / low, Double(index) / Double(count - 1))
    return Double(String(format: "%.11e", exact)) ?? exact
  }

  /// - Parameters:
  ///   - words: what was given, each a list itself.
  ///   - option: what it was given for.
  /// - Throws: ``GridError/wrongValues(name:words:allowed:)``, ``GridError/noValues(name:)``.
  package init(_ words: [String], of option: RunOption) throws(GridError) {
    var parts: [Part] = []
    for list in words {
      for piece in Self.pieces(of: list, isText: option.isText) {
        parts.append(try Self.part(piece, of: option))
      }
    }
    self.parts = parts
    if parts.isEmpty { throw .noValues(name: option.name) }
  }

  /// What stands between commas; `\,` is a comma in a path.
  private static func pieces(of list: String, isText: Bool) -> [String] {
    let mark = "\u{0}"
    let shielded = isText ? list.replacing("\\,", with: mark) : list
    guard !shielded.allSatisfy(\.isWhitespace) else { return [] }
    return shielded.split(separator: ",", omittingEmptySubsequences: false).map {
      $0.trimmingCharacters(in: .whitespaces).replacing(mark, with: ",")
    }
  }

  private static func part(_ piece: String, of option: RunOption) throws(GridError) -> Part {
    if let range = GridRange(piece), option.isNumeric {
      return try part(range, piece, of: option)
    }
    return .list([try option.canonical(piece)])
  }

  private static func part(
    _ range: GridRange, _ piece: String, of option: RunOption
  ) throws(GridError) -> Part {
    func wrong(_ allowed: String) -> GridError {
      .wrongValues(name: option.name, words: piece, allowed: allowed)
    }
    for end in [range.low, range.high] { _ = try option.canonical(end) }
    guard let count = range.count else {
      guard let low = Int(range.low), let high = Int(range.high) else {
        throw wrong("whole numbers, such as 1..5, or n values evenly in log, such as 1e-3..1e-1*5")
      }
      guard low <= high else { throw wrong("the lower end first") }
      return .whole(low...high)
    }
    guard let low = Double(range.low), let high = Double(range.high), low > 0, high > 0 else {
      throw wrong("two ends above 0")
    }
    guard count >= 2 else {
      throw wrong("two values or more, such as \(piece.prefix { $0 != "*" })*7")
    }
    guard option.isWhole else { return .geometric(low: low, high: high, count: count) }
    guard count <= mostRounded else { throw wrong("\(mostRounded) values at most") }
    return .list(roundedValues(count, from: low, to: high))
  }

  /// Whole numbers evenly in log, those that round to the same one once.
  private static func roundedValues(_ count: Int, from low: Double, to high: Double) -> [String] {
    var rounded: [String] = []
    for index in 0..<count {
      let value = "\(Int(spaced(index, of: count, from: low, to: high).rounded()))"
      if value != rounded.last { rounded.append(value) }
    }
    return rounded
  }
}

/// `lo..hi` or `lo..hi*n`, in words.
private struct GridRange {
  let low: String
  let high: String
  let count: Int?

  init?(_ words: String) {
    guard let dots = words.range(of: "..") else { return nil }
    low = words[..<dots.lowerBound].trimmingCharacters(in: .whitespaces)
    let rest = words[dots.upperBound...].split(separator: "*", omittingEmptySubsequences: false)
      .map { $0.trimmingCharacters(in: .whitespaces) }
    high = rest[0]
    if rest.count == 1 {
      count = nil
    } else {
      guard rest.count == 2, let times = Int(rest[1]) else { return nil }
      count = times
    }
  }
}

extension RunOption {
  /// Whether a comma may be part of a value.
  fileprivate var isText: Bool {
    switch kind {
    case .counts, .text: true
    case .choice, .count, .flag, .number: false
    }
  }

  fileprivate var isWhole: Bool { if case .count = kind { true } else { false } }

  fileprivate var isNumeric: Bool {
    switch kind {
    case .count, .number: true
    case .flag, .choice, .counts, .text: false
    }
  }

  /// `words` as the option's values are told everywhere, so that equal ones are equal in words.
  fileprivate func canonical(_ words: String) throws(GridError) -> String {
    if words.isEmpty { throw .wrongValues(name: name, words: words, allowed: "no empty value") }
    if let allowed = refusal(of: words) {
      let lists = isNumeric ? ", as a list a,b,c or a range lo..hi or lo..hi*n" : ""
      throw .wrongValues(name: name, words: words, allowed: allowed + lists)
    }
    switch kind {
    case .flag: return SettingValue(words: words)?.description ?? words
    case .count: return Int(words).map(String.init) ?? words
    case .number: return Double(words).map { "\($0)" } ?? words
    case .choice, .counts, .text: return words
    }
  }
}
