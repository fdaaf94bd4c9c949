import Foundation
import Models
import Signals
import Sweeps
import Telemetry
import Testing
import Training

@Suite(.timeLimit(.minutes(15)))
struct CellTests {
  private func grid(_ given: [String: String]) throws -> Grid {
    try Grid([GridTable(given.mapValues { [$0] })])
  }

  @Test func `parameters are counted as the papers do: without embedding and unembedding`() throws {
    let cell = try grid(["preset": "tiny"]).cells[0]
    let cost = CellCost(try cell.configuration())
    #expect(cost.parameters == 12 * 2 * 64 * 64)
    #expect(cost.tokens == 4000 * 16 * 64)
    #expect(cost.flops > 6 * Double(cost.parameters) * Double(cost.tokens))
  }

  @Test func `the longest cells begin first, and shards are all of them, dealt by length`() throws {
    let costs = try grid(["preset": "tiny", "layers": "1,2,4", "steps": "10,20"]).costs
    let all = try CellSelection.all.order(of: costs)
    #expect(all.map { costs[$0].flops } == costs.map(\.flops).sorted(by: >))
    let shards = try (1...4).map { try CellSelection.shard($0, of: 4).order(of: costs) }
    #expect(shards.flatMap(\.self).sorted() == Array(costs.indices))
    #expect(try CellSelection.cell(3).order(of: costs) == [2])
    #expect(throws: CellSelection.Flaw.noCell(7, count: 6)) {
      try CellSelection.cell(7).order(of: costs)
    }
  }

  @Test(arguments: ["17/16", "0/4", "3", "a/b", "1/0", "-1/2"])
  func `a shard beyond the end is none`(words: String) {
    #expect(throws: CellSelection.Flaw.wrongShard(words: words)) {
      _ = try CellSelection(shard: words)
    }
  }

  /// Ten thousand cells of lengths far apart, on as many cores as a large node has.
  @Test(arguments: [2, 16, 64])
  func `ten thousand cells, the longest first, leave cores idle for less than a hundredth`(
    jobs: Int
  ) {
    let generator = CounterGenerator(seed: 1, stream: "lengths")
    let seconds = (0..<10_000).map { 0.5 * pow(40, generator.fraction(at: UInt64($0))) }
      .sorted(by: >)
    let length = CellClock.length(of: seconds, jobs: jobs)
    let idle = 1 - seconds.reduce(0, +) / (length * Double(jobs))
    #expect(idle < 0.01)
  }

  @Test func `a clock guesses at first and goes by what ran then`() throws {
    let costs = try grid(["preset": "tiny", "layers": "1,2"]).costs
    var clock = CellClock(peak: 100)
    let guess = clock.seconds(costs[0])
    #expect(abs(guess - costs[0].flops / 35e9) < 1e-9)
    clock.ran(costs[0], flops: costs[0].flops, seconds: 7)
    #expect(clock.seconds(costs[0]) == 7)
    #expect(abs(clock.seconds(costs[1]) - 7 * costs[1].flops / costs[0].flops) < 1e-9)
  }

  @Test func `a run is lost after a hundred steps above its first loss, none of the warm-up`() {
    func firstLost(warmup: Int, _ losses: [Double]) -> Int? {
      var rule = DivergenceRule(warmup: warmup)
      return losses.indices.first { rule.take(losses[$0], at: $0) }
    }
    let high = [Double](repeating: 7, count: 300)
    #expect(firstLost(warmup: 50, [6] + high) == 149)
    #expect(firstLost(warmup: 0, [6] + [Double](repeating: .nan, count: 100)) == 100)
    #expect(firstLost(warmup: 0, [6] + high.prefix(98) + [5] + high.prefix(99)) == nil)
    #expect(firstLost(warmup: 0, [6] + high.prefix(98) + [5] + high.prefix(100)) == 199)
  }

  @Test func `a tally has the losses of the first and the last weights`() {
    var tally = CellTally(warmup: 0)
    func samples(_ step: Int, _ values: [MetricName: Double]) -> StepSamples {
      let pairs = values.sorted { $0.key < $1.key }
      return StepSamples(
        step: step, wallTime: 0, names: pairs.map(\.key), values: pairs.map(\.value))
    }
    let up = MetricCatalog.gradRMS(tensor: "model.layers.1.mlp.dense_h_to_4h.weight")
    let other = MetricCatalog.gradRMS(tensor: "model.layers.0.mlp.dense_h_to_4h.weight")
    #expect(MetricCatalog.isFirstFeedForwardGradient(up))
    tally.take(samples(0, ["loss": 6, "loss/eval": 6.1, up: 0.5, other: 0.25]))
    #expect(tally.finalEvalLoss == nil || tally.steps == 0)
    tally.take(samples(1, ["loss": 5, "attention_logit_max": 9, up: 0.1, other: 0.75]))
    #expect(tally.finalEvalLoss == nil)
    tally.take(samples(2, ["loss/eval": 4.9]))
    #expect(tally.steps == 2 && tally.finalLoss == 5 && tally.finalEvalLoss == 4.9)
    #expect(tally.initialLoss == 6.1 && tally.attentionLogitMax == 9)
    #expect(tally.gradRMS.map { abs($0 - 0.175) < 1e-12 } == true)
  }

  @Test func `a result reads back as it was written`() {
    var result = CellResult(
      session: "sweeps/a/0001.seismo", options: ["lr": "0.001", "data": "a \"b\"\\c"],
      state: .diverged)
    (result.steps, result.tokens, result.parameters) = (42, 43008, 98_000)
    (result.finalLoss, result.evalLoss, result.initialLoss) = (.infinity, nil, 6.05)
    (result.attentionLogitMax, result.gradRMS) = (Double(Float(1.1)), 1.25e-9)
    (result.seconds, result.reason) = (1.25, "a line")
    #expect(CellResult(json: Array(result.json.utf8)) == result)
    #expect(result.json.contains("\"eval_loss\":null,\"initial_loss\":6.05"))
    #expect(CellResult(json: Array("{\"session\":\"a\"".utf8)) == nil)
  }
}
