import Foundation
import Sweeps
import Testing

@Suite(.timeLimit(.minutes(15)))
struct SuggestedRatesTests {
  private func table(_ given: [String: String], zips: [[String]] = []) throws -> GridTable {
    try GridTable(
      given.merging(["preset": "tiny"]) { own, _ in own }.mapValues { [$0] }, zips: zips)
  }

  @Test func `each size and number of tokens has three rates around its own`() throws {
    let whole = try table(
      ["width": "16,32", "heads": "1,2", "steps": "100,200", "seed": "1,2"],
      zips: [["width", "heads"]])
    var asked: [Int] = []
    let rates = try SuggestedRates([whole]) { cost in
      asked.append(cost.parameters)
      return 1 / Double(cost.parameters) / Double(cost.tokens)
    }
    #expect(rates.tables.count == 4 && Set(asked).count == 2)
    let grid = try Grid(rates.tables)
    let cells = grid.cells
    #expect(cells.count == 4 * 3 * 2)
    for (cell, cost) in zip(cells, grid.costs) {
      let rate = try #require(Double(cell.options["lr"] ?? ""))
      let steps = log10(rate * Double(cost.parameters) * Double(cost.tokens)) * 2
      #expect(abs(steps - steps.rounded()) < 0.01 && abs(steps) < 1.1)
    }
    #expect(rates.range.lowerBound < rates.range.upperBound)
  }

  @Test func `a grid with rates, without a suggestion, or with sizes in step is refused`() throws {
    func flaw(_ table: GridTable, _ rate: Double?) -> String? {
      let error = #expect(throws: GridError.self) { try SuggestedRates([table]) { _ in rate } }
      return error?.description
    }
    #expect(
      flaw(try table(["lr": "1"]), 1) == "lr: the rates come from --around: leave them out")
    #expect(
      flaw(try table(["seed": "1,2"]), nil)
        == "around: nothing is suggested for a cell of this size")
    let zipped = try table(["layers": "1,2", "seed": "1,2"], zips: [["layers", "seed"]])
    #expect(flaw(zipped, 1)?.contains("zip layers,seed: what a size is") == true)
  }
}
