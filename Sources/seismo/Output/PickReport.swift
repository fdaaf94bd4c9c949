import Formats
import Signals
import Sweeps

/// The settings that came lowest at the largest size, and how well smaller sizes tell them.
struct PickReport: PickedCells {
  private let table: SettingTable
  private let target: Int
  private let picks: [SettingTable.Setting]
  private let proxies: [SettingTable.Proxy]
  private let asked: Int

  init(_ results: SweepResults, k: Int) {
    let table = SettingTable(results)
    let target = table.sizes.indices.last { !table.ranked(atSize: $0).isEmpty } ?? 0
    (self.table, self.target, asked) = (table, target, k)
    picks = Array(table.ranked(atSize: target).prefix(k))
    proxies = (0..<target).compactMap { table.ranking(ofSize: $0, for: target, in: results) }
  }

  private var outcomes: [RateCurve.Point] { picks.compactMap { $0.outcomes[target] } }

  /// What one of the picks comes to that is drawn at random, and how far they lie apart.
  private var expected: (loss: Double, spread: Double) {
    let losses = outcomes.map(\.loss)
    let mean = losses.reduce(0, +) / Double(losses.count)
    let squares = losses.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    return (mean, (squares / Double(losses.count)).squareRoot())
  }

  private var doubts: [String] {
    var doubts: [String] = []
    if picks.count < asked {
      doubts.append("\(picks.count) settings have ended at the largest size, not \(asked)")
    }
    if proxies.isEmpty { doubts.append("no smaller size says how good a judge a small size is") }
    if let least = proxies.map(\.ranking.count).min(), least < 5 {
      doubts.append(
        "\(least) settings at both sizes say little of a ranking, five at least are needed")
    }
    if outcomes.contains(where: { $0.seeds < 2 }) {
      doubts.append("one seed says nothing of the spread")
    }
    if let first = outcomes.first, let last = outcomes.last, outcomes.count > 1,
      last.loss - first.loss < max(first.spread, last.spread)
    {
      doubts.append("the picks lie no further apart than their seeds: their order is chance")
    }
    return doubts
  }

  private func size(_ place: Int) -> String {
    let size = table.sizes[place]
    let count = NumberText.compact(Double(size.parameters))
    return size.words.isEmpty ? count : "\(count) (\(size.words))"
  }
}

extension PickReport {
  var lines: [String] {
    var rows = [["pick", "held-out", "spread", "seeds", "setting"]]
    for (number, (pick, outcome)) in zip(picks, outcomes).enumerated() {
      rows.append([
        "\(number + 1)", NumberText.compact(outcome.loss, digits: 4), outcome.spreadWords,
        "\(outcome.seeds)", pick.words,
      ])
    }
    let expected = expected
    let sum =
      "one of them at random: \(NumberText.compact(expected.loss, digits: 4))"
      + " ±\(NumberText.compact(expected.spread, digits: 2))"
    return ["worth scaling up, at \(size(target)) parameters"]
      + TextTable.lines(rows, rightAligned: [0, 1, 3]) + [sum] + proxyLines
      + (doubts.isEmpty ? [] : ["", "must not be believed:"] + doubts.map { "  \($0)" })
  }

  private var proxyLines: [String] {
    guard !proxies.isEmpty else { return [] }
    let most = proxies.map(\.ranking.ratios.count).max() ?? 0
    let shown = Array(Set([2, 3, 5, 10]).filter { $0 < most + 2 }.sorted())
    var rows = [
      ["judge", "settings", "rank correlation", "regret"] + shown.map { "SharpeRatio@\($0)" }
    ]
    for proxy in proxies {
      let ranking = proxy.ranking
      rows.append(
        [
          size(proxy.size), "\(ranking.count)",
          ranking.rankCorrelation.map { NumberText.compact($0, digits: 2) } ?? "–",
          NumberText.compact(ranking.regret, digits: 2),
        ]
          + shown.map { k in ranking.ratios.first { $0.k == k }.map(Self.words) ?? "–" })
    }
    let base = proxies[0].baseline.words
    return ["", "how well smaller sizes tell, and k settings at random; gains over \(base)"]
      + TextTable.lines(rows, rightAligned: [1, 2, 3])
  }

  private static func words(_ ratio: ProxyRanking.Ratio) -> String {
    let words = [ratio.value, ratio.random].map { value in
      value.map { NumberText.compact($0, digits: 2) } ?? "–"
    }
    return "\(words[0]) (\(words[1]))"
  }

  var json: String {
    let picks = zip(picks, outcomes).map { pick, outcome in
      JSONLines.object([("options", CellResult.json(pick.options))] + outcome.members)
    }
    let expected = expected
    return JSONLines.object([
      ("parameters", "\(table.sizes[target].parameters)"),
      ("picks", "[\(picks.joined(separator: ","))]"),
      ("expected_loss", JSONLines.number(expected.loss)),
      ("expected_spread", JSONLines.number(expected.spread)),
      ("proxies", "[\(proxies.map(json).joined(separator: ","))]"),
      ("doubts", "[\(doubts.map(JSONLines.quoted).joined(separator: ","))]"),
    ])
  }

  private func json(_ proxy: SettingTable.Proxy) -> String {
    let ranking = proxy.ranking
    func number(_ value: Double?) -> String { value.map { JSONLines.number($0) } ?? "null" }
    let ratios = ranking.ratios.map {
      JSONLines.object([
        ("k", "\($0.k)"), ("value", number($0.value)), ("random", number($0.random)),
      ])
    }
    return JSONLines.object([
      ("parameters", "\(table.sizes[proxy.size].parameters)"),
      ("target_parameters", "\(table.sizes[proxy.target].parameters)"),
      ("settings", "\(ranking.count)"), ("rank_correlation", number(ranking.rankCorrelation)),
      ("regret", JSONLines.number(ranking.regret)),
      ("baseline", CellResult.json(proxy.baseline.options)),
      ("sharpe_ratio", "[\(ratios.joined(separator: ","))]"),
    ])
  }
}

/// The cells that none beats in loss and in a cost.
struct FrontReport: PickedCells {
  private let front: CostFront
  private let cost: CostFront.Cost

  init(_ front: CostFront, cost: CostFront.Cost) {
    (self.front, self.cost) = (front, cost)
  }

  var lines: [String] {
    var rows = [[cost.rawValue, "held-out", "spread", "seeds", "cells of"]]
    for entry in front.entries {
      rows.append([
        cost == .memory ? NumberText.bytes(entry.cost) : NumberText.compact(entry.cost),
        NumberText.compact(entry.group.outcome.loss, digits: 4), entry.group.outcome.spreadWords,
        "\(entry.group.outcome.seeds)", entry.group.words,
      ])
    }
    let others = "\(front.beaten) other\(front.beaten == 1 ? " is" : "s are") beaten in both"
    return ["held-out loss against \(cost.rawValue), the cheapest first"]
      + TextTable.lines(rows, rightAligned: [0, 1, 3]) + [others]
  }

  var json: String {
    let entries = front.entries.map { entry in
      JSONLines.object(
        [
          ("options", CellResult.json(entry.group.options)),
          ("parameters", "\(entry.group.parameters)"),
          ("cost", JSONLines.number(entry.cost)),
        ] + entry.group.outcome.members)
    }
    return JSONLines.object([
      ("cost", JSONLines.quoted(cost.rawValue)), ("front", "[\(entries.joined(separator: ","))]"),
      ("beaten", "\(front.beaten)"),
    ])
  }
}
