import Dispatch
package import Signals
import Synchronization

extension Comparison {
  /// Reads the runs whole, several at once.
  ///
  /// - Throws: as ``SessionReader`` does, for the first of them that cannot be read.
  package static func histories(
    of references: [SessionReference]
  ) throws(SessionError) -> [RunHistory] {
    let found = Mutex<[Int: Result<RunHistory, SessionError>]>([:])
    DispatchQueue.concurrentPerform(iterations: references.count) { index in
      let result = Result { () throws(SessionError) in try history(of: references[index]) }
      found.withLock { $0[index] = result }
    }
    let results = found.withLock { $0 }
    var histories: [RunHistory] = []
    for index in references.indices {
      if let history = try results[index]?.get() { histories.append(history) }
    }
    return histories
  }

  private static func history(of reference: SessionReference) throws(SessionError) -> RunHistory {
    RunHistory(try SessionReader(path: reference.path).records(line: reference.line))
  }
}
