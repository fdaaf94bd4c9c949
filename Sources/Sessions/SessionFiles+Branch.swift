import Formats
import Foundation
import Signals
import Telemetry

extension SessionFiles {
  /// Makes a session at `path` with all that this one recorded before `step`, and links its
  /// checkpoints up to there; this one stays as it is.
  ///
  /// - Throws: `taken`, `absent`, `notASession`, `damaged`, `unwritable`.
  package func branch(to path: String, at step: Int) throws(SessionError) {
    let target = SessionFiles(path: path)
    for place in [target.path, target.checkpoints] where FileSystem.exists(place) {
      throw .taken(path: place)
    }
    let run = RecordedRun(records: try SessionReader(path: self.path).records())
    let recorder = Recorder(store: try SessionStore(creating: path))
    for record in run.records(before: step) { recorder.record(record) }
    try recorder.close()
    linkCheckpoints(to: target, upTo: step)
  }

  /// Checkpoints are never changed, only replaced: two names for one file are enough.
  package func linkCheckpoints(to target: SessionFiles, upTo step: Int = .max) {
    let files = FileManager.default
    for name in (try? files.contentsOfDirectory(atPath: checkpoints)) ?? []
    where name.hasPrefix("step-") && Int(name.dropFirst(5)) ?? .max <= step {
      let (from, to) = ("\(checkpoints)/\(name)", "\(target.checkpoints)/\(name)")
      try? files.createDirectory(atPath: to, withIntermediateDirectories: true)
      for file in (try? files.contentsOfDirectory(atPath: from)) ?? [] {
        try? files.linkItem(atPath: "\(from)/\(file)", toPath: "\(to)/\(file)")
      }
    }
  }
}

extension RecordedRun {
  /// What the run is, and what led to its state after `step` updates.
  fileprivate func records(before step: Int) -> [RunRecord] {
    var run = newest
    let history = RunHistory(run.records)
    var records: [RunRecord] = []
    if let description { records.append(.description(description)) }
    if !settings.isEmpty { records.append(.settings(settings)) }
    guard !run.generations.isEmpty else { return records }
    if history.stepsDone > step { run.generations[0].cut(from: step) }
    let generation = run.generations[0]
    records += ([generation.wallTimes] + generation.columns).filter { !$0.steps.isEmpty }
      .map { .column($0) }
    var lineage = lineage
    lineage.beginGeneration(at: step)
    return records + lineage.events.map { .event($0) }
  }
}
