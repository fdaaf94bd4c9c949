/// What of a recording cannot be read. The description says it; the rest of the recording stands.
public enum RecordingDamage: Hashable, Sendable {
  /// The samples of the steps from `first` to `last`, of `metric` where its name is known.
  case steps(first: Int, last: Int, metric: MetricName?)
  /// A metric's samples of these numbers, counted over the whole run.
  case samples(first: Int, last: Int, metric: MetricName)
  /// One entry, which nothing else names: `an event`.
  case entry(String)
  /// Some of the steps that were written last.
  case end
  /// All behind a place in a table.
  case table(String)
  /// The pages disagree with each other, so that entries may be missing without a trace.
  case pages
}

extension RecordingDamage: CustomStringConvertible {
  /// What is lost, without a beginning that says of what.
  public var description: String {
    switch self {
    case .steps(let first, let last, let metric):
      "steps \(first) to \(last) of \(metric?.path ?? "a metric") are lost"
    case .samples(let first, let last, let metric):
      "samples \(first) to \(last) of \(metric) are lost"
    case .entry(let what): "\(what) cannot be read"
    case .end: "some of the last steps are lost"
    case .table(let name): "the table of \(name) is readable in part only"
    case .pages: "its pages disagree, rows may be missing"
    }
  }

  /// The line that a console shows.
  package var line: String { "damaged session: \(self)" }
}
