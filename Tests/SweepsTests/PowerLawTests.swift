import Foundation
import Sweeps
import Testing
import Training

@Suite(.timeLimit(.minutes(15)))
struct PowerLawTests {
  private func points(
    _ sizes: [Double], offset: Double, factor: Double, exponent: Double
  ) -> [PowerLaw.Point] {
    sizes.map { PowerLaw.Point(size: $0, loss: offset + factor * pow($0, -exponent)) }
  }

  private static let sizes = [6e3, 25e3, 83e3, 200e3, 1e6]

  @Test(arguments: [(1.7, 400.0, 0.34), (0, 12, 0.1), (2, 3e4, 1)])
  func `a law is found again, and foretells the largest size`(
    offset: Double, factor: Double, exponent: Double
  ) throws {
    let law = try #require(
      PowerLaw(points(Self.sizes, offset: offset, factor: factor, exponent: exponent)))
    #expect(abs(law.exponent - exponent) < 1e-3 * exponent)
    #expect(abs(law.offset - offset) < 2e-2 && abs(law.factor / factor - 1) < 2e-2)
    let held = try #require(law.heldOut)
    #expect(held.size == 1e6 && abs(held.predicted - held.measured) < 1e-3)
    #expect(law.doubts.isEmpty)
  }

  @Test func `few sizes, a loss that does not fall, and sizes close together are doubted`() throws {
    let three = try #require(
      PowerLaw(points([6e3, 25e3, 83e3], offset: 1, factor: 400, exponent: 0.34)))
    #expect(three.heldOut == nil && three.doubts.contains { $0.contains("3 sizes") })
    let rising = try #require(
      PowerLaw(Self.sizes.map { PowerLaw.Point(size: $0, loss: log($0)) }))
    #expect(rising.factor == 0 && rising.doubts.contains("the loss does not fall"))
    let close = try #require(
      PowerLaw(points([1e3, 2e3, 3e3, 4e3], offset: 1, factor: 40, exponent: 0.5)))
    #expect(close.doubts.contains { $0.contains("ten times the smallest") })
    #expect(PowerLaw(points([1e3, 2e3], offset: 1, factor: 4, exponent: 1)) == nil)
    #expect(PowerLaw(Self.sizes.map { PowerLaw.Point(size: $0, loss: .nan) }) == nil)
  }

  @Test func `of a sweep the best rates over sizes and over tokens have a law each`() throws {
    let given = [
      "preset": "tiny", "width": "16,32,48", "heads": "1,2,3", "steps": "100,200,400",
      "lr": "1e-3,1e-2",
    ]
    let table = try GridTable(given.mapValues { [$0] }, zips: [["width", "heads"]])
    var results = SweepResults(try Grid([table]))
    for (cell, cost) in zip(results.cells, results.costs) {
      var result = CellResult(session: cell.name, options: cell.options, state: .finished)
      let worse = cell.options["lr"] == "0.001" ? 1.0 : 0
      result.evalLoss =
        1 + 20 * pow(Double(cost.parameters), -0.3) + 50 * pow(Double(cost.tokens), -0.4) + worse
      result.initialLoss = 6
      results.take(result, of: cell)
    }
    let laws = results.lossLaws
    #expect(laws.map(\.axis) == [.parameters, .parameters, .parameters, .tokens, .tokens, .tokens])
    #expect(laws.prefix(3).map(\.words) == ["steps 100", "steps 200", "steps 400"])
    #expect(laws[3].words == "width 16, heads 1")
    for law in laws {
      let exponent = law.axis == .parameters ? 0.3 : 0.4
      #expect(law.law.points.count == 3 && abs(law.law.exponent - exponent) < 0.01)
    }
  }
}
