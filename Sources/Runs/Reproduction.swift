import Dispatch
package import Formats
import Foundation
package import Sessions
import Synchronization
import Telemetry
import Training

/// A recording that is run again, to compare every number.
package struct Reproduction {
  /// What is not as it was then: other bits are to be expected.
  package struct Surrounding: Sendable, Equatable {
    package let name: String
    package let recorded: String
    package let present: String
  }

  package let surroundings: [Surrounding]
  private let comparison: ComparisonWithRecord
  private let legs: [Leg]

  /// A stretch of the run with options of its own.
  private struct Leg {
    let configuration: TrainingConfiguration
    let corpus: Corpus
    let script: [ScriptedCommand]
    /// The first step of the next one; nil for the last.
    let next: Int?
  }

  /// - Parameters:
  ///   - recorded: the run as it was recorded.
  ///   - session: what the recording is called in errors.
  ///   - workers: cores to use; nil for all. The numbers do not depend on it.
  /// - Throws: ``RunError/notTrainedHere(session:)``, ``RunError/dataGone(session:)``; what is wrong
  ///   with the recorded options or the data.
  package init(_ recorded: RecordedRun, session: String, workers: Int? = nil) throws {
    comparison = ComparisonWithRecord(recorded)
    guard let description = recorded.description, description.model != nil,
      comparison.lastStep >= 0
    else { throw RunError.notTrainedHere(session: session) }
    let stretches = RunStretch.all(of: recorded)
    legs = try stretches.enumerated().map { number, stretch in
      guard stretch.options["data"] != "-" else { throw RunError.dataGone(session: session) }
      let configuration = try Self.configuration(
        stretch.options, number == 0 ? recorded.firstValues : [:], workers: workers)
      let next = number + 1 < stretches.count ? stretches[number + 1].start : nil
      return Leg(
        configuration: configuration,
        corpus: try configuration.openCorpus(),
        script: recorded.script.filter {
          (number == 0 || $0.step >= stretch.start) && $0.step < next ?? .max
        }, next: next)
    }
    let surroundings = Self.surroundings(
      description, now: TrainingRun.environment(corpus: legs[0].corpus))
    self.surroundings = try legs.reduce(into: surroundings) {
      try Self.compareTeacher(of: $1, recorded: description.environment[.teacher], to: &$0)
    }
  }

  /// Whether a leg's teacher is that of the recorded run, and trained on what the leg's data is.
  private static func compareTeacher(
    of leg: Leg, recorded: String?, to surroundings: inout [Surrounding]
  ) throws {
    guard let path = leg.configuration.distil else { return }
    try Teacher.checkIsThere(path)
    let teacher = try Teacher(path: path, student: leg.configuration.model, data: nil)
    let data = try leg.corpus.fingerprint()
    for (key, recorded, present) in [
      (EnvironmentKey.teacher, recorded ?? teacher.fingerprint, teacher.fingerprint),
      (EnvironmentKey.data, teacher.dataFingerprint ?? data, data),
    ] where recorded != present && !surroundings.contains(where: { $0.name == key.name }) {
      surroundings.append(
        Surrounding(name: key.name, recorded: recorded, present: present))
    }
  }

  private static func configuration(
    _ recorded: [String: String], _ firstValues: [String: String], workers: Int?
  ) throws -> TrainingConfiguration {
    // It writes only the checkpoints that it goes on from, and ends where the record does, whatever
    // its patience was then.
    var options = recorded.filter { !RunStretch.conduct.contains($0.key) }
    options["workers"] = workers.map { "\($0)" }
    var configuration = try TrainingConfiguration(
      options: options.merging(firstValues) { _, first in first })
    // What is another one is told among the surroundings.
    configuration.takesAnyTeacher = true
    return configuration
  }

  private static func surroundings(
    _ recorded: RunDescription, now: [String: String]
  ) -> [Surrounding] {
    recorded.environment.sorted { $0.key < $1.key }.compactMap { key, value in
      guard let present = now[key], present != value else { return nil }
      return Surrounding(name: key, recorded: value, present: present)
    }
  }

  /// Trains again, here, and returns when it is done: each stretch with its own options, as the
  /// recorded run did, from the checkpoint of the one before.
  /// - Throws: where the data holds no window, or a checkpoint cannot be kept meanwhile.
  package func run() throws -> ComparisonWithRecord {
    let folder = FileManager.default.temporaryDirectory.appending(
      path: "seismo-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    let box = ComparisonBox(comparison)
    var checkpoint: Checkpoint?
    // What is scripted at the first step of a stretch and done already where the one before ended.
    var done: [ScriptedCommand] = []
    for leg in legs {
      let end = leg.next ?? comparison.steps
      let stop =
        end < leg.configuration.steps ? [ScriptedCommand(step: end, command: .stop)] : []
      let run = try Self.trainingRun(
        leg, from: checkpoint, done + leg.script + stop,
        checkpoints: leg.next == nil ? nil : folder)
      done = stop
      box.run(run, before: leg.next ?? .max)
      if leg.next != nil { checkpoint = try CheckpointFolder.read(folder.path) }
    }
    return box.finished()
  }

  private static func trainingRun(
    _ leg: Leg, from checkpoint: Checkpoint?, _ script: [ScriptedCommand], checkpoints: URL?
  ) throws -> TrainingRun {
    let reward = try leg.configuration.reward.map { try RewardJudge.reward($0) }
    guard let checkpoint else {
      return try TrainingRun(
        configuration: leg.configuration, corpus: leg.corpus, script: script,
        probes: RunProbes.makers, checkpointFolder: checkpoints, reward: reward)
    }
    return try TrainingRun(
      resuming: checkpoint, configuration: leg.configuration, corpus: leg.corpus, script: script,
      probes: RunProbes.makers, checkpointFolder: checkpoints, reward: reward)
  }
}

/// The comparison, shared with the trainer's queue.
private final class ComparisonBox: Sendable {
  private let comparison: Mutex<ComparisonWithRecord>

  init(_ comparison: ComparisonWithRecord) {
    self.comparison = Mutex(comparison)
  }

  /// Runs to the end and compares what comes before step `end`.
  func run(_ run: sending TrainingRun, before end: Int) {
    let isOver = DispatchSemaphore(value: 0)
    let trainer = Trainer(run) { [self] record in
      guard case .samples(let samples) = record, samples.step < end else { return }
      comparison.withLock { $0.take(samples) }
    }
    trainer.start { _ in isOver.signal() }
    isOver.wait()
  }

  func finished() -> ComparisonWithRecord {
    comparison.withLock { comparison in
      comparison.finish()
      return comparison
    }
  }
}

extension RecordedRun {
  /// The changes of settings that led to the run as it went in the end.
  private var changes: [RunEvent] { lineage.events.filter { $0.kind == .set } }

  /// What went otherwise than the options say: changes of settings, and batches left out.
  fileprivate var script: [ScriptedCommand] {
    var offset = 0
    return lineage.events.compactMap { event in
      if event.kind == .set, let name = event.name, let after = event.after {
        return ScriptedCommand(step: event.step, command: .set(name: name, value: after))
      }
      if isMeasuredThere(event) { return ScriptedCommand(step: event.step, command: .evaluate) }
      guard let next = event.values["offset"].map({ Int($0) }), next > offset else { return nil }
      defer { offset = next }
      return ScriptedCommand(step: event.step, command: .skip(next - offset))
    }
  }

  /// Whether the event is a measurement of the held-out loss, on demand or at the end of a run that
  /// went on later, and what it measured stands among the samples.
  private func isMeasuredThere(_ event: RunEvent) -> Bool {
    guard event.kind == .evaluate || event.kind == .run, event.values["loss/eval"] != nil else {
      return false
    }
    let column = newest.generations.first?.columns.first { $0.name == MetricCatalog.evalLoss }
    return column?.steps.contains(event.step) ?? false
  }

  /// What the settings that were changed were at first, by their options' names: a run that was
  /// resumed describes itself by what they were then.
  fileprivate var firstValues: [String: String] {
    var values: [String: String] = [:]
    for event in changes.reversed() {
      guard let name = event.name, let before = event.before else { continue }
      switch name {
      case SettingCatalog.zClip, SettingCatalog.adaGC:
        values["clip"] = before.isOn ? name : "global"
      default:
        // What is no option is off at the start of every run.
        guard let option = SettingCatalog.entry(name)?.option,
          RunOptionCatalog.option(option) != nil
        else { continue }
        values[option] = before.description
      }
    }
    return values
  }
}
