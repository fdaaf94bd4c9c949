import Foundation

/// What comes of trying until a checker accepts, where the checker errs.
///
/// Try k of task i is reached with β_i^(k−1), β = (1−c)·r + s·(1−r), and is then accepted right with
/// c·r, wrong with (1−s)·(1−r). The weights of the tasks stay what they were at the first try: what
/// is left after rejections are the hard ones, by the powers of their own β.
/// - Source: Stroebl et al. 2024 (2411.17501), with the tasks' priors in the place of the
///   posteriors of its notebook
package struct Resampling: Sendable, Equatable {
  /// How a task's tries and its checker are.
  package struct Task: Sendable, Equatable {
    /// r: the share of tries that are right.
    package let right: Double
    /// c: of the right ones, the share accepted.
    package let completeness: Double
    /// s: of the wrong ones, the share rejected.
    package let soundness: Double
    /// p: how often it is asked, among all.
    package let weight: Double

    package init(right: Double, completeness: Double, soundness: Double, weight: Double = 1) {
      self.right = right
      self.completeness = completeness
      self.soundness = soundness
      self.weight = weight
    }

    /// From tries that both checkers have judged; nil without any.
    package init?(right: Int, rightAccepted: Int, wrong: Int, wrongAccepted: Int) {
      guard right + wrong > 0 else { return nil }
      self.init(
        right: Double(right) / Double(right + wrong),
        completeness: right > 0 ? Double(rightAccepted) / Double(right) : 1,
        soundness: wrong > 0 ? 1 - Double(wrongAccepted) / Double(wrong) : 1)
    }

    fileprivate var accepted: (right: Double, wrong: Double) {
      (completeness * right, (1 - soundness) * (1 - right))
    }
    fileprivate var rejected: Double { 1 - accepted.right - accepted.wrong }
  }

  package let tasks: [Task]
  private let weight: Double

  /// Nil without tasks.
  package init?(_ tasks: [Task]) {
    let weight = tasks.reduce(0) { $0 + $1.weight }
    guard weight > 0 else { return nil }
    (self.tasks, self.weight) = (tasks, weight)
  }

  private func mean(_ value: (Task) -> Double) -> Double {
    tasks.reduce(0) { $0 + $1.weight * value($1) } / weight
  }

  /// The share of tasks whose accepted answer within `tries` is right; none accepted is not.
  package func accuracy(tries: Int) -> Double {
    mean { $0.accepted.right * Self.reached($0.rejected, tries) }
  }

  /// The share of tasks of which a wrong answer is accepted.
  package func falsePositives(tries: Int) -> Double {
    mean { $0.accepted.wrong * Self.reached($0.rejected, tries) }
  }

  /// The accuracy of tries without end: P(right | accepted) of each task.
  package var ceiling: Double {
    mean {
      let accepted = $0.accepted.right + $0.accepted.wrong
      return accepted > 0 ? $0.accepted.right / accepted : 0
    }
  }

  /// 1 + β + … + β^(K−1)
  private static func reached(_ rejected: Double, _ tries: Int) -> Double {
    rejected < 1 ? (1 - pow(rejected, Double(tries))) / (1 - rejected) : Double(tries)
  }

  /// The last try that is worth more than it costs where a false positive costs so many right
  /// answers; nil where all are.
  package func bestTries(falsePositiveCost cost: Double) -> Int? {
    // In the end those tasks are left that are rejected most.
    let slowest = tasks.map(\.rejected).max() ?? 0
    let last = tasks.filter { $0.rejected > slowest - 1e-12 }
    if Self.isWorth(last, tries: 1, cost: cost) { return nil }
    return (1...10_000).last { Self.isWorth(tasks, tries: $0, cost: cost) } ?? 0
  }

  private static func isWorth(_ tasks: [Task], tries: Int, cost: Double) -> Bool {
    let worth = tasks.reduce(0.0) {
      let reached = $1.weight * pow($1.rejected, Double(tries - 1))
      return $0 + reached * ($1.accepted.right - cost * $1.accepted.wrong)
    }
    return worth > 0
  }
}
