import Formats
import GRDB
import Signals
import Telemetry

/// The lines of a session, read without reading the session.
struct LineDigest {
  /// As the charts smooth when a person has chosen nothing else.
  private static let smoothing = 0.97
  /// Samples before these say nothing in a smoothed value.
  private static let smoothedSamples = 512

  let newest: SessionLine
  /// Oldest first, without those that were run again just as they were.
  let abandoned: [SessionLine]

  private struct Columns {
    let loss: GenerationColumns
    let heldOut: GenerationColumns
    let clock: GenerationColumns
    let starts: [Int: Int]
    /// Whether steps count as they were logged.
    let isForeign: Bool
  }

  init(database: Database, totalSteps: Int?, state: RunState = .running, isForeign: Bool) throws {
    let starts = try Self.starts(in: database)
    let newest = starts.keys.max() ?? 0
    // Of a run that never went back the end is enough.
    let chunks = newest == 0 ? 2 : nil
    let columns = Columns(
      loss: try GenerationColumns(of: MetricCatalog.loss, newest: chunks, in: database),
      heldOut: try GenerationColumns(of: MetricCatalog.evalLoss, in: database),
      clock: try GenerationColumns(of: MetricColumn.wallTime, newest: chunks, in: database),
      starts: starts, isForeign: isForeign)
    let endings = try LineEnding.all(in: database)
    // Those that there are, and not all numbers up to the largest.
    let numbers = ([0] + starts.keys.filter { $0 > 0 }).sorted()
    func total(_ number: Int) -> Int? {
      endings[number]?.runDescription?.totalSteps ?? totalSteps
    }
    self.newest = Self.line(newest, of: columns, total(newest), state)
    abandoned = numbers.dropLast().enumerated().compactMap { place, number in
      Self.abandonedLine(
        number, later: numbers[(place + 1)...], columns, total(number),
        endings[number]?.runState ?? .stopped)
    }.map { line in
      var line = line
      line.options = endings[line.number - 1]?.runDescription?.options
      return line
    }
  }

  static func starts(in database: Database) throws -> [Int: Int] {
    let rows = try Row.fetchAll(
      database, sql: "SELECT id, starting_step, checksum FROM generations")
    return rows.reduce(into: [:]) { starts, row in
      guard let number = row.integer(0), let step = row.integer(1), (0..<1 << 32) ~= number,
        row.integer(2) == Checksum.of("", number, step)
      else { return }
      starts[number] = step
    }
  }

  private static func line(
    _ number: Int, of columns: Columns, _ totalSteps: Int?, _ state: RunState
  ) -> SessionLine {
    var line = SessionLine(number: number + 1)
    let loss = columns.loss.line(through: number, starts: columns.starts)
    let heldOut = columns.heldOut.line(through: number, starts: columns.starts)
    let clock = columns.clock.line(through: number, starts: columns.starts)
    line.totalSteps = totalSteps
    let last = clock.last?.step ?? loss.last?.step
    line.steps =
      columns.isForeign || last == line.totalSteps
      ? last ?? 0
      : RunHistory.stepsDone(
        last: last, loss: loss.last?.step, heldOut: heldOut.last?.step, state: state)
    (line.heldOut, line.best) = (heldOut.last, heldOut.lowest)
    var average = DebiasedAverage(weight: smoothing)
    for value in loss.values.suffix(smoothedSamples) { average.add(value) }
    line.smoothedLoss = loss.values.isEmpty ? nil : average.value
    return line
  }

  /// The line that generation `number` ended; nil where nothing of it was left, or all of it came
  /// again to the last bit, as a run that was killed and resumed does it.
  private static func abandonedLine(
    _ number: Int, later: ArraySlice<Int>, _ columns: Columns, _ totalSteps: Int?,
    _ state: RunState
  ) -> SessionLine? {
    guard let start = later.compactMap({ columns.starts[$0] }).min() else { return nil }
    let clock = columns.clock.line(through: number, starts: columns.starts)
    guard let last = clock.last?.step, last >= start else { return nil }
    let own = rest(of: columns.loss.line(through: number, starts: columns.starts), from: start)
    if !own.isEmpty {
      for other in later {
        let others = rest(
          of: columns.loss.line(through: other, starts: columns.starts), from: start)
        if own.allSatisfy({ others[$0.key] == $0.value }) { return nil }
      }
    }
    var line = Self.line(number, of: columns, totalSteps, state)
    line.leftAt = start
    return line
  }

  private static func rest(
    of stretch: GenerationColumns.Stretch, from start: Int
  ) -> [Int: UInt64] {
    zip(stretch.steps, stretch.values).reduce(into: [:]) { rest, sample in
      if sample.0 >= start { rest[sample.0] = sample.1.bitPattern }
    }
  }
}
