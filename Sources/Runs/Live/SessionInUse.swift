import Foundation
import Sessions
import Synchronization
import Telemetry
import Training

/// The session that a run is recording to: its plan's, until it branches off.
final class SessionInUse: Sendable {
  private struct Content {
    var recorder: Recorder
    var path: String
    var description: RunDescription
    var listener: (@Sendable (RecorderStatus) -> Void)?
  }

  private let content: Mutex<Content>

  init(_ recorder: Recorder, path: String, description: RunDescription) {
    content = Mutex(Content(recorder: recorder, path: path, description: description))
  }

  var recorder: Recorder { content.withLock { $0.recorder } }
  var path: String { content.withLock { $0.path } }

  func record(_ record: RunRecord) {
    recorder.record(record)
  }

  func onStatusChange(_ body: @escaping @Sendable (RecorderStatus) -> Void) {
    content.withLock { $0.listener = body }
    recorder.onStatusChange(body)
  }

  /// Goes on in the session called `name` beside the present one: with a copy of all that is
  /// recorded and the same checkpoints. The present session ends as it is.
  func branch(to name: String, at step: Int) throws -> Branch {
    let (recorder, old, listener) = content.withLock { ($0.recorder, $0, $0.listener) }
    let folder = URL(fileURLWithPath: old.path).deletingLastPathComponent()
    let path = folder.appending(path: name + SessionSummary.ending).path
    let checkpoints = RunPlan.checkpointFolder(of: path)
    for place in [path, checkpoints.path] where FileManager.default.fileExists(atPath: place) {
      throw SessionError.taken(path: place)
    }
    try recorder.copy(to: path)
    var description = old.description
    description.name = name
    description.environment[.parent] = "\(old.description.name) at step \(step)"
    let next: Recorder
    do {
      next = try Recorder(
        appendingTo: SessionStore(appendingTo: path), generationStartingAt: step)
    } catch {
      try? FileManager.default.removeItem(atPath: path)
      throw error
    }
    SessionFiles(path: old.path).linkCheckpoints(to: SessionFiles(path: path))
    if let listener { next.onStatusChange(listener) }
    do {
      try end(recorder, as: name, at: step)
    } catch {
      // The disk took the copy and no more: the run goes on where it was.
      try? next.close()
      for place in [path, checkpoints.path] { try? FileManager.default.removeItem(atPath: place) }
      recorder.record(.state(.running))
      throw error
    }
    content.withLock { content in
      content.recorder = next
      content.path = path
      content.description = description
    }
    return Branch(checkpointFolder: checkpoints, description: description)
  }

  private func end(_ recorder: Recorder, as name: String, at step: Int) throws {
    recorder.record(
      .event(
        RunEvent(
          step: step, wallTime: Date().timeIntervalSince1970, kind: .branch, by: "run", name: name,
          text: "goes on as \(name)")))
    recorder.record(.state(.stopped))
    try recorder.close()
  }
}
