import Foundation
import Telemetry

/// What the list of runs is ordered by.
enum RunOrder: Sendable, Hashable, CaseIterable {
  case time, heldOut, best, name, steps

  var words: String {
    switch self {
    case .time: "newest first"
    case .heldOut: "by held-out loss"
    case .best: "by best held-out loss"
    case .name: "by name"
    case .steps: "by steps, most first"
    }
  }

  var next: RunOrder {
    let all = Self.allCases
    let index = all.firstIndex(of: self) ?? 0
    return all[(index + 1) % all.count]
  }

  /// What is equal in it stands by name; what lacks the number stands last.
  func sorted(_ runs: [ListedRun]) -> [ListedRun] {
    runs.sorted { one, other in
      let (left, right) = (key(one), key(other))
      guard left == right else { return left < right }
      return one.name.compare(other.name, options: .numeric) == .orderedAscending
    }
  }

  private func key(_ run: ListedRun) -> Double {
    switch self {
    // What is not read yet comes below, so that nothing moves while it arrives.
    case .time: run.details.standing == .unread ? .infinity : -run.details.lastWritten
    case .heldOut: Self.finite(run.details.heldOut?.value)
    case .best: Self.finite(run.details.best?.value)
    case .name: 0
    case .steps: -Double(run.steps)
    }
  }

  private static func finite(_ value: Double?) -> Double {
    guard let value, !value.isNaN else { return .infinity }
    return value
  }
}
