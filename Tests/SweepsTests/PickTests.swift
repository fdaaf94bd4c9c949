import Foundation
import Signals
import Sweeps
import Testing
import Training

/// What `seismo pick` goes by, against numbers worked out by hand.
@Suite(.timeLimit(.minutes(15)))
struct PickTests {
  @Test func `the ratio weighs the best pick's gain against how far the picks lie apart`() throws {
    // The small size ranks the settings 0, 1, 2, 3, 4; the large one has 1 best and 2 very bad.
    let ranking = try #require(
      ProxyRanking(
        estimates: [1, 2, 3, 4, 5], truths: [3.0, 2.5, 6.0, 3.5, 4.0], baseline: 4))
    #expect(ranking.count == 5 && ranking.ratios.map(\.k) == [2, 3, 4])
    #expect(ranking.regret == 0.5)
    // Two picks: gain 4 − 2.5, mean 2.75, deviation 0.25.
    #expect(abs(try #require(ranking.ratios[0].value) - 1.5 / 0.25) < 1e-12)
    // Three: the same gain; mean 23/6, variance ((5/6)² + (8/6)² + (13/6)²)/3 = 43/18.
    #expect(abs(try #require(ranking.ratios[1].value) - 1.5 / (43.0 / 18).squareRoot()) < 1e-12)
    // Ranks 1…5 and 2, 1, 5, 3, 4: 1 − 6·(1 + 1 + 4 + 1 + 1)/120.
    #expect(abs(try #require(ranking.rankCorrelation) - 0.6) < 1e-12)
  }

  @Test func `random picks have the mean of all picks, and equal losses no ratio`() throws {
    let ranking = try #require(
      ProxyRanking(estimates: [1, 2, 3], truths: [1, 2, 4], baseline: 1))
    // Gains and deviations of the pairs {1,2}, {1,4}, {2,4}: 1/0.5, 1/1.5 and 0/1.
    let random = try #require(ranking.ratios[0].random)
    #expect(abs(random - (2 + 2.0 / 3 + 0) / 3) < 0.08)
    let equal = try #require(
      ProxyRanking(estimates: [1, 1, 2], truths: [2, 2, 5], baseline: 0))
    #expect(equal.ratios[0].value == nil && equal.regret == 0)
    #expect(equal.rankCorrelation == 1)
    #expect(ProxyRanking(estimates: [1], truths: [1], baseline: 0) == nil)
    #expect(
      ProxyRanking(estimates: [1, 1], truths: [2, 3], baseline: 0)?.rankCorrelation == nil)
  }

  @Test func `steps to a loss are scored by the soonest, and those that never come count nothing`()
    throws
  {
    // T = 100, t_ref = 20: scores 1, 0.5 and 0.
    let scores = TargetScores(steps: [20, nil, 60], horizon: 100, reference: 20)
    #expect(scores.scores == [0, 0.5, 1] && scores.censored == 1 && scores.median == 60)
    #expect(abs(try #require(scores.efficiency(at: 1)) - 0.5) < 1e-12)
    // The best of the pairs: 0.5, 1, 1.
    #expect(abs(try #require(scores.efficiency(at: 2)) - 2.5 / 3) < 1e-12)
    #expect(abs(try #require(scores.efficiency(at: 3)) - 1) < 1e-12)
    #expect(scores.efficiency(at: 4) == nil)
    let never = TargetScores(steps: [nil, nil, 40], horizon: 100, reference: 40)
    #expect(never.median == nil && never.scores == [0, 0, 1])
  }

  @Test(arguments: [1, 2, 3, 4, 5])
  func `the score of the best of k is the mean over all choices`(k: Int) throws {
    let scores = TargetScores(steps: [10, 35, 50, nil, 90], horizon: 100, reference: 10)
    var (sum, count) = (0.0, 0)
    for chosen in 0..<32 where chosen.nonzeroBitCount == k {
      sum += scores.scores.indices.filter { chosen >> $0 & 1 == 1 }.map { scores.scores[$0] }.max()!
      count += 1
    }
    #expect(abs(try #require(scores.efficiency(at: k)) - sum / Double(count)) < 1e-12)
  }

  /// A sweep whose cells have come to `loss`.
  private func results(
    _ given: [String: String], loss: (SweepCell) -> Double?,
    seconds: (SweepCell) -> Double = { _ in 1 }
  ) throws -> SweepResults {
    let grid = try Grid([GridTable(given.mapValues { [$0] }, zips: [["width", "heads"]])])
    var results = SweepResults(grid)
    for cell in grid.cells {
      guard let loss = loss(cell) else { continue }
      var result = CellResult(session: cell.name, options: cell.options, state: .finished)
      (result.evalLoss, result.initialLoss) = (loss, 6)
      (result.tokens, result.seconds) = (1000, seconds(cell))
      results.take(result, of: cell)
    }
    return results
  }

  private static let sizes = [
    "preset": "tiny", "width": "16,32", "heads": "1,2", "lr": "1e-3,1e-2,1e-1", "seed": "1,2",
  ]

  @Test func `settings are told apart from sizes and seeds, and the usual one is the baseline`()
    throws
  {
    let results = try results(Self.sizes) { cell in
      let rate = Double(cell.options["lr"] ?? "") ?? 0
      let base = rate == 1e-2 ? 2.0 : rate == 1e-3 ? 3 : 9
      return base + (cell.options["seed"] == "1" ? 0.1 : -0.1)
        + (cell.options["width"] == "16" ? 0.5 : 0)
    }
    let table = SettingTable(results)
    #expect(table.sizes.map(\.words) == ["width 16, heads 1", "width 32, heads 2"])
    #expect(table.settings.map(\.words) == ["lr 0.001", "lr 0.01", "lr 0.1"])
    #expect(table.ranked(atSize: 1).map(\.words) == ["lr 0.01", "lr 0.001", "lr 0.1"])
    let best = try #require(table.settings[1].outcomes[1])
    #expect(abs(best.loss - 2) < 1e-12 && best.seeds == 2)
    #expect(abs(best.spread - 0.1 * 2.0.squareRoot()) < 1e-12)
    let proxy = try #require(table.ranking(ofSize: 0, for: 1, in: results))
    #expect(proxy.baseline.words == "lr 0.01" && proxy.ranking.rankCorrelation == 1)
    // What diverged counts as the loss at the start, 6: gains over the best are none.
    #expect(proxy.ranking.ratios[0].value == 0)
  }

  @Test func `advice on a rate names seeds that were lost, the best rate and what helps`() throws {
    let given = Self.sizes.merging(["qk-layernorm": "off,on"]) { $1 }
    let results = try results(given) { cell in
      switch (cell.options["lr"], cell.options["qk-layernorm"]) {
      case ("0.1", "off"): cell.options["seed"] == "1" ? 9 : 4
      case ("0.01", "off"): 2
      default: 2.5
      }
    }
    func words(_ options: [String: String]) throws -> String? {
      let base = ["preset": "tiny", "width": "32", "heads": "2"]
      return RateAdvice(
        try TrainingConfiguration(options: base.merging(options) { $1 }), in: results)?.words
    }
    #expect(
      try words(["lr": "0.08"])
        == "rate 0.1 was lost with 1 of 2 seeds, the best is 0.01 (2.00), with qk-layernorm it came"
        + " to 2.50")
    #expect(
      try words(["lr": "0.1", "qk-layernorm": "on"])?.hasPrefix("rate 0.1 came to 2.50") == true)
    #expect(try words(["width": "64", "heads": "2", "lr": "0.1"]) == nil)
  }

  @Test(arguments: [CostFront.Cost.parameters, .flops, .memory])
  func `the front has what no cell beats both in loss and in cost`(cost: CostFront.Cost) throws {
    // The larger model is better at one rate, and no better at the others.
    let results = try results(Self.sizes) { cell in
      let isLarge = cell.options["width"] == "32"
      return switch cell.options["lr"] {
      case "0.001": 4
      case "0.01": isLarge ? 2 : 3
      default: isLarge ? 2.5 : 3.5
      }
    }
    let front = try CostFront(results, by: cost)
    #expect(
      front.entries.map(\.group.words)
        == ["width 16, heads 1, lr 0.01", "width 32, heads 2, lr 0.01"])
    #expect(front.beaten == 4 && front.entries[0].cost < front.entries[1].cost)
    #expect(front.entries.map(\.group.outcome.loss) == [3, 2])
  }

  @Test func `the faster cell is the cheaper one`() throws {
    let results = try results(
      Self.sizes,
      loss: { ["0.001": 2, "0.01": 3, "0.1": 4][$0.options["lr"] ?? ""] },
      seconds: { $0.options["width"] == "16" ? 1 : $0.options["lr"] == "0.001" ? 4 : 0.5 })
    let front = try CostFront(results, by: .tokensPerSecond)
    #expect(front.entries.map(\.cost) == [2000, 1000])
    #expect(front.entries.map(\.group.outcome.loss) == [3, 2])
    let none = try CostFront(self.results(Self.sizes, loss: { _ in nil }), by: .flops)
    #expect(none.entries.isEmpty && none.beaten == 0)
  }
}
