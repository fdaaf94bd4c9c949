import Foundation

/// Why a grid is none, or cannot be run. The description is one line.
package enum GridError: Error, Equatable {
  case unknownOption(name: String, nearest: String?)
  /// What was given for an option is no list of values of it.
  case wrongValues(name: String, words: String, allowed: String)
  case noValues(name: String)
  /// An option that a cell cannot have, and why.
  case unfit(name: String, reason: String)
  case zipUnknown(name: String)
  /// Lists that are to run in step and are not equally long.
  case zipUneven(names: [String], counts: [Int])
  case tooManyCells(count: Double, most: Int)
  /// The first cell whose options contradict each other, and how many others there are.
  case contradictory(cell: Int, words: String, reason: String, others: Int)
}

extension GridError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .unknownOption(let name, let nearest):
      "no option '\(name)' of a cell"
        + (nearest.map { ": did you mean '\($0)'?" } ?? ": seismo sweep --help lists them")
    case .wrongValues(let name, let words, let allowed):
      "'\(words)' gives no values for \(name): give \(allowed)"
    case .noValues(let name): "\(name) has no values: the grid is empty"
    case .unfit(let name, let reason): "\(name): \(reason)"
    case .zipUnknown(let name): "zip \(name): no values are given for it"
    case .zipUneven(let names, let counts):
      "zip \(names.joined(separator: ",")): the lists are"
        + " \(counts.map(String.init).joined(separator: " and ")) long: make them equally long"
    case .tooManyCells(let count, let most):
      "the grid has \(String(format: "%.0f", count)) cells, \(most) at most: give fewer values,"
        + " or --random N for some of them"
    case .contradictory(let cell, let words, let reason, let others):
      "cell \(cell)\(words.isEmpty ? "" : " (\(words))"): \(reason)"
        + (others == 0 ? "" : "; and \(others) more like it")
    }
  }
}
