import Foundation
import Runs
import Signals
import Sweeps
import Training

/// A sweep's cells with what they cost, before or after they have run.
struct SweepListing {
  private let plan: SweepPlan
  private let results: SweepResults

  init(_ plan: SweepPlan) {
    self.plan = plan
    results = plan.results()
  }

  func print() throws {
    var clock = CellClock(peak: MachinePeak.gflops(workers: 1))
    for (cell, cost) in zip(plan.cells, plan.costs) {
      guard let result = results.results[cell.number], result.state == .finished else { continue }
      clock.ran(cost, flops: cost.flops, seconds: result.seconds)
    }
    var rows = [["cell", "parameters", "tokens", "FLOPs", "time", "state", "options"]]
    for place in plan.order.sorted() { rows.append(row(place, clock)) }
    for line in TextTable.lines(rows, rightAligned: [0, 1, 2, 3, 4]) {
      try StandardOutput.print(line)
    }
    try StandardOutput.print(total(clock))
  }

  private func row(_ place: Int, _ clock: CellClock) -> [String] {
    let (cell, cost) = (plan.cells[place], plan.costs[place])
    let result = results.results[cell.number]
    return [
      "\(cell.number)", NumberText.compact(Double(cost.parameters)),
      NumberText.compact(Double(cost.tokens)), NumberText.compact(cost.flops),
      NumberText.duration(seconds: result?.seconds ?? clock.seconds(cost)),
      result?.state.rawValue ?? "waiting", cell.words.isEmpty ? "as given" : cell.words,
    ]
  }

  private func total(_ clock: CellClock) -> String {
    let flops = plan.order.reduce(0) { $0 + plan.costs[$1].flops }
    let left = plan.order.filter { results.results[plan.cells[$0].number] == nil }
    let length = CellClock.length(
      of: left.map { clock.seconds(plan.costs[$0]) }, jobs: plan.jobs)
    let cells = "\(NumberText.grouped(plan.order.count)) cell\(plan.order.count == 1 ? "" : "s")"
    return "\(cells), \(NumberText.compact(flops)) FLOPs, about"
      + " \(NumberText.duration(seconds: length)) to go on \(plan.jobs)"
      + " core\(plan.jobs == 1 ? "" : "s")"
  }
}
