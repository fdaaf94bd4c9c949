import Foundation

/// When a sparse model's blocks are exchanged, and how many of them.
///
/// Every so many steps a share of the blocks that falls from 0.3 to 0 along a cosine, over the first
/// three quarters of the run.
/// - Source: Evci et al. 2020 (RigL, 1911.11134), section 3
struct RegrowthSchedule: Sendable {
  /// 0 is never.
  let every: Int
  let steps: Int

  private static let first = 0.3
  private static let portion = 0.75

  private var end: Int { Int(Double(steps) * Self.portion) }

  func isDue(at step: Int) -> Bool { every > 0 && step > 0 && step < end && step % every == 0 }

  /// Whether there is an exchange in the run at all.
  var isEverDue: Bool { isDue(at: every) }

  /// The share of a matrix's blocks that is dropped at `step`.
  func share(at step: Int) -> Double {
    guard step < end else { return 0 }
    return Self.first / 2 * (1 + cos(Double.pi * Double(step) / Double(end)))
  }
}
