import ArgumentParser
import Formats
import Foundation
import Runs
import Sessions
import Signals
import Telemetry

struct Ingest: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Record what another trainer prints on standard input.",
    discussion: """
      A line is {"step":12,"loss":2.1} or {"step":12,"metrics":{…}}, a row of a table, or what \
      nanoGPT, Hugging Face, Megatron, Keras and others print; one without a number is kept as a \
      line of the console. seismo watch shows the session while it grows. What raises an alarm is \
      told as of a run of Seismo's own. Standard output is for commands to the trainer, a line of \
      JSON each.
      """)

  @Option(help: "the session to make or to add to (default: sessions/ingest-TIME.seismo)")
  var session: String?
  @Flag(
    name: .customLong("no-aliases"),
    help: "leave all metrics their own names; else those that Seismo knows get its names")
  var keepsNames = false

  mutating func run() throws {
    let path = try session ?? Self.freshPath()
    let thresholds = AlarmThresholds(options: UserConfiguration.found().alarms)
    var batch = RunBatch(usesAliases: !keepsNames)
    let recorder = try recorder(path, thresholds, &batch.description)
    Seismo.report("recording to \(Invocation.shown(path))")
    var decoder = StreamDecoder(path: "standard input")
    var alarms = ForeignAlarms(thresholds: thresholds)
    var told: RunState?
    func take(_ records: [RunRecord]) {
      for record in records {
        if case .state(let state) = record { told = state }
        recorder.record(record)
        for event in alarms.take(record) { recorder.record(.event(event)) }
      }
    }
    let request = EndRequest()
    let interrupts = Interrupts([SIGINT, SIGTERM]) { request.make($0) }
    defer { withExtendedLifetime(interrupts) {} }
    while let bytes = StandardInput.next(unless: { request.number != 0 }) {
      decoder.decode(bytes, into: &batch)
      take(batch.takeRecords(clock: Date().timeIntervalSince1970))
    }
    let isCut = request.number != 0
    let ending = Result { try decoder.finish(into: &batch) }
    take(batch.takeRecords(clock: Date().timeIntervalSince1970))
    recorder.record(.state(Self.end(after: told, isCut: isCut)))
    do {
      try recorder.close()
    } catch {
      throw Failure(.failed, "\(error)")
    }
    if !isCut { try ending.get() }
    try request.leaveIfAsked()
  }

  /// How a run ended whose lines have ended, or are no longer read: as it said; one that said that it
  /// runs and no more was stopped.
  private static func end(after told: RunState?, isCut: Bool) -> RunState {
    guard let told else { return isCut ? .stopped : .finished }
    return told.isOver ? told : .stopped
  }

  /// `description`: what the run is, as far as it is known before it says more.
  private func recorder(
    _ path: String, _ thresholds: AlarmThresholds, _ description: inout RunDescription
  ) throws -> Recorder {
    let files = FileManager.default
    let url = URL(fileURLWithPath: path)
    let recorder: Recorder
    if files.fileExists(atPath: path) {
      let records = try SessionReader(path: path).records()
      for case .description(let present) in records { description = present }
      recorder = try Recorder(appendingTo: SessionStore(appendingTo: path))
    } else {
      do {
        try files.createDirectory(
          at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      } catch {
        throw Failure(.badInput, "\(path): its folder cannot be made: choose another --session")
      }
      recorder = Recorder(store: try SessionStore(creating: path))
      let name = url.deletingPathExtension().lastPathComponent
      description = RunDescription(
        name: name, created: Date().timeIntervalSince1970, options: thresholds.options,
        environment: [RunDescription.sourceKey: "standard input"])
      recorder.record(.description(description))
    }
    recorder.record(.state(.running))
    recorder.flush()
    return recorder
  }

  private static func freshPath() throws -> String {
    let stem = "sessions/ingest-\(Int(Date().timeIntervalSince1970))"
    let candidates = [stem] + (2...99).map { "\(stem)-\($0)" }
    let free = candidates.first { !FileManager.default.fileExists(atPath: "\($0).seismo") }
    return "\(free ?? stem).seismo"
  }
}
