package import Signals

/// Cells of a sweep that differ in nothing but the seed, and what they came to.
package struct SeedGroup: Sendable {
  /// The options that they have in common.
  package let options: [String: String]
  /// Of those, what other cells have otherwise: `layers 2, lr 0.01`.
  package let words: String
  /// Of those, what is the model's size: `layers 2`; empty where all cells have one.
  package let size: String
  /// Weights without embedding and unembedding.
  package let parameters: Int
  package let outcome: RateCurve.Point
  /// The cells' places, at least one.
  package let cells: [Int]

  /// Of cells that have nothing of their own.
  static let asGiven = "as given"

  /// What a cell has of its own beside `left`, in words.
  static func words(of cell: SweepCell, without left: Set<String>) -> String {
    let words = cell.varied.filter { !left.contains($0) }.compactMap { name in
      cell.options[name].map { "\(name) \($0)" }
    }
    return words.isEmpty ? asGiven : words.joined(separator: ", ")
  }
}

extension SweepResults {
  /// Those of which a seed has ended, in the order of their first cells.
  package var seedGroups: [SeedGroup] {
    groups.flatMap { group in
      group.curve.points.compactMap { point -> SeedGroup? in
        let places = group.cells.filter { rate(ofCellAt: $0) == point.rate }
        guard let cell = places.first.map({ cells[$0] }) else { return nil }
        return SeedGroup(
          options: cell.options.filter { $0.key != "seed" },
          words: SeedGroup.words(of: cell, without: ["seed"]), size: group.size,
          parameters: group.parameters, outcome: point, cells: places)
      }
    }
  }
}
