import Foundation
import Models
import Signals
package import Training

/// What a sweep says of the rate of a run of one of its sizes, in words.
///
/// It goes by the cells that differ least from the run, and names another mitigation where that came
/// lower at the same rate.
package struct RateAdvice: Sendable, Equatable {
  package let words: String

  /// Rates within this factor are taken for one.
  private static let nearness = 2.0

  /// - Returns: nil where no cell of the run's size has ended.
  package init?(_ configuration: TrainingConfiguration, in results: SweepResults) {
    let groups = results.groups.filter { group in
      guard !group.curve.points.isEmpty else { return false }
      let model = try? results.cells[group.cells[0]].configuration().model
      return model.map { $0.isSameSize(as: configuration.model) } ?? false
    }
    let own = configuration.options
    let nearest = groups.min { one, other in
      Self.differences(one, own, results) < Self.differences(other, own, results)
    }
    guard let nearest, let best = nearest.curve.best else { return nil }
    let rate = configuration.learningRate
    let parts = [
      Self.words(nearest, rate: rate),
      "the best is \(best.rate.rateText) (\(NumberText.compact(best.loss)))",
      Self.better(than: nearest, among: groups, rate: rate),
    ]
    words = parts.compactMap(\.self).joined(separator: ", ")
  }

  /// How many of the options that differ from cell to cell the run has otherwise.
  private static func differences(
    _ group: SweepResults.Group, _ own: [String: String], _ results: SweepResults
  ) -> Int {
    results.cells[group.cells[0]].varied.count { name in
      guard let value = group.options[name], !SweepResults.ofSize.contains(name) else {
        return false
      }
      return !value.isSameValue(as: own[name])
    }
  }

  private static func point(_ group: SweepResults.Group, near rate: Double) -> RateCurve.Point? {
    let distance = { (point: RateCurve.Point) in abs(log(point.rate / rate)) }
    return group.curve.points.filter { $0.rate > 0 && rate > 0 }
      .min { distance($0) < distance($1) }.flatMap { distance($0) <= log(nearness) ? $0 : nil }
  }

  private static func words(_ group: SweepResults.Group, rate: Double) -> String {
    guard let point = point(group, near: rate) else { return "no cell has a rate near this one" }
    let place = "rate \(point.rate.rateText)"
    guard point.diverged > 0 else { return "\(place) came to \(NumberText.compact(point.loss))" }
    return "\(place) was lost with \(point.diverged) of \(point.seeds) seeds"
  }

  private static func better(
    than own: SweepResults.Group, among groups: [SweepResults.Group], rate: Double
  ) -> String? {
    guard let present = point(own, near: rate) else { return nil }
    let others = groups.compactMap { group in
      point(group, near: rate).map { (mitigation: group.mitigation, point: $0) }
    }.filter { $0.mitigation != own.mitigation && $0.point.diverged == 0 }
    guard let best = others.min(by: { $0.point.loss < $1.point.loss }),
      best.point.loss < present.loss - max(best.point.spread, present.spread)
    else { return nil }
    return "with \(best.mitigation) it came to \(NumberText.compact(best.point.loss))"
  }
}

extension ModelConfiguration {
  fileprivate func isSameSize(as other: ModelConfiguration) -> Bool {
    (width, layers, heads) == (other.width, other.layers, other.heads)
      && experts?.count == other.experts?.count
  }
}

extension String {
  /// Whether two values of an option are one: `1e-4` is `0.0001`.
  func isSameValue(as other: String?) -> Bool {
    if let number = Double(self), let another = other.flatMap({ Double($0) }) {
      return number == another
    }
    return self == other
  }
}
