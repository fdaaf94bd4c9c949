package import Signals
package import Telemetry

/// A run as a wide table: a row a step, a column a metric, of the newest generation.
///
/// Digits are those of ``JSONLines``; a step without a sample of a metric leaves its field empty.
package enum CSV {
  package static func header(_ metrics: [MetricName]) -> String {
    (["step", "wall_time"] + metrics.map(\.path)).map(quoted).joined(separator: ",")
  }

  /// Hands out the rows in the order of their steps, each without its end of line.
  package static func eachRow(
    of history: RunHistory, metrics: [MetricName], _ body: (String) throws -> Void
  ) rethrows {
    let columns =
      [Column(history.wallTimes, isSingle: false)]
      + metrics.map { Column(history[$0] ?? Series(), isSingle: JSONLines.isSingle($0)) }
    var next = columns.map { _ in 0 }
    while let step = zip(columns, next).compactMap({ $0.step(at: $1) }).min() {
      var row = "\(step)"
      for (index, column) in columns.enumerated() {
        row += ","
        guard column.step(at: next[index]) == step else { continue }
        row += column.text(at: next[index])
        next[index] += 1
      }
      try body(row)
    }
  }

  private struct Column {
    private let steps: [Int]
    private let values: [Double]
    private let isSingle: Bool

    init(_ series: Series, isSingle: Bool) {
      steps = series.steps
      values = series.values
      self.isSingle = isSingle
    }

    func step(at index: Int) -> Int? { index < steps.count ? steps[index] : nil }

    func text(at index: Int) -> String {
      JSONLines.number(values[index], isSingle: isSingle)
    }
  }

  /// A field that needs quotes gets them, its own doubled.
  private static func quoted(_ field: String) -> String {
    guard field.contains(where: { $0 == "," || $0 == "\"" || $0.isNewline }) else { return field }
    return "\""
      + field.split(separator: "\"", omittingEmptySubsequences: false)
      .joined(separator: "\"\"") + "\""
  }
}
