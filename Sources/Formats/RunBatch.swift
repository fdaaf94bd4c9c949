package import Telemetry

/// What decoders have found and nobody has taken yet: rows of numbers and, between them, what
/// happened.
///
/// Whoever decodes asks for a metric's number once and adds values by it, so that a value costs no
/// text. Nothing is discarded: a metric whose steps go back is the reader's to lay apart
/// (``RecordedRun/newest``, `RunHistory`), and a row at which the whole run starts again is preceded
/// by a generation.
package struct RunBatch: Sendable {
  struct Row: Sendable {
    let step: Int
    /// NaN where none is known.
    let wallTime: Double
    /// Where its values end.
    let end: Int
  }

  struct Happening: Sendable {
    /// The row before which it happened.
    let row: Int
    let record: RunRecord
    /// Whether it tells what was wrong with the source.
    var isWarning = false
  }

  /// How far a metric has come.
  private struct Standing {
    /// Its last step, and its value there.
    var step = Int.min
    var value = 0.0
    /// The row in which it stood last, over all rows ever.
    var row = 0
    /// How many values it has had since the run last started.
    var count = 0
  }

  /// What became of the command with this number.
  package struct Answer: Sendable, Equatable {
    package let answer: CommandAnswer
    package let id: Int?
  }

  /// Nobody has asked so much.
  static let mostAnswers = 1000

  /// Beyond these no trainer counts, and differences of steps would overflow.
  static let knownSteps = -(1 << 52)...(1 << 52)

  private(set) var rows: [Row] = []
  /// The metric of each value.
  private(set) var ids: [Int] = []
  private(set) var values: [Double] = []
  private(set) var happenings: [Happening] = []
  /// What the run is, as far as its source says it.
  package var description = RunDescription(name: "", created: 0) {
    didSet { isDescriptionNew = isDescriptionNew || description != oldValue }
  }
  package var state: RunState?
  /// Who writes the lines, as the last line on the run says; nil for a source that tells no such.
  package var trainer: TrainerAddress?
  /// Answers to commands that stood between the lines, in their order; whoever asked takes them.
  package var answers: [Answer] = []
  private(set) var names: MetricNames
  /// Whether values were written in the shortest digits of a Float32 where the metric is one.
  var restoresSinglePrecision = false
  /// Values whose step no trainer can have reached.
  private(set) var strays = 0
  private var standings: [Standing] = []
  private var rowNumber = 0
  private var mostCount = 0
  private var restarts = 0
  private var isDescriptionNew = false

  private static let mostRestarts = 1000

  /// `aliases`: the other names under which metrics are known, and get ours.
  package init(aliases: MetricAliases = .usual) {
    names = MetricNames(aliases: aliases)
  }

  package var aliases: MetricAliases { names.aliases }
  package var isEmpty: Bool { rows.isEmpty && happenings.isEmpty }
  package var hasMetrics: Bool { !standings.isEmpty }
  /// What was renamed, in the order in which it was met.
  package var renamed: [MetricNames.Renamed] { names.renamed }

  /// What stands for the metric that its source calls `name` in ``add(_:_:)``; `keepsName` where it is
  /// not what others call so.
  mutating func metric(_ name: String, keepsName: Bool = false) -> Int {
    let index = names.index(of: name)
    if keepsName { names.keep(index) }
    while standings.count <= index { standings.append(Standing()) }
    return index
  }

  /// Whether a metric of the row that is being made has had a value at `step` before.
  func repeats(step: Int) -> Bool {
    ids[(rows.last?.end ?? 0)...].contains { standings[$0].step == step }
  }

  /// Gives a metric each of `steps` for its value there, before the row that is being made.
  mutating func insert(_ steps: [Int], of metric: Int) {
    let start = rows.last?.end ?? 0
    let row = (ids: ids[start...], values: values[start...])
    dropValues(from: start)
    for step in steps {
      add(metric, Double(step))
      endRow(step: step, wallTime: nil, isWhole: false)
    }
    ids += row.ids
    values += row.values
  }

  /// Puts a value into the row that is being made; of several of one metric the first counts.
  mutating func add(_ metric: Int, _ value: Double) {
    ids.append(metric)
    values.append(value)
  }

  /// Ends the row of the values added since the last one.
  ///
  /// `isWhole`: whether it holds all that was logged at once, so that it can tell a run
  ///   that starts again from a metric that does.
  mutating func endRow(step: Int, wallTime: Double?, isWhole: Bool = true) {
    let start = rows.last?.end ?? 0
    guard values.count > start else { return }
    guard Self.knownSteps.contains(step) else {
      strays += values.count - start
      return dropValues(from: start)
    }
    rowNumber += 1
    var isOdd = false
    for index in start..<values.count {
      let id = ids[index]
      let standing = standings[id]
      if step <= standing.step || standing.row == rowNumber || !names.isNamed[id] { isOdd = true }
      standings[id].row = rowNumber
    }
    if isOdd { settle(from: start, step: step, isWhole: isWhole) }
    guard values.count > start else { return }
    for index in start..<values.count {
      let id = ids[index]
      if names.isScaled[id] { values[index] = names.scaled(values[index], id) }
      if restoresSinglePrecision, names.isSingle[id] {
        values[index] = DecimalNumber.restoringSinglePrecision(values[index])
      }
      var standing = standings[id]
      (standing.step, standing.value) = (step, values[index])
      if !names.isMachine[id] { standing.count += 1 }
      mostCount = max(mostCount, standing.count)
      standings[id] = standing
    }
    rows.append(Row(step: step, wallTime: wallTime ?? .nan, end: values.count))
  }

  private mutating func dropValues(from start: Int) {
    ids.removeLast(ids.count - start)
    values.removeLast(values.count - start)
  }
}

extension RunBatch {
  /// Names what is new in a row, leaves out what stands twice, and sees whether the run starts
  /// again.
  private mutating func settle(from start: Int, step: Int, isWhole: Bool) {
    let renamedBefore = names.renamed.count
    names.name(ids[start...])
    for renamed in names.renamed[renamedBefore...] {
      description.environment[.original(of: renamed.ours)] = renamed.theirs.path
    }
    var seen: Set<Int> = []
    var end = start
    for index in start..<values.count {
      let id = ids[index]
      guard !names.isLeftOut[id], seen.insert(id).inserted,
        !isKnown(values[index], at: step, of: id)
      else { continue }
      (ids[end], values[end]) = (id, values[index])
      end += 1
    }
    dropValues(from: end)
    let goesBack = ids[start...].contains { step < standings[$0].step && !names.isMachine[$0] }
    if isWhole, goesBack, restarts < Self.mostRestarts, holdsMost { restart(at: step) }
  }

  /// A value that was logged twice is one.
  private func isKnown(_ value: Double, at step: Int, of id: Int) -> Bool {
    let standing = standings[id]
    guard standing.step == step else { return false }
    let value = names.isScaled[id] ? names.scaled(value, id) : value
    if standing.value.bitPattern == value.bitPattern { return true }
    guard restoresSinglePrecision, names.isSingle[id] else { return false }
    return standing.value == DecimalNumber.restoringSinglePrecision(value)
  }

  /// Whether the present row holds every metric that is logged about as often as any: then all of
  /// the run goes back and not a part that counts something else.
  private var holdsMost: Bool {
    standings.allSatisfy { standing in
      standing.count * 2 < mostCount || standing.count == 0 || standing.row == rowNumber
    }
  }

  /// The run starts again: what comes from `step` on supersedes what was there.
  mutating func restart(at step: Int) {
    guard Self.knownSteps.contains(step) else { return }
    restarts += 1
    for id in standings.indices { (standings[id].step, standings[id].count) = (.min, 0) }
    mostCount = 0
    if let last = happenings.last, last.row == rows.count, case .generation = last.record {
      happenings.removeLast()
    }
    append(.generation(startingAt: step))
  }

  /// What happened after the last row; a time that is not known is NaN.
  mutating func append(_ record: RunRecord) {
    happenings.append(Happening(row: rows.count, record: record))
  }

  mutating func note(_ text: String, step: Int, wallTime: Double?) {
    guard Self.knownSteps.contains(step) else { return }
    append(
      .event(
        RunEvent(step: step, wallTime: wallTime ?? .nan, kind: .note, by: "log", text: text)))
  }

  mutating func console(_ line: String, wallTime: Double? = nil) {
    append(.console(wallTime: wallTime ?? .nan, line: line))
  }

  /// Something is wrong with the source.
  mutating func warn(_ what: String) {
    let line = RunRecord.console(wallTime: .nan, line: what)
    happenings.append(Happening(row: rows.count, record: line, isWarning: true))
  }

  /// What stands of it all is taken; the metrics are known on.
  mutating func removeAll() {
    rows.removeAll(keepingCapacity: true)
    ids.removeAll(keepingCapacity: true)
    values.removeAll(keepingCapacity: true)
    happenings.removeAll(keepingCapacity: true)
  }

  /// What was found since this was last asked, as records; `clock` is the time of what has none.
  package mutating func takeRecords(clock: Double) -> [RunRecord] {
    var records: [RunRecord] = []
    if isDescriptionNew { records.append(.description(description)) }
    var (start, next) = (0, 0)
    var (known, knownNames): (ArraySlice<Int>, [MetricName]) = ([], [])
    for (number, row) in rows.enumerated() {
      while next < happenings.count, happenings[next].row <= number {
        records.append(happenings[next].record.timed(clock))
        next += 1
      }
      if ids[start..<row.end] != known {
        known = ids[start..<row.end]
        knownNames = known.map { names.names[$0] }
      }
      records.append(
        .samples(
          StepSamples(
            step: row.step, wallTime: row.wallTime.isNaN ? clock : row.wallTime, names: knownNames,
            values: Array(values[start..<row.end]))))
      start = row.end
    }
    records += happenings[next...].map { $0.record.timed(clock) }
    if let state { records.append(.state(state)) }
    isDescriptionNew = false
    state = nil
    removeAll()
    return records
  }
}

extension RunRecord {
  /// The record with `clock` for its time where it has none.
  func timed(_ clock: Double) -> RunRecord {
    switch self {
    case .console(let wallTime, let line) where wallTime.isNaN:
      return .console(wallTime: clock, line: line)
    case .event(var event) where event.wallTime.isNaN:
      event.wallTime = clock
      return .event(event)
    default: return self
    }
  }
}
