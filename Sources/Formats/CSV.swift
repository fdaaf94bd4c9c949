package import Signals
package import Telemetry

/// A run as a wide table: a row a step, a column a metric, of the newest generation.
///
/// Digits are those of ``JSONLines``, `nan`, `inf` and `-inf` what is not finite; a step without a
/// sample of a metric leaves its field empty.
package enum CSV {
  package static func header(_ metrics: [MetricName]) -> String {
    (["step", "wall_time"] + metrics.map(\.path)).map(quoted).joined(separator: ",")
  }

  /// Hands out the rows in the order of their steps, each without its end of line; none of a step
  /// at which no metric has a sample.
  package static func eachRow(
    of history: RunHistory, metrics: [MetricName], _ body: (String) throws -> Void
  ) rethrows {
    let columns =
      [Column(history.wallTimes, isSingle: false)]
      + metrics.map { Column(history[$0] ?? Series(), isSingle: JSONLines.isSingle($0)) }
    var next = columns.map { _ in 0 }
    while let step = zip(columns, next).compactMap({ $0.step(at: $1) }).min() {
      var row = "\(step)"
      var isBlank = true
      for (index, column) in columns.enumerated() {
        row += ","
        guard column.step(at: next[index]) == step else { continue }
        row += column.text(at: next[index])
        next[index] += 1
        if index > 0 { isBlank = false }
      }
      if !isBlank { try body(row) }
    }
  }

  package static let longHeader = "run,step,wall_time,metric,value"

  /// Hands out a row a sample, with the run's name in front, of the run as it went in the end.
  package static func eachLongRow(
    of run: RecordedRun, name: String, _ body: (String) throws -> Void
  ) rethrows {
    guard let generation = run.newest.generations.first else { return }
    try eachLongRow(of: generation, name: name, body)
  }

  package static let longHeaderWithGenerations = longHeader + ",generation"

  /// Hands out a row a sample of all generations, the oldest first, each with the number of its
  /// metric's generation behind it.
  package static func eachLongRowOfAll(
    of run: RecordedRun, name: String, _ body: (String) throws -> Void
  ) rethrows {
    let older = run.superseded
    for (number, generation) in older.enumerated() {
      try eachLongRow(of: generation, name: name) { try body("\($0),\(number)") }
    }
    guard let newest = run.newest.generations.first else { return }
    // A metric's newest generation follows as many as it has older ones.
    for number in 0...older.count {
      var part = newest
      part.columns.removeAll { column in
        number != older.filter { $0.columns.contains { $0.name == column.name } }.count
      }
      try eachLongRow(of: part, name: name) { try body("\($0),\(number)") }
    }
  }

  private static func eachLongRow(
    of generation: RecordedRun.Generation, name: String, _ body: (String) throws -> Void
  ) rethrows {
    let clock = generation.wallTimes
    let columns = generation.columns.sorted { $0.name < $1.name }
    let names = columns.map { quoted($0.name.path) }
    let isSingle = columns.map { JSONLines.isSingle($0.name) }
    let name = quoted(name)
    var rows = StepRows([clock] + columns)
    var samples: [Int?] = []
    while let step = rows.nextRow(&samples) {
      let wallTime = samples[0].map { number(clock.values[$0]) } ?? ""
      for index in columns.indices {
        guard let sample = samples[index + 1] else { continue }
        let value = number(columns[index].values[sample], isSingle: isSingle[index])
        try body("\(name),\(step),\(wallTime),\(names[index]),\(value)")
      }
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
      CSV.number(values[index], isSingle: isSingle)
    }
  }

  static func number(_ value: Double, isSingle: Bool = false) -> String {
    guard !value.isFinite else { return JSONLines.number(value, isSingle: isSingle) }
    return value.isNaN ? "nan" : value > 0 ? "inf" : "-inf"
  }

  /// A field that needs quotes gets them, its own doubled.
  package static func quoted(_ field: String) -> String {
    guard field.contains(where: { $0 == "," || $0 == "\"" || $0.isNewline }) else { return field }
    return "\""
      + field.split(separator: "\"", omittingEmptySubsequences: false)
      .joined(separator: "\"\"") + "\""
  }
}
