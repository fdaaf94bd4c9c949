package import Formats
import Foundation
import Signals
package import Telemetry

/// A record that another program writes, read on as it grows: a table, JSON lines, event files, a
/// `.wandb`, a state of Hugging Face's trainer, or what a program prints.
///
/// It is looked at whenever it is asked, which a screen does ten times a second and more: that is
/// sooner than any notice of the file system would be drawn, costs a microsecond a file, and works
/// on network disks. A file that is replaced, rotated or cut is read anew; what was told of it
/// before is not told again.
package final class FollowedLog: LogSource {
  private let path: String
  private var run: LoggedRun
  private var batch: RunBatch
  private var files: [FollowedFile] = []
  /// What is read of a long record while a part of it is shown.
  private var reading: LogReading?
  private let patience: Double?
  private var told = ToldSamples()
  private var arrivals: Arrivals
  private let hands: TrainerHands
  private var holder = FileHolder()
  private var hasEnded = false
  /// Whether it was told that nobody writes it any more.
  private var isToldGone = false
  private var lastStep = 0
  private var failure: String?
  private var lastListing = 0.0

  /// The runs that a path holds, the one that grew last in front; a file that is not there yet is
  /// one where `waits` says so.
  ///
  /// - Throws: `absent`, `unreadable`, `unknown`, `nothingToImport`.
  package static func runs(at path: String, waits: Bool) throws(FormatError) -> [LoggedRun] {
    do {
      let runs = try LoggedRun.all(at: path)
      return runs.map { ($0, $0.lastChange) }.sorted { $0.1 > $1.1 }.map(\.0)
    } catch {
      switch error {
      case .absent where waits: return [.stream(at: path)]
      case .unknown(_, "an empty file"): return [.stream(at: path)]
      default: throw error
      }
    }
  }

  /// `patience`: so many seconds are waited for all there is; of a longer record a part is told first.
  ///   Nil where nothing less than all will do.
  package init(
    _ run: LoggedRun, aliases: MetricAliases = .usual, patience: Double? = nil
  ) {
    self.run = run
    self.patience = patience
    path = run.paths[0]
    batch = RunBatch(aliases: aliases)
    arrivals = Arrivals(last: Self.now())
    hands = TrainerHands(log: path)
    files = run.paths.map { FollowedFile($0) }
  }

  deinit { reading?.cancel() }

  package func opening() throws -> [RunRecord] {
    guard let patience else { return whole(LogReading.all(of: run, files, batch)) }
    let reading = LogReading(run, files, batch)
    switch reading.wait(seconds: patience) {
    case .all(let content): return whole(content)
    case .part(let content):
      self.reading = reading
      return part(content)
    }
  }

  /// What is read so far of a record whose rest is still to come.
  private func part(_ content: LogReading.Content) -> [RunRecord] {
    var recorded = content.assembly.finished(content.batch)
    run.describe(&recorded)
    recorded.state = .running
    return recorded.records
  }

  private func whole(_ content: LogReading.Content) -> [RunRecord] {
    (files, batch, failure) = (content.files, content.batch, content.failure)
    var recorded = content.assembly.finished(batch)
    run.describe(&recorded)
    batch.description = recorded.description ?? batch.description
    let present = Self.now()
    arrivals.last = run.lastChange > 0 ? min(present, run.lastChange) : present
    lookAtTrainer(present)
    lookAtHolder(present)
    if batch.state == nil || isBetweenSaves(recorded.state) {
      isToldGone = goneRemark(present) != nil
      recorded.state = isToldGone ? .stopped : .running
    }
    let records = recorded.records
    for record in records { note(record) }
    // What was not said by the record is no end of it: its writer may come back.
    if isToldGone { hasEnded = false }
    return records
  }

  /// What has become of the reading of a long record: all of it, or a larger part now and then.
  private func readOn(_ reading: LogReading) -> [SourceUpdate] {
    guard let result = reading.take() else { return [] }
    switch result {
    case .part(let content): return [.opened(part(content))]
    case .all(let content):
      self.reading = nil
      return [.opened(whole(content))]
    }
  }

  package func updates(budget: Int) -> [SourceUpdate] {
    if let reading { return readOn(reading) }
    let now = Self.now()
    failure = nil
    findNewFiles(now)
    var records: [RunRecord] = []
    for index in files.indices { records += read(index, budget: budget, now) }
    lookAtTrainer(now)
    lookAtHolder(now)
    let isGone = !hasEnded && goneRemark(now) != nil
    if isGone != isToldGone {
      isToldGone = isGone
      if !hasEnded { records.append(.state(isGone ? .stopped : .running)) }
    }
    if batch.trainer != nil {
      records.removeAll { record in
        if case .event(let event) = record { hands.isEcho(event, now: now) } else { false }
      }
    }
    records += hands.tend(now: now).map { .event($0) }
    return records.isEmpty ? [] : [.records(records)]
  }

  private func lookAtTrainer(_ now: Double) {
    if let trainer = batch.trainer { hands.look(at: trainer, now: now) }
  }

  /// A program that names itself is looked for by what it says.
  private func lookAtHolder(_ now: Double) {
    guard batch.trainer == nil, !hasEnded,
      now - arrivals.last > Self.quietSeconds || !holder.wasHeld
    else { return }
    holder.look(at: files.map(\.path), now: now)
  }

  /// Pauses that are shorter say nothing of a writer.
  private static let quietSeconds = 5.0
  /// A file that nobody has open is written now and then, or no more.
  private static let abandonedSeconds = 600.0

  /// What is known of a writer that is gone; nil while it is there, or may be.
  private func goneRemark(_ now: Double) -> String? {
    guard batch.trainer == nil else {
      return hands.isWriting == false ? "ended without an end record (killed?)" : nil
    }
    let pause = now - arrivals.last
    guard holder.isHeld == false, pause > Self.quietSeconds else { return nil }
    switch run.format {
    case .wandb: return "ended without an exit record"
    case .eventFiles: return "its writer has ended, and told no end"
    case .csv, .trainerState, .jsonLines, .textLog, .stream:
      guard holder.wasHeld || pause > max(Self.abandonedSeconds, 10 * (arrivals.usual ?? 0)) else {
        return nil
      }
      return holder.wasHeld ? "its writer has ended, and told no end" : "nobody writes it any more"
    }
  }

  private func note(_ record: RunRecord) {
    told.add(record)
    switch record {
    case .state(let state): hasEnded = state.isOver
    case .samples(let samples): lastStep = samples.step
    case .column(let column): lastStep = max(lastStep, column.steps.last ?? 0)
    default: break
    }
  }

  private func read(_ index: Int, budget: Int, _ now: Double) -> [RunRecord] {
    do throws(FormatError) {
      if files[index].isReplaced(run) { return try readAnew(index, now) }
      // A piece of a mebibyte is some ten thousand samples.
      let pieces = max(1, budget >> 14)
      guard try files[index].read(run, into: &batch, pieces: pieces) else { return [] }
      arrivals.note(now)
    } catch {
      failure = error.description
      return []
    }
    let records = shown(batch.takeRecords(clock: now))
    for record in records { note(record) }
    return records
  }

  private func shown(_ records: [RunRecord]) -> [RunRecord] {
    records.filter { record in
      if case .state(let state) = record { !isBetweenSaves(state) } else { true }
    }
  }

  /// A trainer's state that is saved before the run's end does not say that it goes no further.
  private func isBetweenSaves(_ state: RunState?) -> Bool {
    run.format == .trainerState && state == .stopped
  }

  /// Reads a file from its beginning on and tells what was not told before.
  private func readAnew(_ index: Int, _ now: Double) throws(FormatError) -> [RunRecord] {
    var fresh = RunBatch(aliases: batch.aliases)
    fresh.description = batch.description
    var file = FollowedFile(files[index].path)
    while try file.read(run, into: &fresh, pieces: 16) {}
    let records = told.unsaid(of: shown(fresh.takeRecords(clock: now)))
    batch = fresh
    files[index] = file
    arrivals.note(now)
    hasEnded = false
    for case .state(let state) in records { hasEnded = state.isOver }
    return records
  }

  /// A run of event files goes on in new ones, one of W&B's in those of its resumption.
  private func findNewFiles(_ now: Double) {
    guard run.format == .eventFiles || run.format == .wandb, now - lastListing > 1 else { return }
    lastListing = now
    for path in run.laterFiles(than: Set(files.map(\.path))) { files.append(FollowedFile(path)) }
  }

  package var state: SourceState {
    if let reading { return .reading(share: reading.share) }
    if let failure { return .unreachable(reason: failure) }
    if hasEnded { return .ended }
    let now = Self.now()
    if let remark = goneRemark(now) { return .gone(remark: remark) }
    let isWriting =
      batch.trainer == nil ? holder.isHeld.flatMap { $0 ? true : nil } : hands.isWriting
    return arrivals.state(now: now, isWriting: isWriting)
  }

  package var refusal: String? {
    batch.trainer == nil ? "the program that writes \(run.name) takes no commands" : hands.refusal
  }

  package var process: Int32? {
    hands.isWriting == false ? nil : batch.trainer?.localProcess
  }

  package var control: String? {
    hands.refusal == nil ? batch.trainer?.control : nil
  }

  package func send(_ command: Command, by author: String) {
    hands.send(command, by: author, at: lastStep, now: Self.now())
  }

  package func finish() -> (isAnswered: Bool, failures: [RunEvent]) { hands.finish() }

  private static func now() -> Double { Date().timeIntervalSince1970 }
}
