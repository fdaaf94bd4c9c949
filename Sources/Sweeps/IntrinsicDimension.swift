import Formats
import Foundation
import Signals

/// How few dimensions of a random subspace learn most of what all weights do, of cells that differ in
/// their subspace, their rate and their seed alone.
///
/// The score is the drop of the held-out loss from the model before its first update, of the best
/// rate for each subspace; d₉₀ is the smallest that has nine tenths of the full run's.
/// - Source: Li et al. 2018 (1804.08838); the score of a language model is Seismo's
package struct IntrinsicDimension: Sendable {
  package struct Point: Sendable, Equatable {
    package let dimensions: Int
    /// Of the best rate, the mean over seeds.
    package let loss: Double
    package let rate: Double
    /// Of the full run's drop.
    package let share: Double
  }

  package static let target = 0.9

  /// The options that the cells have in common.
  package let options: [String: String]
  /// Of those, what others have otherwise.
  package let words: String
  package let initialLoss: Double
  package let fullLoss: Double
  /// By dimensions, ascending.
  package let points: [Point]

  /// The smallest subspace with nine tenths of the drop; nil where none has.
  package var d90: Int? { points.first { $0.share >= Self.target }?.dimensions }

  /// Where the line between it and the subspace before it has them, in logs of the dimensions; nil
  /// where it is the first.
  package var between: Double? {
    guard let index = points.firstIndex(where: { $0.share >= Self.target }), index > 0 else {
      return nil
    }
    let (low, high) = (points[index - 1], points[index])
    let place = (Self.target - low.share) / (high.share - low.share)
    let (start, end) = (log(Double(low.dimensions)), log(Double(high.dimensions)))
    return exp(start + place * (end - start))
  }

  package var json: String {
    let curve = points.map {
      "[\($0.dimensions),\(JSONLines.number($0.loss)),\(JSONLines.number($0.share)),"
        + "\(JSONLines.number($0.rate))]"
    }
    return JSONLines.object([
      ("options", CellResult.json(options)), ("initial_loss", JSONLines.number(initialLoss)),
      ("full_loss", JSONLines.number(fullLoss)), ("d90", d90.map { "\($0)" } ?? "null"),
      ("between", between.map { JSONLines.number($0) } ?? "null"),
      ("curve", "[\(curve.joined(separator: ","))]"),
    ])
  }
}

extension SweepResults {
  /// In the order of the first cells of each; those of which the full run, `--subspace 0`, and a
  /// subspace have ended.
  package var intrinsicDimensions: [IntrinsicDimension] {
    var order: [[String: String]] = []
    var members: [[String: String]: [Group]] = [:]
    for group in groups {
      var options = group.options
      options["subspace"] = nil
      if members[options] == nil { order.append(options) }
      members[options, default: []].append(group)
    }
    return order.compactMap { options in intrinsicDimension(members[options] ?? [], options) }
  }

  private func intrinsicDimension(
    _ groups: [Group], _ options: [String: String]
  ) -> IntrinsicDimension? {
    func dimensions(_ group: Group) -> Int { group.options["subspace"].flatMap { Int($0) } ?? 0 }
    guard let full = groups.first(where: { dimensions($0) == 0 }), let best = full.curve.best
    else { return nil }
    let starts = full.cells.compactMap { results[cells[$0].number]?.initialLoss }
    let initial = starts.reduce(0, +) / Double(starts.count)
    guard initial > best.loss else { return nil }
    let points = groups.compactMap { group -> IntrinsicDimension.Point? in
      guard dimensions(group) > 0, let found = group.curve.best else { return nil }
      return IntrinsicDimension.Point(
        dimensions: dimensions(group), loss: found.loss, rate: found.rate,
        share: (initial - found.loss) / (initial - best.loss))
    }
    guard !points.isEmpty else { return nil }
    return IntrinsicDimension(
      options: options,
      words: SeedGroup.words(of: cells[full.cells[0]], without: ["subspace", "lr", "seed"]),
      initialLoss: initial, fullLoss: best.loss,
      points: points.sorted { $0.dimensions < $1.dimensions })
  }
}
