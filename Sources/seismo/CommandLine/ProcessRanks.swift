import Foundation
import Ranks
import Synchronization

/// The ranks that this process is one of, from the moment a run asks for them to its exit.
enum ProcessRanks {
  private static let begun = Mutex<(any RankGroup)?>(nil)

  /// - Parameter expected: as many as a person says there are; nil for any number.
  /// - Returns: those that were started, this process among them.
  /// - Throws: a failure where they cannot begin.
  static func begin(expected: Int? = nil) throws(Failure) -> any RankGroup {
    do throws(RankStartError) {
      let ranks = try StartedRanks.begin(expected: expected)
      begun.withLock { $0 = ranks }
      return ranks
    } catch {
      throw Failure.usage("\(error)")
    }
  }

  /// Whether what this process has to say is not said by another one too.
  static var speaks: Bool { begun.withLock { $0?.isFirst ?? true } }

  /// Takes leave of the others; with a rank that is gone, ends them.
  /// - Returns: the exit code, which is rank 0's on all of them.
  static func leave(_ code: Int32) -> Int32 {
    guard let ranks = begun.withLock({ $0 }), ranks.count > 1 else { return code }
    let told = ranks.told([UInt8(truncatingIfNeeded: code)])
    guard ranks.flaw == nil, let first = told.first else {
      let code = max(code, SeismoExit.failed.rawValue)
      // Rank 0 has a session to close before it is ended too.
      if !ranks.isFirst { Thread.sleep(forTimeInterval: 5) }
      ranks.abandon(code: code)
      return code
    }
    ranks.finish()
    return Int32(first)
  }
}
