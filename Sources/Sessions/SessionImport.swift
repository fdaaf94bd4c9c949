package import Formats
import Foundation
package import Telemetry

/// Brings a run from elsewhere into a session.
///
/// A session that exists gets what it lacks and keeps what it has: an import can be repeated, and
/// nothing is there twice.
package enum SessionImport {
  /// Samples that were added; 0 where all were there.
  @discardableResult
  package static func add(_ run: RecordedRun, to path: String) throws(SessionError) -> Int {
    guard FileSystem.exists(path) else {
      try write(run, to: path)
      return run.sampleCount
    }
    let present = RecordedRun(records: try SessionReader(path: path).records())
    if let flaw = present.damage.first { throw .damaged(path: path, what: flaw.description) }
    let merged = present.merging(run)
    let added = merged.sampleCount - present.sampleCount
    guard added > 0 else { return 0 }
    try replace(path, with: merged)
    return added
  }

  private static func write(_ run: RecordedRun, to path: String) throws(SessionError) {
    let recorder = Recorder(store: try SessionStore(creating: path))
    for record in run.records { recorder.record(record) }
    try recorder.close()
  }

  /// Writes the whole session to the side and gives it the old one's name: whoever reads it has one
  /// or the other.
  private static func replace(_ path: String, with run: RecordedRun) throws(SessionError) {
    let lock = try WriterLock(session: path)
    defer { lock.removeFile() }
    let side = path + ".importing"
    unlink(side)
    try write(run, to: side)
    guard rename(side, path) == 0 else {
      let reason = FileObstacle.ofLastCall
      unlink(side)
      throw .unwritable(path: path, reason: reason)
    }
  }
}

extension RecordedRun {
  /// What the session's reader could not read.
  package var damage: [RecordingDamage] { generations.flatMap(\.happenings).damage }

  /// This run with what `other` has beyond it, generation by generation.
  func merging(_ other: RecordedRun) -> RecordedRun {
    var merged = self
    merged.description = description ?? other.description
    if state?.isOver != true { merged.state = other.state ?? state }
    for (index, generation) in other.generations.enumerated() {
      if index < merged.generations.count {
        merged.generations[index].merge(generation)
      } else {
        merged.generations.append(generation)
      }
    }
    return merged
  }
}

extension RecordedRun.Generation {
  fileprivate mutating func merge(_ other: RecordedRun.Generation) {
    startingStep = min(startingStep, other.startingStep)
    wallTimes.merge(other.wallTimes)
    let indices = Dictionary(
      columns.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
    for column in other.columns {
      if let index = indices[column.name] {
        columns[index].merge(column)
      } else {
        columns.append(column)
      }
    }
    var seen = Set(happenings.compactMap(\.identity))
    happenings += other.happenings.filter { happening in
      happening.identity.map { seen.insert($0).inserted } ?? true
    }
  }
}

extension MetricColumn {
  /// Adds the samples of steps that are not there yet; of a metric that went back by itself those
  /// that are not there to the last bit.
  fileprivate mutating func merge(_ other: MetricColumn) {
    guard stretches.count <= 1, other.stretches.count <= 1 else { return mergeSamples(other) }
    let present = Set(steps)
    let fresh = other.steps.indices.filter { !present.contains(other.steps[$0]) }
    guard let first = fresh.first else { return }
    let isBehind = steps.last.map { $0 < other.steps[first] } ?? true
    steps += fresh.map { other.steps[$0] }
    values += fresh.map { other.values[$0] }
    if !isBehind { order() }
  }
}

extension MetricColumn {
  private struct Sample: Hashable {
    let step: Int
    let bits: UInt64
  }

  private mutating func mergeSamples(_ other: MetricColumn) {
    var present: [Sample: Int] = [:]
    for (step, value) in zip(steps, values) {
      present[Sample(step: step, bits: value.bitPattern), default: 0] += 1
    }
    for (step, value) in zip(other.steps, other.values) {
      let sample = Sample(step: step, bits: value.bitPattern)
      if let count = present[sample], count > 0 {
        present[sample] = count - 1
      } else {
        steps.append(step)
        values.append(value)
      }
    }
  }
}

extension RunRecord {
  /// What tells an event or a console line from every other.
  fileprivate var identity: String? {
    switch self {
    case .event(let event): "\(event.step) \(event.kind.rawValue) \(event.name ?? "") \(event.text)"
    case .console(let wallTime, let line): "\(wallTime) \(line)"
    case .description, .settings, .samples, .column, .state, .damage, .generation: nil
    }
  }
}
