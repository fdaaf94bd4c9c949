import Foundation
import Ranks
import Sessions
import Telemetry
package import Training

extension RunPlan {
  /// The session's name: its file's, without the ending.
  package var name: String {
    URL(fileURLWithPath: stem).lastPathComponent
  }

  /// Checkpoints lie beside the session: its path without the ending, plus `.checkpoints`.
  var checkpointFolder: URL { Self.checkpointFolder(of: sessionPath) }

  static func checkpointFolder(of session: String) -> URL {
    URL(fileURLWithPath: SessionFiles(path: session).checkpoints)
  }

  private static let checkpointEnding = ".checkpoints"

  private var stem: String { Self.stem(of: sessionPath) }

  private static func stem(of session: String) -> String {
    let ending = SessionSummary.ending
    return session.hasSuffix(ending) ? String(session.dropLast(ending.count)) : session
  }

  /// The session that a checkpoint's run was recorded in, if it lies where it lay then.
  static func sessionPath(of checkpoint: Checkpoint) -> String {
    let folder = URL(fileURLWithPath: checkpoint.path).deletingLastPathComponent().path
    let stem =
      folder.hasSuffix(checkpointEnding)
      ? String(folder.dropLast(checkpointEnding.count)) : folder
    let isBare =
      !FileManager.default.fileExists(atPath: stem + SessionSummary.ending)
      && FileManager.default.fileExists(atPath: stem)
    return isBare ? stem : stem + SessionSummary.ending
  }

  /// What the run has come to, once it is over.
  /// - Throws: `CheckpointError`.
  package func lastCheckpoint() throws(CheckpointError) -> Checkpoint {
    try CheckpointFolder.read(checkpointFolder.path)
  }

  func corpus() throws(DataError) -> Corpus { try configuration.openCorpus() }

  /// The run that all `ranks` make, over `corpus`, or over the plan's own data if that is nil.
  func trainingRun(corpus: Corpus? = nil, ranks: any RankGroup) throws -> TrainingRun {
    let run = try ranks.together {
      try refuseStandardInput(of: ranks)
      return try trainingRun(over: corpus ?? self.corpus(), ranks: ranks)
    }
    try run.checkRanks()
    return run
  }

  private func trainingRun(over corpus: Corpus, ranks: any RankGroup) throws -> TrainingRun {
    let reward = try configuration.reward.map { try RewardJudge.reward($0) }
    guard let checkpoint else {
      return try TrainingRun(
        configuration: configuration, corpus: corpus, script: script, autopilot: autopilot,
        probes: RunProbes.makers, checkpointFolder: checkpointFolder, ranks: ranks, reward: reward)
    }
    return try TrainingRun(
      resuming: checkpoint, with: continuation, configuration: configuration, corpus: corpus,
      script: script, autopilot: autopilot, probes: RunProbes.makers,
      checkpointFolder: checkpointFolder, ranks: ranks, reward: reward)
  }

  private func refuseStandardInput(of ranks: any RankGroup) throws {
    guard ranks.count > 1, configuration.dataPath == "-" else { return }
    throw ConfigurationError.impossible(
      reason: "standard input reaches rank 0 alone: give --data a file that all hosts have")
  }

  /// Opens the session, new or to be continued, and commits what the run is.
  func recorder(startingAt step: Int, description: RunDescription) throws -> Recorder {
    let recorder: Recorder
    if let branch, FileManager.default.fileExists(atPath: branch.origin) {
      try SessionFiles(path: branch.origin).branch(to: sessionPath, at: step)
    }
    if checkpoint != nil, FileManager.default.fileExists(atPath: sessionPath) {
      let line = SessionSummary(path: sessionPath).newest.number
      recorder = try Recorder(
        appendingTo: SessionStore(appendingTo: sessionPath), generationStartingAt: step)
      // What the run comes to now takes nothing's place that the line it leaves had come to.
      try CheckpointFolder.setAside(
        after: step, in: checkpointFolder.path, as: CheckpointFolder.prefix(ofLine: line))
    } else {
      try makeFolder()
      recorder = Recorder(store: try freshStore())
    }
    recorder.record(.description(description))
    if let branch {
      recorder.record(
        .event(
          RunEvent(
            step: step, wallTime: Date().timeIntervalSince1970, kind: .branch, by: "command line",
            name: name, text: "goes on as \(name), a branch of \(branch.parent)")))
    }
    if let event = changeOfOptions(at: step) { recorder.record(.event(event)) }
    recorder.flush()
    return recorder
  }

  /// Says with which options the run goes on that are others than before; settings say so
  /// themselves. Nil where there are none.
  private func changeOfOptions(at step: Int) -> RunEvent? {
    guard let earlier = continuation?.options else { return nil }
    let present = configuration.options
    let told = RunStretch.conduct.union(SettingCatalog.entries.map(\.option) + ["clip"])
    let changed = RunOptionCatalog.all.map(\.name).filter { name in
      // What a checkpoint of an older version does not know of has not changed.
      let isKnown = earlier[name] != nil || Self.optional.contains(name)
      return isKnown && earlier[name] != present[name] && !told.contains(name)
    }
    guard !changed.isEmpty else { return nil }
    let words = changed.map { name in
      "\(name) \(present[name] ?? "none"), before \(earlier[name] ?? "none")"
    }
    var event = RunEvent(
      step: step, wallTime: Date().timeIntervalSince1970, kind: .run, by: "command line",
      text: "goes on with \(words.joined(separator: "; "))")
    event.earlierOptions = earlier
    return event
  }

  /// Options that a run need not have.
  private static let optional: Set<String> = ["data", "decay-steps"]

  /// A disk that is full from the start fails the run and leaves nothing.
  private func freshStore() throws -> SessionStore {
    do throws(SessionError) {
      return try SessionStore(creating: sessionPath)
    } catch .unwritable(let path, let reason) {
      for ending in ["", "-wal", "-shm", "-journal"] { unlink(path + ending) }
      throw RunError.sessionNotMade(
        reason: SessionError.unwritable(path: path, reason: reason).description)
    }
  }

  private func makeFolder() throws {
    let folder = URL(fileURLWithPath: sessionPath).deletingLastPathComponent()
    do {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    } catch {
      throw RunError.folderNotMade(path: folder.relativePath)
    }
  }
}
