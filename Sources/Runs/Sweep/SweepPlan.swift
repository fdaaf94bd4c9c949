import Foundation
package import Sweeps
import Training

/// What of a sweep this process runs, and how.
package struct SweepPlan: Sendable {
  package let folder: SweepFolder
  package let grid: Grid
  /// The places of the cells to be run, in the order in which they begin.
  package let order: [Int]
  /// Cells at once, a core each.
  package let jobs: Int
  /// Seconds between two checkpoints of a cell; 0 for none before its end.
  package let checkpointSeconds: Double
  /// Seconds after which a claimant that is silent is gone; nil where cells are not claimed.
  package let stale: Double?
  /// The share of equal cells that goes on at each rung is one in so many; nil where all go on.
  package let halving: Int?

  /// - Throws: `CellSelection.Flaw`.
  package init(
    folder: SweepFolder, grid: Grid, selection: CellSelection = .all, jobs: Int? = nil,
    checkpointSeconds: Double = 30, stale: Double? = nil, halving: Int? = nil
  ) throws(CellSelection.Flaw) {
    (self.folder, self.grid, self.stale) = (folder, grid, stale)
    self.halving = halving
    self.checkpointSeconds = checkpointSeconds
    self.jobs = jobs ?? ProcessInfo.processInfo.activeProcessorCount
    order = try selection.order(of: grid.costs)
  }

  package var cells: [SweepCell] { grid.cells }
  package var costs: [CellCost] { grid.costs }

  /// What has ended in the folder so far, whoever ran it.
  package func results() -> SweepResults {
    var results = SweepResults(grid)
    for cell in cells {
      if let result = folder.result(of: cell) { results.take(result, of: cell) }
    }
    return results
  }
}
