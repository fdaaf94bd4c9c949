import Signals

/// How the lowest held-out loss of a sweep's rates falls with the size, and with the tokens.
package struct LossLaw: Sendable {
  package enum Axis: String, Sendable, CaseIterable {
    case parameters, tokens
  }

  package let axis: Axis
  /// Of which cells: `qk-layernorm`; empty where all are.
  package let words: String
  package let law: PowerLaw
}

extension SweepResults {
  /// What makes cells of one model see more or fewer tokens.
  static let ofTokens: Set<String> = [
    "steps", "batch", "warmup", "decay-steps", "eval-every",
  ]

  /// Of cells that differ in nothing but the axis, the rate and the seed, where there are three
  /// sizes or more; the best rate's mean over seeds counts.
  package var lossLaws: [LossLaw] {
    LossLaw.Axis.allCases.flatMap(laws)
  }

  private func laws(over axis: LossLaw.Axis) -> [LossLaw] {
    let along = axis == .parameters ? Self.ofSize : Self.ofTokens
    var keys: [[String: String]] = []
    var found: [[String: String]: (words: String, losses: [Double: Double])] = [:]
    for group in groups {
      guard let best = group.curve.best else { continue }
      let key = group.options.filter { !along.contains($0.key) }
      let cost = costs[group.cells[0]]
      let size = Double(axis == .parameters ? cost.parameters : cost.tokens)
      if found[key] == nil {
        keys.append(key)
        let cell = cells[group.cells[0]]
        let words = SeedGroup.words(of: cell, without: along.union(["lr", "seed"]))
        found[key] = (words == SeedGroup.asGiven ? "" : words, [:])
      }
      let before = found[key]?.losses[size] ?? .infinity
      found[key]?.losses[size] = min(before, best.loss)
    }
    return keys.compactMap { key in
      guard let (words, losses) = found[key],
        let law = PowerLaw(losses.map { PowerLaw.Point(size: $0.key, loss: $0.value) })
      else { return nil }
      return LossLaw(axis: axis, words: words, law: law)
    }
  }
}
