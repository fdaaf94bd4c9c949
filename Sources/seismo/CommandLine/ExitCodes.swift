import ArgumentParser
import Runs
import Sessions
import Sweeps
import Training

/// The exit codes, chosen here alone.
enum SeismoExit: Int32 {
  case failed = 1
  case usage = 64
  case badInput = 65
  case interrupted = 130
  case terminated = 143
}

/// An end with something to say: one line and the exit code.
struct Failure: Error, CustomStringConvertible {
  let exit: SeismoExit
  let description: String

  init(_ exit: SeismoExit, _ description: String) {
    self.exit = exit
    self.description = description
  }

  /// What is wrong with the command line.
  static func usage(_ reason: String) -> Failure {
    Failure(.usage, reason)
  }

  /// What is wrong with a file that was named.
  static func badInput(_ error: any Error) -> Failure {
    Failure(.badInput, "\(error)")
  }
}

extension Failure {
  /// The failure that `error` comes to, wherever it was thrown.
  init(_ error: any Error) {
    switch error {
    case let failure as Failure: self = failure
    case let error as RunError: self.init(error.exit, "\(error)")
    case let error as SweepError: self.init(error.exit, "\(error)")
    case let error as ConfigurationError: self = .usage("\(error)")
    case is GridError, is CellSelection.Flaw: self = .usage("\(error)")
    case ThemeFile.Flaw.unknown: self = .usage("\(error)")
    default: self = .badInput(error)
    }
  }
}

extension SweepError {
  fileprivate var exit: SeismoExit {
    switch self {
    case .noSweep, .otherGrid, .notExtendable, .otherRun, .damaged: .badInput
    case .unwritable: .failed
    }
  }
}

extension RunError {
  fileprivate var exit: SeismoExit {
    switch self {
    case .noSessionPath, .nothingToDo, .resumesBase, .outOfPatience, .noBranchName,
      .branchWithoutCheckpoint:
      .usage
    case .sessionNotMade, .recordsLost, .comparisonLost, .notDetached, .detachedUnseen: .failed
    case .baseTooLarge, .sessionIsFolder, .sessionExists, .folderNotMade, .notTrainedHere,
      .dataGone, .nothingThere, .notListable, .noSessionThere, .notStarted, .farAway:
      .badInput
    }
  }
}
