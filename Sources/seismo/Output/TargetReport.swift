import Formats
import Sessions
import Signals
import Sweeps
import Telemetry

/// How soon the cells of a sweep come to a held-out loss.
struct TargetReport: PickedCells {
  private struct Entry {
    let group: SeedGroup
    let horizon: Int
    let scores: TargetScores
  }

  /// The soonest first.
  private let entries: [Entry]
  private let loss: Double
  /// The steps of the run that came there first; nil where none did.
  private let reference: Int?
  /// Steps between two looks at the held-out loss, the longest.
  private let resolution: Int

  /// - Throws: where a session cannot be read.
  init(_ results: SweepResults, loss: Double) throws {
    self.loss = loss
    let groups = results.seedGroups
    let courses = try groups.map { try Self.courses(of: $0, in: results) }
    resolution = courses.joined().map(\.longestGap).max() ?? 0
    let steps = courses.map { $0.map { $0.steps(to: loss) } }
    let reference = steps.joined().compactMap(\.self).min()
    self.reference = reference
    entries = zip(groups, steps).map { group, steps in
      let horizon = results.costs[group.cells[0]].steps
      let scores = TargetScores(steps: steps, horizon: horizon, reference: reference ?? horizon)
      return Entry(group: group, horizon: horizon, scores: scores)
    }.sorted {
      ($0.scores.median ?? .max, -Self.mean($0.scores))
        < ($1.scores.median ?? .max, -Self.mean($1.scores))
    }
  }

  /// The held-out loss over a cell's steps.
  private struct Course {
    let points: [(step: Int, loss: Double)]

    func steps(to loss: Double) -> Int? { points.first { $0.loss <= loss }?.step }

    var longestGap: Int {
      zip(points.dropFirst(), points).map { $0.step - $1.step }.max() ?? 0
    }
  }

  /// Of the cells that have ended by themselves.
  private static func courses(
    of group: SeedGroup, in results: SweepResults
  ) throws -> [Course] {
    try group.cells.compactMap { results.results[results.cells[$0].number] }
      .filter { $0.judgedLoss != nil }.map { result in
        let held = try SessionReader(path: result.session).history()[MetricCatalog.evalLoss]
        return Course(points: zip(held?.steps ?? [], held?.values ?? []).map { ($0, $1) })
      }
  }

  private static func mean(_ scores: TargetScores) -> Double { scores.efficiency(at: 1) ?? 0 }

  private var doubts: [String] {
    var doubts: [String] = []
    if reference == nil { doubts.append("no cell came to \(NumberText.compact(loss, digits: 4))") }
    let horizon = entries.map(\.horizon).max() ?? 0
    if resolution * 10 > horizon {
      doubts.append(
        "the held-out loss was measured every \(resolution) of \(horizon) steps: --eval-every"
          + " \(max(1, horizon / 50)) tells more")
    }
    return doubts
  }

  var lines: [String] {
    let most = entries.map(\.scores.scores.count).max() ?? 0
    let shown = (1...max(1, min(most, 5)))
    var rows = [
      ["median", "steps of seeds", "never"] + shown.map { "eff@\($0)" } + ["cells of"]
    ]
    for entry in entries {
      let scores = entry.scores
      let steps = scores.steps.map { NumberText.grouped($0) }.joined(separator: " ")
      rows.append(
        [
          scores.median.map { NumberText.grouped($0) } ?? "never", steps.isEmpty ? "–" : steps,
          "\(scores.censored)",
        ]
          + shown.map { scores.efficiency(at: $0).map { NumberText.compact($0, digits: 2) } ?? "–" }
          + [entry.group.words])
    }
    return ["steps to a held-out loss of \(NumberText.compact(loss, digits: 4))"]
      + TextTable.lines(rows, rightAligned: Set([0, 2] + shown.map { $0 + 2 }))
      + (doubts.isEmpty ? [] : ["", "must not be believed:"] + doubts.map { "  \($0)" })
  }

  var json: String {
    let cells = entries.map { entry in
      let scores = entry.scores
      let efficiencies = (1...max(1, scores.scores.count)).compactMap {
        scores.efficiency(at: $0).map { JSONLines.number($0) }
      }
      return JSONLines.object([
        ("options", CellResult.json(entry.group.options)),
        ("steps", "[\(scores.steps.map(String.init).joined(separator: ","))]"),
        ("censored", "\(scores.censored)"), ("median", scores.median.map(String.init) ?? "null"),
        ("eff", "[\(efficiencies.joined(separator: ","))]"),
      ])
    }
    return JSONLines.object([
      ("target", JSONLines.number(loss)),
      ("reference_steps", reference.map(String.init) ?? "null"),
      ("cells", "[\(cells.joined(separator: ","))]"),
      ("doubts", "[\(doubts.map(JSONLines.quoted).joined(separator: ","))]"),
    ])
  }
}
