/// A grid whose rates lie around the ones that are suggested for the size and the tokens of its cells,
/// in place of the same three decades for all.
package struct SuggestedRates: Sendable {
  /// What a suggested rate is multiplied by.
  private static let factors = [(0.1).squareRoot(), 1, (10.0).squareRoot()]
  /// The rates that are usual over three decades.
  package static let usualCount = 7

  package let tables: [GridTable]
  /// The suggested rates, the lowest and the highest.
  package let range: ClosedRange<Double>

  /// - Parameters:
  ///   - tables: without rates; each is cut where its cells differ in what a rate depends on.
  ///   - rate: what is suggested for a cell; nil where nothing is.
  /// - Throws: ``GridError``: where there are rates already, no rate is suggested, or lists that run in
  ///   step cannot be cut.
  package init(
    _ tables: [GridTable], rate: (CellCost) -> Double?
  ) throws(GridError) {
    var cut: [GridTable] = []
    var rates: [Double] = []
    for table in tables {
      guard table.given["lr"] == nil else {
        throw .unfit(name: "lr", reason: "the rates come from --around: leave them out")
      }
      for part in try Self.parts(of: table) {
        guard let cell = try Grid([part]).cells.first,
          let configuration = try? cell.configuration(),
          let suggested = rate(CellCost(configuration))
        else {
          throw .unfit(name: "around", reason: "nothing is suggested for a cell of this size")
        }
        rates.append(suggested)
        var given = part.given
        given["lr"] = Self.factors.map { (suggested * $0).rateText }
        cut.append(try GridTable(given, zips: part.zips))
      }
    }
    guard let low = rates.min(), let high = rates.max() else { throw .noValues(name: "the sweep") }
    (self.tables, range) = (cut, low...high)
  }

  /// The table once for each size and number of tokens that it has.
  private static func parts(of table: GridTable) throws(GridError) -> [GridTable] {
    let names = SweepResults.ofSize.union(SweepResults.ofTokens)
      .union(["context", "experts", "expert-width"])
    let own = names.filter { table.given[$0] != nil }
    for zip in table.zips where zip.contains(where: own.contains) && !zip.allSatisfy(own.contains) {
      throw .unfit(
        name: "zip \(zip.joined(separator: ","))",
        reason: "what a size is cannot run in step with other options beside --around")
    }
    var seen: Set<[String: String]> = []
    var parts: [GridTable] = []
    for cell in try Grid([table]).cells {
      let values = cell.options.filter { own.contains($0.key) }
      guard seen.insert(values).inserted else { continue }
      let given = table.given.merging(values.mapValues { [$0] }) { _, own in own }
      let zips = table.zips.filter { !$0.contains(where: own.contains) }
      parts.append(try GridTable(given, zips: zips))
    }
    return parts
  }
}
