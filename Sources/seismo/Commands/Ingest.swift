import ArgumentParser
import Formats
import Foundation
import Sessions
import Signals
import Telemetry

struct Ingest: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Record what another trainer prints: JSON lines on standard input.",
    discussion: """
      A line is {"step":12,"loss":2.1} or {"step":12,"metrics":{…}}; one that is no JSON is kept as \
      a line of the console. seismo watch shows the session while it grows. What raises an alarm is \
      told as of a run of Seismo's own. Standard output is for commands to the trainer, a line of \
      JSON each.
      """)

  @Option(help: "the session to make or to add to (default: sessions/ingest-TIME.seismo)")
  var session: String?

  mutating func run() throws {
    let path = try session ?? Self.freshPath()
    let recorder = try recorder(path)
    Seismo.report("recording to \(Invocation.shown(path))")
    var reader = JSONLinesReader()
    var alarms = IngestAlarms(
      thresholds: AlarmThresholds(options: UserConfiguration.found().alarms))
    while let line = readLine(strippingNewline: true) {
      let now = Date().timeIntervalSince1970
      for record in reader.records(of: line.utf8, wallTime: now) {
        recorder.record(record)
        for event in alarms.take(record) { recorder.record(.event(event)) }
      }
    }
    recorder.record(.state(.finished))
    do {
      try recorder.close()
    } catch {
      throw Failure(.failed, "\(error)")
    }
  }

  private func recorder(_ path: String) throws -> Recorder {
    let files = FileManager.default
    let url = URL(fileURLWithPath: path)
    let recorder: Recorder
    if files.fileExists(atPath: path) {
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
      recorder.record(
        .description(RunDescription(name: name, created: Date().timeIntervalSince1970)))
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

/// The alarms of a run that another program trains, unless it tells its own.
private struct IngestAlarms {
  let thresholds: AlarmThresholds
  private var monitor = AlarmMonitor()
  private var isTold = false

  init(thresholds: AlarmThresholds) {
    self.thresholds = thresholds
  }

  mutating func take(_ record: RunRecord) -> [RunEvent] {
    switch record {
    case .event(let event):
      isTold = isTold || event.kind == .alarm
      return []
    case .samples(let samples):
      var events = monitor.observe(samples, thresholds: thresholds)
      // The keys that hints name are not known to the other program.
      for index in events.indices { events[index].hint = nil }
      return isTold ? [] : events
    default: return []
    }
  }
}
