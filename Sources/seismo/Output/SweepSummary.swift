import Signals
import Sweeps

/// What a sweep has found, as a table of plain text.
struct SweepSummary {
  private let results: SweepResults

  init(_ results: SweepResults) {
    self.results = results
  }

  /// The names of the columns first.
  var rows: [[String]] {
    var rows = [
      ["parameters", "cells of", "sensitivity", "best rate", "held-out", "spread", "seeds"]
    ]
    for group in results.groups {
      guard let best = group.curve.best, let value = group.curve.sensitivity else { continue }
      rows.append([
        NumberText.compact(Double(group.parameters)), group.words.isEmpty ? "all" : group.words,
        group.isHalved ? "–" : NumberText.compact(value), NumberText.compact(best.rate),
        NumberText.compact(best.loss, digits: 4),
        best.seeds > 1 ? "±\(NumberText.compact(best.spread, digits: 2))" : "",
        "\(group.curve.seeds)",
      ])
    }
    return rows
  }

  /// What subspaces came to, the names of the columns first; empty where there are none.
  var dimensionRows: [[String]] {
    let found = results.intrinsicDimensions
    guard !found.isEmpty else { return [] }
    var rows = [["dimensions", "cells of", "best rate", "held-out", "of the full drop"]]
    for dimension in found {
      for point in dimension.points {
        rows.append([
          NumberText.grouped(point.dimensions), dimension.words,
          NumberText.compact(point.rate), NumberText.compact(point.loss, digits: 4),
          NumberText.percent(point.share),
        ])
      }
    }
    return rows
  }

  private var dimensionLines: [String] {
    let found = results.intrinsicDimensions
    guard !found.isEmpty else { return [] }
    let ends = found.map { dimension -> String in
      let place = dimension.words
      guard let d90 = dimension.d90 else {
        return "\(place): no subspace has 90% of the drop to"
          + " \(NumberText.compact(dimension.fullLoss, digits: 4))"
      }
      let between = dimension.between.map { ", about \(NumberText.compact($0, digits: 2))" } ?? ""
      return "\(place): d90 is at most \(NumberText.grouped(d90))\(between)"
    }
    return [""] + TextTable.lines(dimensionRows, rightAligned: [0, 2, 3, 4]) + ends
  }

  var lines: [String] {
    let rows = rows
    let counts = CellState.allCases.compactMap { state -> String? in
      let count = results.count(state)
      return count == 0 ? nil : "\(count) \(state.rawValue)"
    }
    let rest = results.cells.count - results.results.count
    let end = (counts + (rest > 0 ? ["\(rest) to go"] : [])).joined(separator: ", ")
    let table = rows.count == 1 ? [] : TextTable.lines(rows, rightAligned: [0, 2, 3, 4, 5, 6])
    return table + dimensionLines + ["\(results.cells.count) cells: \(end)"]
  }
}
