import Telemetry

/// What has been told of a source, so that it is not told again when the source is read anew.
struct ToldSamples {
  private struct Count: Equatable {
    var number = 0
    var hash: UInt64 = 0

    /// Millions of samples pass here before a long record is shown: a multiplication each, where
    /// Swift's own hasher takes ten times as long.
    mutating func add(_ bits: UInt64) {
      number += 1
      hash = (hash ^ bits) &* 0x9E37_79B9_7F4A_7C15
      hash ^= hash >> 29
    }

    mutating func add(_ step: Int, _ value: Double) {
      add(UInt64(bitPattern: Int64(step)))
      add(value.bitPattern)
    }
  }

  private var counts: [MetricName: Count] = [:]
  private var lines = Count()
  /// What a source that begins again tells of what was told.
  private var left: [MetricName: Int] = [:]
  private var leftLines = 0
  private var repeats = false

  mutating func add(_ record: RunRecord) {
    switch record {
    case .samples(let samples):
      for (name, value) in zip(samples.names, samples.values) {
        counts[name, default: Count()].add(samples.step, value)
      }
    case .column(let column) where column.name != MetricColumn.wallTime:
      var count = counts[column.name] ?? Count()
      for (step, value) in zip(column.steps, column.values) { count.add(step, value) }
      counts[column.name] = count
    case .console, .damage, .event: lines.add(1)
    case .column, .description, .settings, .state, .generation: break
    }
  }

  /// What of `records`, the whole of a source, was not told; all of it where it is not the same.
  mutating func unsaid(of records: [RunRecord]) -> [RunRecord] {
    var whole = ToldSamples()
    var reached: [MetricName: Count] = [:]
    for record in records {
      whole.add(record)
      guard case .samples(let samples) = record else { continue }
      for name in samples.names where whole.counts[name]?.number == counts[name]?.number {
        reached[name] = whole.counts[name]
      }
    }
    let before = self
    let isSame = before.counts.allSatisfy { reached[$0.key] == $0.value }
    self = whole
    guard isSame else { return records }
    var skipped = before.counts.mapValues { $0.number / 2 }
    var skippedLines = before.lines.number
    var hasBegun = false
    return records.compactMap { record in
      switch record {
      case .samples(let samples):
        let rest = Self.rest(of: samples, &skipped)
        hasBegun = hasBegun || rest != nil
        return rest
      case .console, .damage, .event:
        skippedLines -= 1
        return skippedLines >= 0 ? nil : record
      case .generation: return hasBegun ? record : nil
      case .description, .settings, .state, .column: return record
      }
    }
  }

  private static func rest(
    of samples: StepSamples, _ skipped: inout [MetricName: Int]
  ) -> RunRecord? {
    var rest = samples
    (rest.names, rest.values) = ([], [])
    for (name, value) in zip(samples.names, samples.values) {
      if let left = skipped[name], left > 0 {
        skipped[name] = left - 1
      } else {
        rest.names.append(name)
        rest.values.append(value)
      }
    }
    return rest.names.isEmpty ? nil : .samples(rest)
  }

  /// The same source tells all of it again from its beginning.
  mutating func beginAgain() {
    (left, leftLines) = (counts.mapValues { $0.number / 2 }, lines.number)
    repeats = !left.isEmpty || leftLines > 0
  }

  /// What of the records that come next was not told before a source began again.
  mutating func unsaid(next records: [RunRecord]) -> [RunRecord] {
    let fresh = repeats ? records.compactMap { unsaid($0) } : records
    for record in fresh { add(record) }
    return fresh
  }

  private mutating func unsaid(_ record: RunRecord) -> RunRecord? {
    switch record {
    case .samples(let samples):
      let rest = Self.rest(of: samples, &left)
      // What goes on begins no generation that was begun before.
      if rest != nil { repeats = leftLines > 0 || left.values.contains { $0 > 0 } }
      return rest
    case .console, .damage, .event:
      guard leftLines > 0 else { return record }
      leftLines -= 1
      return nil
    case .generation: return left.values.contains { $0 > 0 } ? nil : record
    case .description, .settings, .state, .column: return record
    }
  }
}
