import ArgumentParser
import Formats
import Foundation
import Runs
import Signals
import Sweeps

struct Pick: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Which of a sweep's cells are worth more: to scale up, to afford, to get there soon.",
    discussion: """
      Without --front and --target: the settings that came lowest at the largest size, with their \
      spread over seeds, and how well each smaller size would have judged them (rank correlation, \
      regret, SharpeRatio@k of 2311.18207 against settings drawn at random). With --front: the cells \
      that no other beats both in held-out loss and in a cost. With --target: the steps to a held-out \
      loss over seeds, those that never came there counted as such (eff@k of 2406.06647).
      """)

  @Argument(help: "a sweep's folder") var folder: String
  @Option(help: "settings to pick (default: 5)") var k: Int?
  @Option(help: "the cells that are not beaten in loss and in this cost") var front: CostFront.Cost?
  @Option(help: "a held-out loss: how soon each cell comes there") var target: Double?
  @Flag(help: "one JSON object on standard output") var json = false

  mutating func validate() throws {
    if let k, !(1...1000).contains(k) {
      throw ValidationError("--k \(k): give a whole number from 1 to 1000")
    }
    if let target, !(target > 0 && target.isFinite) {
      throw ValidationError("--target \(target): give a loss above 0")
    }
    if [k != nil, front != nil, target != nil].count(where: { $0 }) > 1 {
      throw ValidationError("--k, --front and --target: give one of them")
    }
  }

  mutating func run() throws {
    let place = SweepFolder(path: folder)
    let results = try SweepPlan(folder: place, grid: place.grid()).results()
    guard results.groups.contains(where: { !$0.curve.points.isEmpty }) else {
      throw Failure(
        .badInput,
        "\(folder): no cell of this sweep has ended: '\(Invocation.command) sweep \(folder)' runs them"
      )
    }
    if let front {
      return try print(FrontReport(CostFront(results, by: front), cost: front))
    }
    if let target { return try print(TargetReport(results, loss: target)) }
    try print(PickReport(results, k: k ?? 5))
  }

  private func print(_ report: some PickedCells) throws {
    if json { return try StandardOutput.print(report.json) }
    for line in report.lines { try StandardOutput.print(line) }
  }
}

extension CostFront.Cost: ExpressibleByArgument {}

/// An answer of `seismo pick`.
protocol PickedCells {
  var json: String { get }
  var lines: [String] { get }
}

extension RateCurve.Point {
  /// `±0.012`; of one seed nothing.
  var spreadWords: String {
    seeds > 1 ? "±\(NumberText.compact(spread, digits: 2))" : "one seed"
  }

  /// What it says as members of a JSON object.
  var members: [(key: String, value: String)] {
    [
      ("loss", JSONLines.number(loss)), ("spread", JSONLines.number(spread)),
      ("seeds", "\(seeds)"), ("diverged", "\(diverged)"),
    ]
  }
}
