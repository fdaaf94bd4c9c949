import Formats
import Foundation
package import Sessions
package import Signals
package import Telemetry

/// A session that is made of what another program logs.
package final class ForeignSession {
  package let path: String
  /// What the session says that the run is.
  package private(set) var description: RunDescription
  private let recorder: Recorder
  private var told: RunState?
  private var isCut = false

  /// Makes the session at `path`, its folder too, or goes on with the one that is there. `control` is
  /// where commands go as long as the program names no place of its own.
  /// - Throws: ``SessionError``; ``RunError/folderNotMade(path:)``.
  package init(
    at path: String, source: String, thresholds: AlarmThresholds, control: String? = nil
  ) throws {
    self.path = path
    let files = FileManager.default
    let url = URL(fileURLWithPath: path)
    let name = url.deletingPathExtension().lastPathComponent
    var description = RunDescription(
      name: name, created: Date().timeIntervalSince1970, options: thresholds.options,
      environment: [EnvironmentKey.source.name: source])
    if files.fileExists(atPath: path) {
      let records = try SessionReader(path: path).records()
      for case .description(let present) in records { description = present }
      recorder = try Recorder(appendingTo: SessionStore(appendingTo: path))
      description.environment[.control] = control
      recorder.record(.description(description))
    } else {
      do {
        try files.createDirectory(
          at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      } catch {
        throw RunError.folderNotMade(path: path)
      }
      recorder = Recorder(store: try SessionStore(creating: path))
      description.environment[.control] = control
      recorder.record(.description(description))
    }
    self.description = description
    recorder.record(.state(.running))
    recorder.flush()
  }

  /// A path in `sessions/` that no session has.
  package static func freshPath(stem: String) -> String {
    let letters = stem.map { $0 == "/" || $0.isWhitespace || $0 == "." ? "-" : $0 }
    let plain = "\(SessionReference.folder)/\(String(letters))"
    let candidates = [plain] + (2...999).map { "\(plain)-\($0)" }
    let free = candidates.first { !FileManager.default.fileExists(atPath: "\($0).seismo") }
    return "\(free ?? plain).seismo"
  }

  /// Takes records in; `control` is where the program takes commands, so that whoever watches the
  /// session gives them there.
  package func take(_ records: [RunRecord], control: String?) {
    for record in records {
      switch record {
      case .description(let said): describe(said, control)
      case .state(let state):
        told = state
        recorder.record(record)
      default: recorder.record(record)
      }
    }
  }

  /// The session keeps its own name and beginning, and the thresholds of its alarms.
  private func describe(_ said: RunDescription, _ control: String?) {
    var next = said
    (next.name, next.created) = (description.name, description.created)
    next.options = description.options.merging(said.options) { _, new in new }
    next.environment = description.environment.merging(said.environment) { _, new in new }
    next.environment[.control] =
      control ?? description.environment[.control]
    guard next != description else { return }
    description = next
    recorder.record(.description(next))
  }

  /// What keeps records from being written; nil where nothing does.
  package var trouble: String? { recorder.status.text }

  /// The run is not read to its end.
  package func cut() { isCut = true }

  /// Closes the session as the run ended: as it said; one that said that it runs and no more, or that
  /// is not read to its end, was stopped.
  /// - Throws: `recordsUnwritten`.
  package func close() throws(SessionError) {
    let end: RunState = told.map { $0.isOver ? $0 : .stopped } ?? (isCut ? .stopped : .finished)
    recorder.record(.state(end))
    try recorder.close()
  }
}
