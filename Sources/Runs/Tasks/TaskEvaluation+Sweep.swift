import Sessions
package import Sweeps
import Training

extension TaskEvaluation {
  /// How the tasks are passed over a sweep's sizes, each by its finished cell of the lowest loss.
  /// - Throws: ``TaskError``; what is wrong with the sweep or with a checkpoint.
  package func law(over folder: SweepFolder, workers: Int?) throws -> TaskLaw {
    let plan = try SweepPlan(folder: folder, grid: folder.grid())
    var best: [Int: CellResult] = [:]
    for result in plan.results().ended where result.state == .finished {
      guard let loss = result.evalLoss, loss.isFinite else { continue }
      let before = best[result.parameters]?.evalLoss ?? .infinity
      if loss < before { best[result.parameters] = result }
    }
    guard !best.isEmpty else { throw TaskError.noCell(folder: folder.path) }
    let points = try best.sorted { $0.key < $1.key }.map { size, cell in
      let checkpoint = try CheckpointFolder.read(SessionFiles(path: cell.session).checkpoints)
      try checkpoint.checkWritesText()
      let engine = try checkpoint.inferenceEngine(workers: workers)
      return TaskLaw.Point(parameters: size, rates: try outcomes(of: engine).map(\.rate))
    }
    return TaskLaw(points)
  }
}
