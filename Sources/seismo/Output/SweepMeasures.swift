import Dashboard
import Formats
import Foundation
import Inspection
import Kernels
import Runs
import Sessions
import Signals
import Sweeps
import Training

/// Generalisation measures of a sweep's cells, and how each orders them against the measured gap.
struct SweepMeasures {
  struct Entry {
    let cell: SweepCell
    let measures: GeneralisationMeasures
    let trainingLoss: Double
    let heldOutLoss: Double

    var gap: Double { heldOutLoss - trainingLoss }
  }

  let entries: [Entry]

  /// - Throws: a failure where no cell has ended; what is wrong with a checkpoint.
  init(_ folder: SweepFolder, windows: Int, pool: WorkerPool) throws {
    let plan = try SweepPlan(folder: folder, grid: folder.grid())
    entries = try plan.cells.compactMap { cell in
      guard let result = folder.result(of: cell), result.state == .finished else { return nil }
      let path = SessionFiles(path: result.session).checkpoints
      let evaluation = try Evaluation(
        heldOutOf: CheckpointFolder.read(path), workers: pool.workers)
      guard
        let found = try GeneralisationMeasures.of(evaluation, windows: windows, pool: pool)
      else { return nil }
      let heldOut = try ModelTrial(
        evaluation, windows: evaluation.windows, most: windows, pool: pool)
      return Entry(
        cell: cell, measures: found.measures, trainingLoss: found.trainingLoss,
        heldOutLoss: heldOut.loss())
    }
    guard !entries.isEmpty else {
      throw Failure(
        .badInput,
        "\(folder.path): no cell of this sweep has ended:"
          + " '\(Invocation.command) sweep \(folder.path)' runs them")
    }
  }

  /// By measure; nil where one of the two is the same for all cells.
  private var correlations: [(name: String, value: Double?)] {
    let gaps = entries.map(\.gap)
    return MeasureTable.named(entries[0].measures).enumerated().map { index, named in
      let values = entries.map { MeasureTable.named($0.measures)[index].1 }
      return (named.0, entries.count > 1 ? RankCorrelation.of(values, gaps) : nil)
    }
  }

  var tables: [InspectionTable] { [cells, ranking] }

  private var cells: InspectionTable {
    let header = ["cell", "training", "held-out", "gap", "sigma", "distance", "options"]
    let rows = entries.map { entry in
      [
        Span("\(entry.cell.number)", .text),
        Span(NumberText.compact(entry.trainingLoss, digits: 4), .text),
        Span(NumberText.compact(entry.heldOutLoss, digits: 4), .text),
        Span(NumberText.signed(entry.gap, decimals: 4), .text),
        Span(FormatTables.number(entry.measures.sharpness), .text),
        Span(FormatTables.number(entry.measures.distance), .text), Span(entry.cell.words, .text),
      ]
    }
    return InspectionTable(
      heading: "cells: loss on text that was trained on and that was held out",
      rows: [header.map { Span($0, .faint) }] + rows, rightAligned: [0, 1, 2, 3, 4, 5])
  }

  private var ranking: InspectionTable {
    let rows = correlations.map { name, value in
      [Span(name, .text), Span(value.map { NumberText.signed($0) } ?? "–", .text)]
    }
    let few = entries.count < 10 ? ["\(entries.count) cells say little of a ranking"] : []
    return InspectionTable(
      heading: "rank correlation of each measure with the gap",
      rows: [[Span("measure", .faint), Span("correlation", .faint)]] + rows, rightAligned: [1],
      remarks: [MeasureTable.warning] + few)
  }

  var json: String {
    let cells = entries.map { entry in
      JSONLines.object([
        ("options", CellResult.json(entry.cell.options)),
        ("training_loss", JSONLines.number(entry.trainingLoss)),
        ("held_out_loss", JSONLines.number(entry.heldOutLoss)),
        ("gap", JSONLines.number(entry.gap)), ("measures", entry.measures.json),
      ])
    }
    let ranks = correlations.map { ($0.name, $0.value.map { JSONLines.number($0) } ?? "null") }
    return JSONLines.object([
      ("cells", "[\(cells.joined(separator: ","))]"),
      ("rank_correlation", JSONLines.object(ranks)),
      ("warning", JSONLines.quoted(MeasureTable.warning)),
    ])
  }
}
