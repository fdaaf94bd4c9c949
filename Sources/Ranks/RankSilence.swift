/// Ranks that keep the others waiting for long, or no longer do.
package struct RankSilence: Sendable, Equatable {
  /// Each with its host.
  package let names: [String]
  /// How long the others have waited.
  package let seconds: Double
  /// Whether they are there again.
  package let isOver: Bool

  package init(names: [String], seconds: Double, isOver: Bool) {
    (self.names, self.seconds, self.isOver) = (names, seconds, isOver)
  }

  package var text: String {
    let who = names.joined(separator: ", ")
    let isOne = names.count == 1
    let time = "\(Int(seconds.rounded())) s"
    return isOver
      ? "\(who) \(isOne ? "is" : "are") there again after \(time)"
      : "\(who) \(isOne ? "does" : "do") not answer: the others have waited for \(time)"
  }
}

/// Finds out, while rank 0 waits, which ranks do not even answer.
///
/// Whoever waits answers, so that the one who is waited for is told from those who wait for it too.
struct RankRoll {
  /// What rank 0 may have to do next.
  enum Duty: Equatable {
    case nothing
    /// Ask all others.
    case ask
    /// Tell of these ranks.
    case tell([Int])
  }

  /// Nanoseconds from which on a wait is long; a quarter of them is left for the answers.
  let limit: UInt64
  private let longestBefore: UInt64
  private var missing: Set<Int>?
  /// Those that were told of, in their order.
  private(set) var silent: [Int] = []
  private var isTold = false

  /// - Parameter longest: nanoseconds of the longest wait so far, since where ranks are unlike each
  ///   other long waits are usual.
  init(longest: UInt64) {
    longestBefore = longest
    limit = max(20_000_000_000, min(4 * longest, 300_000_000_000))
  }

  mutating func duty(after waited: UInt64, of count: Int) -> Duty {
    guard let missing else {
      guard waited > limit / 4 * 3 else { return .nothing }
      self.missing = Set(1..<count)
      return .ask
    }
    guard waited > limit, !isTold else { return .nothing }
    isTold = true
    silent = missing.sorted()
    return silent.isEmpty ? .nothing : .tell(silent)
  }

  mutating func hear(_ rank: Int) { missing?.remove(rank) }

  /// The longest wait once this one has ended after `waited`: one that was told of counts too, since a
  /// rank that came back was only at work, and will be again.
  func longest(after waited: UInt64) -> UInt64 { max(longestBefore, waited) }
}
