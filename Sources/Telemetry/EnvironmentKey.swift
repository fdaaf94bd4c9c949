/// What stands in a run's environment and is read here; the rest is told as it is.
package struct EnvironmentKey: Hashable, Sendable {
  /// The word for it in files and lines.
  package let name: String

  private init(_ name: String) { self.name = name }

  /// What was imported, or which client writes.
  package static let source = EnvironmentKey("source")
  /// The commands that another program obeys.
  package static let commands = EnvironmentKey("commands")
  /// The socket where the run takes commands.
  package static let control = EnvironmentKey("control")
  /// What the run branched off, or was resumed from.
  package static let parent = EnvironmentKey("parent")
  package static let data = EnvironmentKey("data")
  package static let host = EnvironmentKey("host")
  package static let project = EnvironmentKey("project")
  package static let tags = EnvironmentKey("tags")
  /// How far a bar that was printed had come.
  package static let progress = EnvironmentKey("progress")
  /// Which model's outputs the run learns.
  package static let teacher = EnvironmentKey("teacher")
  /// Seismo's version.
  package static let version = EnvironmentKey("seismo_version")

  /// What another program calls the metric that is shown as `metric`.
  package static func original(of metric: MetricName) -> EnvironmentKey {
    EnvironmentKey(originalMark + metric.path)
  }

  static let originalMark = "metric "
  static let axisMark = "axis "
  static let hiddenMark = "hidden "
  static let summaryMark = "summary "

  /// The metric over which the run draws those that its own names for them match.
  package static func axis(of pattern: String) -> EnvironmentKey {
    EnvironmentKey(axisMark + pattern)
  }

  /// The pattern of a key that says what an axis is; nil for any other.
  package static func axisPattern(in key: String) -> String? { key.without(axisMark) }

  /// Whether the run draws none of those.
  package static func hidden(_ pattern: String) -> EnvironmentKey {
    EnvironmentKey(hiddenMark + pattern)
  }

  /// What the run says of them in the end: `min`, `max`, `mean`, with commas.
  package static func summary(of pattern: String) -> EnvironmentKey {
    EnvironmentKey(summaryMark + pattern)
  }
}

extension String {
  /// What stands behind `mark`; nil where the text does not begin with it.
  func without(_ mark: String) -> String? {
    hasPrefix(mark) ? String(dropFirst(mark.count)) : nil
  }
}

extension [String: String] {
  /// What stands under a key that is read here.
  package subscript(key: EnvironmentKey) -> String? {
    get { self[key.name] }
    set { self[key.name] = newValue }
  }
}
