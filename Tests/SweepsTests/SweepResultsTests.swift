import Signals
import Sweeps
import Testing
import Training

@Suite(.timeLimit(.minutes(15)))
struct SweepResultsTests {
  private func results(_ given: [String: String]) throws -> SweepResults {
    SweepResults(try Grid([GridTable(given.mapValues { [$0] })]))
  }

  private func result(
    _ cell: SweepCell, _ state: CellState = .finished, eval: Double?, initial: Double = 6
  ) -> CellResult {
    var result = CellResult(session: cell.name, options: cell.options, state: state)
    (result.evalLoss, result.initialLoss) = (eval, initial)
    return result
  }

  @Test func `sensitivity is the mean over rates of what the mean over seeds lies above the best`()
    throws
  {
    var results = try results(["preset": "tiny", "lr": "1e-3,1e-2,1e-1", "seed": "1,2"])
    // By rate and seed: 3 and 3.2, 2 and 2.2, then one above its own start and one diverged.
    let losses: [Double?] = [3, 3.2, 2, 2.2, 9, nil]
    for (cell, loss) in zip(results.cells, losses) {
      let initial = cell.number == 6 ? 5.8 : 6
      results.take(
        result(cell, loss == nil ? .diverged : .finished, eval: loss, initial: initial), of: cell)
    }
    let group = try #require(results.groups.first)
    #expect(results.groups.count == 1 && group.words.isEmpty)
    #expect(group.curve.points.map(\.rate) == [1e-3, 1e-2, 1e-1])
    let expected = [3.1, 2.1, 5.9]
    for (point, loss) in zip(group.curve.points, expected) {
      #expect(abs(point.loss - loss) < 1e-12)
    }
    #expect(group.curve.points.map(\.diverged) == [0, 0, 2])
    let value = try #require(group.curve.sensitivity)
    #expect(abs(value - (1.0 + 0 + 3.8) / 3) < 1e-12)
    #expect(abs(group.curve.points[0].spread - 0.1 * 2.0.squareRoot()) < 1e-12)
    #expect(group.curve.best?.rate == 1e-2)
  }

  @Test func `groups are told by what they have otherwise, and each has a curve of its own`() throws
  {
    var results = try results([
      "preset": "tiny", "lr": "1e-3,1e-2", "layers": "1,2", "qk-layernorm": "off,on", "steps": "5",
    ])
    #expect(
      results.groups.map(\.words) == [
        "layers 1, qk-layernorm off", "layers 1, qk-layernorm on", "layers 2, qk-layernorm off",
        "layers 2, qk-layernorm on",
      ])
    #expect(results.groups[0].parameters < results.groups[2].parameters)
    #expect(results.groups[0].curve.sensitivity == nil)
    for cell in results.cells { results.take(result(cell, eval: 2), of: cell) }
    #expect(results.groups.map(\.curve.sensitivity) == [0, 0, 0, 0])
    #expect(results.json.contains("\"best_lr\":0.001,\"best_loss\":2.0,\"curve\":[[0.001,2.0,0.0]"))
  }

  @Test func `what failed or was ended says nothing`() throws {
    var results = try results(["preset": "tiny", "lr": "1e-3,1e-2"])
    results.take(result(results.cells[0], .failed, eval: 1), of: results.cells[0])
    results.take(result(results.cells[1], .stopped, eval: 1), of: results.cells[1])
    #expect(results.groups[0].curve.points.isEmpty)
    #expect(results.json.hasSuffix("\"sensitivity\":[]}"))
  }

  @Test func `a cell that was given no rate has that of its preset`() throws {
    var results = try results(["sizes": "tiny,small", "seed": "1"])
    for cell in results.cells { results.take(result(cell, eval: 2), of: cell) }
    #expect(results.groups.map { $0.curve.points.map(\.rate) } == [[1e-2], [3e-3]])
  }

  @Test func `subspaces are held against the full run at their best rates`() throws {
    var results = try results(
      ["preset": "tiny", "lr": "1e-2,1e-1", "subspace": "0,100,1000,10000", "steps": "5"])
    let best = ["0": 2.0, "100": 4, "1000": 3, "10000": 2.2]
    for cell in results.cells {
      let loss = best[cell.options["subspace"] ?? ""] ?? .nan
      let isBest = (cell.options["lr"] == "0.01") == (cell.options["subspace"] == "0")
      results.take(result(cell, eval: isBest ? loss : loss + 0.5), of: cell)
    }
    let found = try #require(results.intrinsicDimensions.first)
    #expect(results.intrinsicDimensions.count == 1)
    #expect(found.points.map(\.dimensions) == [100, 1000, 10_000])
    #expect(found.points.map(\.rate) == [0.1, 0.1, 0.1] && found.fullLoss == 2)
    for (share, expected) in zip(found.points.map(\.share), [0.5, 0.75, 0.95]) {
      #expect(abs(share - expected) < 1e-12)
    }
    #expect(found.d90 == 10_000)
    #expect(abs((found.between ?? 0) / 5623.4 - 1) < 1e-4)
    #expect(results.json.contains("\"d90\":10000,\"between\":5623"))
  }

  @Test func `without a full run, or with none that reached it, there is no dimension`() throws {
    var none = try results(["preset": "tiny", "subspace": "100,1000"])
    for cell in none.cells { none.take(result(cell, eval: 3), of: cell) }
    #expect(none.intrinsicDimensions.isEmpty)
    var few = try results(["preset": "tiny", "subspace": "0,100"])
    for (cell, loss) in zip(few.cells, [2.0, 5]) { few.take(result(cell, eval: loss), of: cell) }
    let found = try #require(few.intrinsicDimensions.first)
    #expect(found.d90 == nil && found.between == nil)
    #expect(found.json.contains("\"d90\":null,\"between\":null"))
  }
}
