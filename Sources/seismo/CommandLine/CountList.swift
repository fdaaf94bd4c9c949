import ArgumentParser

/// Whole numbers as they are given on the command line: `1,2,4..64`, where what is between two dots
/// doubles from the one to the other.
struct CountList: ExpressibleByArgument, Equatable {
  let values: [Int]

  init(_ values: [Int]) { self.values = values }

  init?(argument: String) {
    var values: [Int] = []
    for part in argument.split(separator: ",", omittingEmptySubsequences: false) {
      let ends = part.split(separator: "..", omittingEmptySubsequences: false).map { Int($0) }
      guard (1...2).contains(ends.count), let first = ends[0], let last = ends[ends.count - 1],
        ends.count == 1 || (first > 0 && first <= last)
      else { return nil }
      var value = first
      while value < last {
        values.append(value)
        value = min(last, value.multipliedReportingOverflow(by: 2).partialValue)
        guard value > 0 else { return nil }
      }
      values.append(last)
    }
    self.values = values
  }

  var defaultValueDescription: String { values.map(String.init).joined(separator: ",") }

  /// - Throws: the one line that names what is out of `range`.
  static func check(_ name: String, _ list: CountList, _ range: ClosedRange<Int>) throws {
    for value in list.values where !range.contains(value) {
      throw ValidationError(
        "--\(name) \(value): give a whole number from \(range.lowerBound) to \(range.upperBound)")
    }
  }
}
