package import Sessions

/// Why a sweep cannot be run where it was asked for. The description is one line.
package enum SweepError: Error, Equatable {
  case noSweep(folder: String)
  case otherGrid(folder: String)
  case notExtendable(folder: String)
  case unwritable(path: String, reason: FileObstacle)
  /// The session that a cell would be recorded in is that of another run.
  case otherRun(session: String, option: String)
  /// What a session cannot be read for.
  case damaged(flaw: String)
}

extension SweepError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .noSweep(let folder):
      "\(folder) holds no sweep.toml: 'seismo sweep --lr 1e-3..1e-1*5 --folder \(folder)' begins a sweep"
    case .otherGrid(let folder):
      "\(folder) holds another grid: leave the grid out to go on with that, add cells to it with"
        + " --extend, or give another --folder"
    case .notExtendable(let folder):
      "\(folder): a grid of cells drawn at random cannot be extended: give another --folder"
    case .unwritable(let path, let reason):
      "\(path) cannot be written: \(reason): \(reason.remedy), or give another --folder"
    case .otherRun(let session, let option):
      "\(session) is another run's, its \(option) differs: move it away to have the cell run"
    case .damaged(let flaw): "\(flaw); move it away to have the cell run again"
    }
  }
}
