import Foundation
import Signals
import Telemetry

/// In what order the wall shows its charts behind those of its head.
package enum WallOrder: String, Sendable, CaseIterable {
  case group, name, movement, trouble

  /// As the wall's own line says it.
  var words: String {
    switch self {
    case .group, .name, .movement: "by \(rawValue)"
    case .trouble: "worst first"
    }
  }
}

/// How much of something there is in what a metric did last. Of equal ones the order stays.
struct TileScore {
  private let history: RunHistory
  /// Nothing after this step counts.
  private let playhead: Int

  /// Of a large family so many members speak for all.
  private static let mostMembers = 64
  /// The samples that are looked at.
  private static let window = 64

  init(_ history: RunHistory, upTo playhead: Int) {
    (self.history, self.playhead) = (history, playhead)
  }

  func callAsFunction(_ tile: WallTile, by order: WallOrder) -> Double {
    let every = (tile.metrics.count + Self.mostMembers - 1) / Self.mostMembers
    let scores = stride(from: 0, to: tile.metrics.count, by: max(1, every)).map { index in
      let values = last(of: tile.metrics[index])
      return order == .trouble ? Self.trouble(values) : Self.movement(values)
    }
    return scores.max() ?? 0
  }

  private func last(of name: MetricName) -> [Double] {
    guard let series = history[name], let end = series.index(atOrBefore: playhead) else {
      return []
    }
    return series.samples(in: max(0, end + 1 - Self.window)..<end + 1).values
  }

  /// How far the last quarter lies from what came before it, in units of the spread there.
  private static func movement(_ values: [Double]) -> Double {
    let finite = values.filter(\.isFinite)
    guard finite.count >= 8 else { return 0 }
    let before = finite.dropLast(finite.count / 4), after = finite.suffix(finite.count / 4)
    let middle = mean(before)
    let spread = sqrt(mean(before.map { ($0 - middle) * ($0 - middle) }))
    let distance = abs(mean(after) - middle)
    return distance == 0 ? 0 : distance / max(spread, abs(middle) * 1e-6, .leastNormalMagnitude)
  }

  private static func mean(_ values: some Collection<Double>) -> Double {
    values.reduce(0, +) / Double(max(1, values.count))
  }

  /// No number before spikes, spikes before what stands still; among spikes the largest.
  private static func trouble(_ values: [Double]) -> Double {
    guard values.allSatisfy(\.isFinite) else { return 3e9 }
    guard values.count >= 16 else { return 0 }
    let sorted = values.sorted()
    let median = sorted[sorted.count / 2]
    let deviation = values.map { abs($0 - median) }.sorted()[values.count / 2]
    if sorted[0] == sorted[sorted.count - 1] { return values.count == window ? 1 : 0 }
    let largest = abs((values.suffix(8).max() ?? median) - median)
    let height = largest / max(deviation, abs(median) * 1e-6, .leastNormalMagnitude)
    return height > 8 ? 1 + min(height, 1e9) : 0
  }
}
