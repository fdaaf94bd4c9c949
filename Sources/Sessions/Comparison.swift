package import Signals
package import Telemetry

/// Several runs side by side: what they were set to, how they ended, how good they got.
package struct Comparison: Sendable {
  package struct Run: Sendable {
    package let name: String
    package let history: RunHistory

    package init(name: String, history: RunHistory) {
      self.name = name
      self.history = history
    }

    package var options: [String: String] { history.description?.options ?? [:] }
    package var steps: Int { history.stepsDone }
    /// The changes that were made while it ran.
    package var changes: [RunEvent] { history.events.filter { $0.kind == .set } }
  }

  /// What one metric came to in one run.
  package struct Outcome: Sendable, Equatable {
    package let last: Double
    /// The lowest and the highest finite values; nil where there is none.
    package let lowest: Extreme?
    package let highest: Extreme?
    /// How many samples are not finite.
    package let nonFinite: Int
  }

  package struct Extreme: Sendable, Equatable {
    package let step: Int
    package let value: Double
  }

  package let runs: [Run]
  /// The options in which the runs differ, each with its value a run; nil where a run has none.
  package let differences: [(option: String, values: [String?])]
  /// The runs, those of several seeds together; a run that was changed by hand, or that tells no
  /// options, stands alone.
  package let groups: [Group]
  /// The groups of more than one run.
  package var seedGroups: [Group] { groups.filter { $0.members.count > 1 } }

  package init(runs: [Run]) {
    self.runs = runs
    differences = Self.differences(of: runs)
    groups = Self.groups(of: runs, differences)
  }

  private static func differences(of runs: [Run]) -> [(option: String, values: [String?])] {
    let names = Set(runs.flatMap(\.options.keys)).sorted()
    return names.compactMap { name in
      let values = runs.map { $0.options[name] }
      return Set(values).count > 1 ? (name, values) : nil
    }
  }

  /// Runs that differ in nothing but their seed, so that their mean and spread say something.
  package struct Group: Sendable, Equatable {
    /// The settings in which it differs from other groups, or the first run's name.
    package let name: String
    /// Places among the runs, ascending.
    package let members: [Int]
  }

  /// What may differ between runs of one group.
  private static let incidental: Set<String> = ["seed", "workers", "monitor", "checkpoint-every"]

  private static func groups(
    of runs: [Run], _ differences: [(option: String, values: [String?])]
  ) -> [Group] {
    var order: [[String: String]] = []
    var members: [[String: String]: [Int]] = [:]
    var loners: [Int] = []
    for (index, run) in runs.enumerated() {
      guard !run.options.isEmpty, run.changes.isEmpty, run.options["seed"] != nil else {
        loners.append(index)
        continue
      }
      let key = run.options.filter { !incidental.contains($0.key) }
      if members[key] == nil { order.append(key) }
      members[key, default: []].append(index)
    }
    // The same seed twice says nothing about the spread between seeds.
    let gathered = order.flatMap { key -> [[Int]] in
      let indices = members[key] ?? []
      let seeds = Set(indices.map { runs[$0].options["seed"] })
      return seeds.count == indices.count ? [indices] : indices.map { [$0] }
    }
    let sets = (gathered + loners.map { [$0] }).sorted { $0[0] < $1[0] }
    return sets.map { Group(name: name(of: $0, among: runs, differences), members: $0) }
  }

  private static func name(
    of members: [Int], among runs: [Run], _ differences: [(option: String, values: [String?])]
  ) -> String {
    let first = runs[members[0]]
    guard members.count > 1 else { return first.name }
    let telling = differences.filter { !incidental.contains($0.option) }.prefix(3)
    let words = telling.compactMap { option, values in
      values[members[0]].map { "\(option) \($0)" }
    }
    let name = words.isEmpty ? first.name : words.joined(separator: ", ")
    return "\(name) (\(members.count) seeds)"
  }

  /// The metrics of any run that `pattern` matches; without one those that are no layer's or
  /// expert's own.
  package func metrics(matching pattern: MetricGlob?) -> [MetricName] {
    let names = Set(runs.flatMap(\.history.names)).sorted()
    guard let pattern else { return names.filter { MetricCatalog.variableWords(of: $0).isEmpty } }
    return names.filter(pattern.matches)
  }

  /// What `metric` came to, a run each; nil where a run has none.
  package func outcomes(of metric: MetricName) -> [Outcome?] {
    runs.map { $0.history[metric].flatMap(Outcome.init) }
  }
}

extension Comparison.Outcome {
  init?(_ series: Series) {
    guard let last = series.lastValue else { return nil }
    var (lowest, highest): (Comparison.Extreme?, Comparison.Extreme?)
    var nonFinite = 0
    for (step, value) in zip(series.steps, series.values) {
      guard value.isFinite else {
        nonFinite += 1
        continue
      }
      if value < lowest?.value ?? .infinity { lowest = .init(step: step, value: value) }
      if value > highest?.value ?? -.infinity { highest = .init(step: step, value: value) }
    }
    self.init(last: last, lowest: lowest, highest: highest, nonFinite: nonFinite)
  }
}

/// Mean and sample standard deviation of a few numbers.
package struct Spread: Sendable, Equatable {
  package let mean: Double
  package let deviation: Double

  package init?(_ values: [Double]) {
    guard values.count > 1 else { return nil }
    let mean = values.reduce(0, +) / Double(values.count)
    let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    self.mean = mean
    deviation = (squares / Double(values.count - 1)).squareRoot()
  }
}
