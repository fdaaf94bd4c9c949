import Formats
package import Signals
import Telemetry

/// What a sweep's cells came to, so far as they have ended, and what it says of the rate.
package struct SweepResults: Sendable {
  /// By the cells' numbers.
  package private(set) var results: [Int: CellResult] = [:]
  private let grid: Grid
  private let groupOfCell: [Int]
  /// Cells that differ in nothing but rate and seed, in the order of their first cells.
  private let members: [[Int]]

  package var cells: [SweepCell] { grid.cells }
  package var costs: [CellCost] { grid.costs }

  /// Cells that differ in nothing but the rate and the seed.
  package struct Group: Sendable {
    /// The options they have in common.
    package let options: [String: String]
    /// Of those, what other groups have otherwise: `layers 2, qk-layernorm on`; empty where there
    /// is one group.
    package let words: String
    /// Of those, what is not the model's size, without what is off: `qk-layernorm`; `plain` where
    /// all of it is off, empty where groups differ in nothing but their sizes.
    package let mitigation: String
    /// Of those, what is the model's size: `layers 2`.
    package let size: String
    /// Weights without embedding and unembedding.
    package let parameters: Int
    package let curve: RateCurve
    /// Whether halving left cells out: then the curve is no sensitivity's.
    package let isHalved: Bool
    /// The cells' places.
    package let cells: [Int]
  }

  /// What makes cells of a group, and no other option, differ.
  private static let ofCells: Set<String> = ["lr", "seed"]
  static let ofSize: Set<String> = ["preset", "width", "layers", "heads"]

  package init(_ grid: Grid) {
    self.grid = grid
    var numbers: [[String: String]: Int] = [:]
    var members: [[Int]] = []
    groupOfCell = grid.cells.indices.map { index in
      let common = grid.cells[index].options.filter { !Self.ofCells.contains($0.key) }
      let group = numbers[common] ?? members.count
      if group == members.count {
        numbers[common] = group
        members.append([])
      }
      members[group].append(index)
      return group
    }
    self.members = members
  }

  package mutating func take(_ result: CellResult, of cell: SweepCell) {
    results[cell.number] = result
  }

  /// In the order of the cells.
  package var ended: [CellResult] { cells.compactMap { results[$0.number] } }

  package func count(_ state: CellState) -> Int {
    results.values.count { $0.state == state }
  }

  /// The group of the cell at this place.
  package func group(ofCellAt index: Int) -> Int { groupOfCell[index] }

  /// The cell's peak rate.
  package func rate(ofCellAt index: Int) -> Double {
    costs[index].learningRate
  }

  package var groups: [Group] {
    members.map { members in
      let cell = cells[members[0]]
      let common = cell.options.filter { !Self.ofCells.contains($0.key) }
      let varied = cell.varied.filter { common[$0] != nil }
      return Group(
        options: common,
        words: varied.map { "\($0) \(common[$0] ?? "")" }.joined(separator: ", "),
        mitigation: Self.mitigation(varied.filter { !Self.ofSize.contains($0) }, common),
        size: varied.filter(Self.ofSize.contains).map { "\($0) \(common[$0] ?? "")" }
          .joined(separator: ", "),
        parameters: costs[members[0]].parameters, curve: RateCurve(outcomes(of: members)),
        isHalved: members.contains { results[cells[$0].number]?.isLeftOut ?? false },
        cells: members)
    }
  }

  private static func mitigation(_ varied: [String], _ options: [String: String]) -> String {
    let words = varied.compactMap { name -> String? in
      switch options[name] {
      case "off", "0", "0.0", nil: nil
      case "on": name
      case let value?: "\(name) \(value)"
      }
    }
    return words.isEmpty ? (varied.isEmpty ? "" : "plain") : words.joined(separator: ", ")
  }

  private func outcomes(of members: [Int]) -> [RateCurve.Outcome] {
    members.compactMap { index in
      guard let result = results[cells[index].number], let initial = result.initialLoss,
        let loss = result.judgedLoss
      else { return nil }
      return RateCurve.Outcome(rate: rate(ofCellAt: index), loss: loss, initialLoss: initial)
    }
  }

  /// The object that ends `seismo sweep --json`.
  package var json: String {
    let sensitivity = groups.compactMap(Self.json)
    let dimensions = intrinsicDimensions.map(\.json)
    return "{\"cells\":[\(ended.map(\.json).joined(separator: ","))],"
      + "\"sensitivity\":[\(sensitivity.joined(separator: ","))]"
      + (dimensions.isEmpty
        ? "}" : ",\"intrinsic_dimension\":[\(dimensions.joined(separator: ","))]}")
  }

  /// Nil where nothing is known of the group yet.
  private static func json(_ group: Group) -> String? {
    guard let value = group.curve.sensitivity, let best = group.curve.best else { return nil }
    let points = group.curve.points.map {
      "[\(JSONLines.number($0.rate)),\(JSONLines.number($0.loss)),\(JSONLines.number($0.spread))]"
    }
    let members = [
      ("options", CellResult.json(group.options)), ("parameters", "\(group.parameters)"),
      ("value", group.isHalved ? "null" : JSONLines.number(value)),
      ("best_lr", JSONLines.number(best.rate)),
      ("best_loss", JSONLines.number(best.loss)),
      ("curve", "[\(points.joined(separator: ","))]"), ("seeds", "\(group.curve.seeds)"),
    ]
    return JSONLines.object(members)
  }
}

extension CellResult {
  /// Whether halving ended it.
  var isLeftOut: Bool { state == .stopped && reason?.hasPrefix(Halving.reason) == true }

  /// What the sensitivity judges it by: NaN where it diverged without a held-out loss; nil where it
  /// says nothing, as it did not come to its end.
  package var judgedLoss: Double? {
    switch state {
    case .finished: evalLoss
    case .diverged: evalLoss ?? .nan
    case .failed, .stopped: nil
    }
  }
}
