import Telemetry

/// Tells the step and the time of a row from its own numbers, by one rule for every format.
///
/// The step is what a key for steps says, else the epoch where it is whole and the only count, else
/// rows are counted from 0. From the first step on that is no whole number a row is one more than the
/// last, and the count itself becomes a metric.
struct RowClock {
  /// A row's number that may be more than a sample.
  struct Cell {
    /// nil where it is the logger's own.
    let metric: Int?
    let role: LogKeys.Role
    let value: Double
  }

  private(set) var lastStep: Int?
  private var hasSteps = false
  private var hasEpochs = false
  /// Whether rows were counted before any step was told.
  private var hasCounted = false
  /// Whether rows are counted from now on.
  private(set) var isCounting = false
  private var isToldOfZone = false
  /// The whole steps there were, so that the count is a metric from its beginning.
  private var wholeSteps: [Int] = []

  private static let mostWholeSteps = 10_000

  /// Where a row of the source belongs.
  private struct Place {
    let step: Int
    /// The cell that the step is from, and that of the time.
    let stepCell: Int?
    let timeCell: Int?
    let wallTime: Double?
  }

  /// Ends the row whose plain numbers stand in `batch` and whose others are `cells`: those that are
  /// neither its step nor its time are samples too.
  ///
  /// `time`: the row's time where the source told it in words.
  mutating func endRow(
    _ cells: [Cell], time: Double? = nil, isWhole: Bool = true, in batch: inout RunBatch
  ) {
    let place = place(cells, time: time, in: &batch)
    for (index, cell) in cells.enumerated() {
      guard index != place.stepCell, index != place.timeCell, cell.role != .total,
        cell.role != .generation
      else { continue }
      if let metric = cell.metric { batch.add(metric, cell.value) }
    }
    batch.endRow(step: place.step, wallTime: place.wallTime, isWhole: isWhole)
  }

  private mutating func place(
    _ cells: [Cell], time: Double?, in batch: inout RunBatch
  ) -> Place {
    let (timeCell, wallTime) = Self.time(cells)
    if let total = cells.first(where: { $0.role == .total })?.value, total > 0, total < 1e15,
      batch.description.totalSteps != Int(total)
    {
      batch.description.totalSteps = Int(total)
    }
    let stepCell = step(cells, in: &batch)
    let step: Int
    if let stepCell {
      step = Int(cells[stepCell].value)
      if wholeSteps.count < Self.mostWholeSteps { wholeSteps.append(step) }
    } else {
      step = (lastStep ?? -1) + 1
    }
    lastStep = step
    return Place(
      step: step, stepCell: stepCell, timeCell: timeCell, wallTime: time ?? wallTime)
  }

  /// What comes stands at a step that the source has told.
  mutating func told(step: Int) {
    (lastStep, hasSteps) = (step, true)
  }

  /// The time that a text is; one without a zone is told once.
  mutating func time(_ text: String, in batch: inout RunBatch) -> Double? {
    guard let time = WrittenTime(text) else { return nil }
    if !time.hasZone, !isToldOfZone {
      isToldOfZone = true
      batch.warn("its times name no zone: they are taken as UTC")
    }
    return time.seconds
  }

  private static func time(_ cells: [Cell]) -> (Int?, Double?) {
    for (index, cell) in cells.enumerated() {
      guard case .time(let isCertain) = cell.role else { continue }
      if let time = LogKeys.time(cell.value, isCertain: isCertain) { return (index, time) }
    }
    return (nil, nil)
  }

  /// The cell whose value is the step.
  private mutating func step(
    _ cells: [Cell], in batch: inout RunBatch
  ) -> Int? {
    guard !isCounting else { return nil }
    if let index = Self.lowestRank(cells) {
      hasSteps = true
      guard Self.isWhole(cells[index].value) else {
        count(cells[index], in: &batch)
        return nil
      }
      return index
    }
    guard !hasSteps, !hasCounted else { return nil }
    let index = cells.firstIndex { $0.role == .epoch && $0.value.isFinite }
    guard let index, Self.isWhole(cells[index].value) else {
      if let index, hasEpochs { count(cells[index], in: &batch) } else { tellCounting(&batch) }
      return nil
    }
    let epoch = Int(cells[index].value)
    // Several rows an epoch: then it counts something else than the rows.
    if epoch == lastStep, batch.repeats(step: epoch) {
      count(cells[index], in: &batch)
      return nil
    }
    hasEpochs = true
    return index
  }

  private static func lowestRank(_ cells: [Cell]) -> Int? {
    var lowest: (index: Int, rank: Int)?
    for (index, cell) in cells.enumerated() {
      guard case .step(let rank) = cell.role, cell.value.isFinite else { continue }
      if rank < lowest?.rank ?? .max { lowest = (index, rank) }
    }
    return lowest?.index
  }

  private static func isWhole(_ value: Double) -> Bool {
    value == value.rounded() && abs(value) <= 0x1p52
  }

  /// From here on rows are counted; the count so far becomes a metric.
  private mutating func count(_ cell: Cell, in batch: inout RunBatch) {
    isCounting = true
    guard let metric = cell.metric else { return }
    batch.insert(wholeSteps, of: metric)
    wholeSteps = []
    let name = batch.names.names[metric]
    batch.warn("\(name) is no whole number that grows: rows are counted as steps")
  }

  private mutating func tellCounting(_ batch: inout RunBatch) {
    guard lastStep == nil else { return }
    hasCounted = true
    batch.warn("no step is told: rows are counted from 0")
  }
}
