import Foundation
import Sessions
import Telemetry
import Training

extension RunPlan {
  /// The session's name: its file's, without the ending.
  var name: String {
    URL(fileURLWithPath: sessionPath).deletingPathExtension().lastPathComponent
  }

  /// Checkpoints lie beside the session: its path without the ending, plus `.checkpoints`.
  var checkpointFolder: URL {
    URL(fileURLWithPath: sessionPath).deletingPathExtension().appendingPathExtension("checkpoints")
  }

  /// The session that a checkpoint's run was recorded in, if it lies where it lay then.
  static func sessionPath(of checkpoint: Checkpoint) -> String {
    let folder = URL(fileURLWithPath: checkpoint.path).deletingLastPathComponent()
    return folder.deletingPathExtension().appendingPathExtension("seismo").path
  }

  func corpus() throws(DataError) -> Corpus {
    guard let path = configuration.dataPath else { return .synthetic() }
    return try .open(path: path)
  }

  func trainingRun(corpus: Corpus) throws -> TrainingRun {
    guard let checkpoint else {
      return try TrainingRun(
        configuration: configuration, corpus: corpus, script: script,
        checkpointFolder: checkpointFolder)
    }
    return try TrainingRun(
      resuming: checkpoint, configuration: configuration, corpus: corpus, script: script,
      checkpointFolder: checkpointFolder)
  }

  /// Opens the session, new or to be continued, and commits what the run is.
  func recorder(startingAt step: Int, description: RunDescription) throws -> Recorder {
    let recorder: Recorder
    if checkpoint != nil, FileManager.default.fileExists(atPath: sessionPath) {
      recorder = try Recorder(
        appendingTo: SessionStore(appendingTo: sessionPath), generationStartingAt: step)
    } else {
      try makeFolder()
      recorder = Recorder(store: try SessionStore(creating: sessionPath))
    }
    recorder.record(.description(description))
    recorder.flush()
    return recorder
  }

  private func makeFolder() throws {
    let folder = URL(fileURLWithPath: sessionPath).deletingLastPathComponent()
    do {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    } catch {
      throw Failure(
        .badInput,
        "\(folder.relativePath) cannot be made: choose another place with --session")
    }
  }
}

extension RecorderStatus {
  /// So many records in memory are enough: the run waits until they can be written.
  static let pendingLimit = 200_000

  var isOverfull: Bool {
    if case .waiting(_, let pending) = self { pending > Self.pendingLimit } else { false }
  }
}
