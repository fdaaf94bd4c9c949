/// Why a run cannot be planned, gone on with or ended as it was asked for. The description is one
/// line.
package enum RunError: Error, Equatable {
  case noSessionPath
  case sessionIsFolder(path: String)
  case sessionExists(path: String)
  /// A disk that is full from the start, or that may not be written.
  case sessionNotMade(reason: String)
  case folderNotMade(path: String)
  /// The checkpoint has done all steps.
  case nothingToDo(checkpoint: String, step: Int, steps: Int)
  /// What goes on has weights already.
  case resumesBase(base: String, checkpoint: String)
  /// A model that is begun with has a number that no run can have.
  case baseTooLarge(path: String, option: String, value: String, allowed: String, remedy: String)
  case outOfPatience(checkpoint: String, evaluations: Int)
  /// One of the runs that are compared came to nothing.
  case comparisonLost(method: String, seed: Int, reason: String)
  case noBranchName(String)
  case branchWithoutCheckpoint(name: String)
  /// The disk did not take the rest before the wait was over.
  case recordsLost(session: String, records: Int, reason: String, remedy: String)
  /// The other process could not be started, or ended at once.
  case notDetached(reason: String)
  /// The other process is there, but has not begun within the time.
  case detachedUnseen(seconds: Int)
  case notTrainedHere(session: String)
  /// The data that a run was trained on came from a stream.
  case dataGone(session: String)
  case nothingThere(place: String)
  case notListable(place: String)
  case noSessionThere(place: String)
  case notStarted(command: String, reason: String)
  /// A record on another machine that cannot be reached.
  case farAway(place: String, reason: String)
}

extension RunError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .noSessionPath: "--session: give a path"
    case .sessionIsFolder(let path):
      "\(path) is a folder: name a file with --session, such as"
        + " \(ShownPath.text(path + (path.hasSuffix("/") ? "" : "/") + "run.seismo"))"
    case .sessionExists(let path):
      "\(path) exists: choose another --session, or go on from a checkpoint with --resume"
    case .sessionNotMade(let reason): reason
    case .folderNotMade(let path):
      "\(path) cannot be made: choose another place with --session"
    case .nothingToDo(let checkpoint, let step, let steps):
      "\(checkpoint) has done \(step) of \(steps) steps: give more with --steps"
    case .resumesBase(let base, let checkpoint):
      "\(base) and \(checkpoint): a run begins with one or goes on from the other: leave --base or"
        + " --resume out"
    case .baseTooLarge(let path, let option, let value, let allowed, let remedy):
      "\(path): its \(option) is \(value), and that of a run \(allowed): \(remedy)"
    case .outOfPatience(let checkpoint, let evaluations):
      "\(checkpoint) has had \(evaluations) evaluations without a lower held-out"
        + " loss: give more with --patience, or 0 for no end"
    case .comparisonLost(let method, let seed, let reason):
      "\(method) with seed \(seed) came to nothing: \(reason): give another --lr, or leave it out of"
        + " --compare"
    case .noBranchName(let name):
      "--branch '\(name)': give a name without / that begins with no dot"
    case .branchWithoutCheckpoint(let name):
      "--branch \(name): it goes with --resume CHECKPOINT"
    case .recordsLost(let session, let records, let reason, let remedy):
      "\(records) records are lost, \(session) ends before them: \(reason): "
        + "\(remedy) sooner, or name another file with --session"
    case .notDetached(let reason): "the run could not go on without a screen: \(reason)"
    case .detachedUnseen(let seconds):
      "the run has not gone on within \(seconds) s: 'seismo sessions' says whether it does later;"
        + " else resume it from its last checkpoint"
    case .notTrainedHere(let session):
      "\(session) was not trained by Seismo: only its own runs can be run again"
    case .dataGone(let session):
      "\(session): its data came from standard input and is not there any more"
    case .notStarted(let command, let reason): "\(command) cannot be started: \(reason)"
    case .farAway(let place, let reason): "\(place): \(reason)"
    case .nothingThere(let place):
      "nothing is at \(place): name a folder or a .seismo file"
    case .notListable(let place): "\(place) cannot be listed: check its permissions"
    case .noSessionThere(let place):
      "no session is in \(place): name a folder that holds .seismo files"
    }
  }
}
