import Formats
import Foundation
import Telemetry

/// What is known of a run whose record comes as one stream of bytes: from standard input, or from
/// another machine.
struct StreamedRun {
  private let name: String
  private var batch: RunBatch
  private var decoder: StreamDecoder
  private(set) var arrivals = Arrivals(last: Date().timeIntervalSince1970)
  private(set) var hasEnded = false
  /// Whether it has said how it stands.
  private(set) var hasToldState = false
  private(set) var lastStep = 0

  /// `source` is what the run's description names as its source.
  init(name: String, source: String, aliases: MetricAliases) {
    self.name = name
    batch = RunBatch(aliases: aliases)
    decoder = StreamDecoder(path: name)
    batch.description = RunDescription(
      name: name, created: Date().timeIntervalSince1970,
      environment: [EnvironmentKey.source.name: source])
  }

  /// Who writes the lines, as they say; nil for a record that is none of PROTOCOL.md's.
  var trainer: TrainerAddress? { batch.trainer }

  /// Whether it has said that it takes commands.
  var obeys: Bool { batch.description.obeyedCommands != nil }

  /// The answers that have come between the lines.
  mutating func takeAnswers() -> [RunBatch.Answer] {
    defer { batch.answers = [] }
    return batch.answers
  }

  /// How a run stands whose record ends without a word on it: one that had said that it runs, and
  /// no more, was stopped.
  var endUnsaid: RunState { hasToldState || trainer != nil ? .stopped : .finished }

  /// What a run of which nothing has come yet is.
  mutating func opening() -> [RunRecord] {
    batch.takeRecords(clock: Date().timeIntervalSince1970) + [.state(.running)]
  }

  mutating func take(_ bytes: [UInt8], now: Double) -> [RunRecord] {
    arrivals.note(now)
    decoder.decode(bytes, into: &batch)
    return noted(batch.takeRecords(clock: now))
  }

  /// No more bytes come.
  mutating func finish(now: Double) -> [RunRecord] {
    do throws(FormatError) {
      try decoder.finish(into: &batch)
    } catch {
      return noted(batch.takeRecords(clock: now))
        + [.console(wallTime: now, line: error.description)]
    }
    return noted(batch.takeRecords(clock: now))
  }

  /// What comes from now on is the same run's, from its beginning.
  mutating func beginAgain() {
    startAgain()
    var fresh = RunBatch(aliases: batch.aliases)
    fresh.description = batch.description
    batch = fresh
  }

  /// What comes from now on is another file's.
  mutating func startAgain() {
    decoder = StreamDecoder(path: name)
    hasEnded = false
  }

  private mutating func noted(_ records: [RunRecord]) -> [RunRecord] {
    for record in records {
      switch record {
      case .state(let state): (hasEnded, hasToldState) = (state.isOver, true)
      case .samples(let samples): lastStep = samples.step
      default: break
      }
    }
    return records
  }
}
