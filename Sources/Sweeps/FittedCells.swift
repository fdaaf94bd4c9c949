import Models
import Training

/// A cell as a table gives it.
struct GivenCell {
  let options: [String: String]
  let table: GridTable
}

/// The cells of a grid without what they have no use for.
///
/// An option that a table gives one value is left out of the cells that it would change nothing in, as
/// Adam's β₂ of those with another optimizer, if only it is of use to another cell: what is of use to
/// none is refused, and so is what is listed.
struct FittedCells {
  /// A cell that makes no run, and why.
  private struct Flaw {
    let place: Int
    let reason: String
  }

  private let given: [GivenCell]
  private let varied: [String]
  /// Each cell's options, and what it costs; nil where it makes no run.
  private var fitted: [(options: [String: String], cost: CellCost)?] = []
  private var flaws: [Flaw] = []
  /// What was left out of cells, and where.
  private var left: [(option: String, flaw: Flaw)] = []
  private var parameters: [ModelConfiguration: Int] = [:]

  init(_ given: [GivenCell], varied: [String]) {
    (self.given, self.varied) = (given, varied)
    for place in given.indices { fit(place) }
  }

  private mutating func fit(_ place: Int) {
    let listed = Set(given[place].table.varied)
    var options = given[place].options
    while true {
      do throws(ConfigurationError) {
        let configuration = try SweepCell.configuration(options)
        let cost = CellCost(configuration, parameters: parameters[configuration.model])
        parameters[configuration.model] = cost.parameters
        return fitted.append((options, cost))
      } catch {
        let flaw = Flaw(place: place, reason: error.description)
        guard case .idle(let option, _) = error, !listed.contains(option),
          options.removeValue(forKey: option) != nil
        else {
          flaws.append(flaw)
          return fitted.append(nil)
        }
        left.append((option, flaw))
      }
    }
  }

  /// Each once, also where two tables' are the same but for what is left out.
  /// - Throws: ``GridError/contradictory(cell:words:reason:others:)`` with the number of all such cells.
  func cells() throws(GridError) -> ([SweepCell], [CellCost]) {
    let used = Set(fitted.compactMap { $0?.options.keys }.flatMap { $0 })
    let useless = left.filter { !used.contains($0.option) }.map(\.flaw)
    try refuse(flaws + useless)
    var seen: Set<[String: String]> = []
    var (cells, costs): ([SweepCell], [CellCost]) = ([], [])
    for (given, fitted) in zip(given, fitted) {
      guard let fitted, seen.insert(fitted.options).inserted else { continue }
      cells.append(
        SweepCell(
          number: cells.count + 1, options: fitted.options, varied: varied,
          named: given.table.varied))
      costs.append(fitted.cost)
    }
    return (cells, costs)
  }

  private func refuse(_ flaws: [Flaw]) throws(GridError) {
    guard let first = flaws.min(by: { $0.place < $1.place }) else { return }
    let cell = SweepCell(
      number: first.place + 1, options: given[first.place].options, varied: varied, named: [])
    throw .contradictory(
      cell: cell.number, words: cell.words, reason: first.reason,
      others: Set(flaws.map(\.place)).count - 1)
  }
}
