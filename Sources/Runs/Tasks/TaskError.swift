/// What can be wrong with tasks. The description is one line.
package enum TaskError: Error, Equatable, CustomStringConvertible {
  case missing(path: String)
  case empty(path: String)
  /// A line that is no task.
  case flaw(path: String, line: Int, what: String)
  /// A program that judges texts and does not answer.
  case silent(command: String, reason: String)
  /// A program that rewards texts and does not answer with a reward.
  case noReward(command: String, reason: String)
  /// A sweep of which no cell has come to its end.
  case noCell(folder: String)

  package var description: String {
    switch self {
    case .missing(let path): "\(path): no tasks there; give a file of JSON lines"
    case .empty(let path):
      "\(path): no task in it; give lines such as {\"prompt\":\"2+2=\",\"check\":{\"exact\":\"4\"}}"
    case .flaw(let path, let line, let what): "\(path) line \(line): \(what)"
    case .noCell(let folder): "\(folder): no cell of this sweep has finished; run its cells first"
    case .silent(let command, let reason):
      "\(command): \(reason); it is given {\"prompt\":…,\"text\":…} a line and is to answer with a "
        + "number a line, above 0 for a pass"
    case .noReward(let command, let reason):
      "reward command:\(command): \(reason); it is given {\"prompt\":…,\"text\":…} a line and is to "
        + "answer with the text's reward a line, a number from -1e6 to 1e6"
    }
  }
}
