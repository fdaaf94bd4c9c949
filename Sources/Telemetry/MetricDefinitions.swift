/// How a run itself wants its metrics shown, as W&B's `define_metric` says it.
///
/// What is said names metrics as the run does, or is a pattern of such names; of several that match
/// the name itself counts, else the longest pattern.
package struct MetricDefinitions: Sendable, Equatable {
  /// What is said in one regard.
  private struct Table: Sendable, Equatable {
    var names: [String: String] = [:]
    /// The longest first.
    var patterns: [Pattern] = []

    struct Pattern: Sendable, Equatable {
      let text: String
      let words: String
    }

    var isEmpty: Bool { names.isEmpty && patterns.isEmpty }

    /// What is nested is said with points, and logged with slashes.
    func words(for name: String) -> String? {
      guard !isEmpty else { return nil }
      let spellings = [name, name.replacing("/", with: ".")]
      if let words = spellings.lazy.compactMap({ names[$0] }).first { return words }
      return patterns.first { pattern in
        spellings.contains { MetricGlob(pattern.text).matches(MetricName($0)) }
      }?.words
    }
  }

  private var axes = Table()
  private var hidden = Table()
  private var summaries = Table()
  /// What the run calls a metric that is shown under our name, and the other way round.
  private var originals: [MetricName: String] = [:]
  private var shown: [String: MetricName] = [:]

  package init() {}

  package init(_ description: RunDescription) {
    for (key, words) in description.environment {
      if let name = key.without(EnvironmentKey.originalMark) {
        originals[MetricName(name)] = words
        shown[words] = MetricName(name)
      }
    }
    axes = Self.table(EnvironmentKey.axisMark, description)
    hidden = Self.table(EnvironmentKey.hiddenMark, description)
    summaries = Self.table(EnvironmentKey.summaryMark, description)
  }

  private static func table(_ mark: String, _ description: RunDescription) -> Table {
    var table = Table()
    for (key, words) in description.environment {
      guard let name = key.without(mark) else { continue }
      if name.contains(where: { "*?".contains($0) }) {
        table.patterns.append(.init(text: name, words: words))
      } else {
        table.names[name] = words
      }
    }
    table.patterns.sort { ($1.text.count, $0.text) < ($0.text.count, $1.text) }
    return table
  }

  private func original(of metric: MetricName) -> String { originals[metric] ?? metric.path }

  /// The metrics over which others are drawn, under our names.
  package var axisMetrics: Set<MetricName> {
    Set((axes.names.values + axes.patterns.map(\.words)).map(ours))
  }

  private func ours(_ words: String) -> MetricName { shown[words] ?? MetricName(words) }

  /// The metric over which `metric` is drawn, under our name; W&B's own `_step` and the like as they
  /// are. Nil where the run says nothing of it.
  package func axis(of metric: MetricName) -> MetricName? {
    axes.words(for: original(of: metric)).map(ours)
  }

  package var hidesMetrics: Bool { !hidden.isEmpty }

  /// Whether the run wants no chart of it.
  package func isHidden(_ metric: MetricName) -> Bool {
    hidden.words(for: original(of: metric)) != nil
  }

  /// What of its values the run sums it up by: `min`, `max`, `mean`, `last`, `first`.
  package func summary(of metric: MetricName) -> [String] {
    summaries.words(for: original(of: metric))?.split(separator: ",").map(String.init) ?? []
  }
}
