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
    let thresholds = AlarmThresholds(options: UserConfiguration.found().alarms)
    let recorder = try recorder(path, thresholds)
    Seismo.report("recording to \(Invocation.shown(path))")
    var reader = JSONLinesReader()
    var alarms = ForeignAlarms(thresholds: thresholds)
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

  private func recorder(_ path: String, _ thresholds: AlarmThresholds) throws -> Recorder {
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
        .description(
          RunDescription(
            name: name, created: Date().timeIntervalSince1970, options: thresholds.options)))
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
