import ArgumentParser
import Formats
import Foundation
import Sessions
import Signals
import Synchronization
import Telemetry
import Training

struct Reproduce: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Run a recording again and compare every number.",
    discussion: """
      Takes the recorded options and the recorded changes, each at its step. What a clock or the \
      allocator says (speed, times, memory) is left out.
      """)

  @Argument(help: "a session of a run that Seismo trained: a file, a name, or NAME@1")
  var session: String
  @Option(help: "cores to use; the numbers do not depend on it") var workers: Int?
  @Flag(help: "one JSON object on standard output") var json = false

  mutating func validate() throws {
    if let workers, !(1...256).contains(workers) {
      throw ValidationError("--workers \(workers): give a whole number from 1 to 256")
    }
  }

  mutating func run() throws {
    let reference = try SessionReference(session)
    let recorded = RecordedRun(
      records: try SessionReader(path: reference.path).records(line: reference.line))
    for flaw in recorded.damage { Seismo.report("\(session): \(flaw)") }
    let comparison = ComparisonWithRecord(recorded)
    guard recorded.description?.model != nil, comparison.lastStep >= 0 else {
      throw Failure(
        .badInput, "\(session) was not trained by Seismo: only its own runs can be run again")
    }
    let stretches = RunStretch.all(
      of: recorded, earlier: try SessionReader(path: reference.path).earlierDescriptions(),
      leavingOut: Self.conduct)
    let result = try again(stretches, recorded, comparison)
    try StandardOutput.print(json ? result.json : result.text)
    guard result.isEqual else {
      throw Failure(.failed, "\(session): not reproduced: \(result.firstWords)")
    }
  }

  /// What no number depends on: it writes only the checkpoints that it goes on from, and ends where
  /// the record does, whatever its patience was then.
  private static let conduct: Set<String> = ["checkpoint-every", "keep", "keep-best", "patience"]

  /// Runs each stretch with its own options, as the recorded run did: from the checkpoint of the one
  /// before.
  private func again(
    _ stretches: [RunStretch], _ recorded: RecordedRun, _ comparison: ComparisonWithRecord
  ) throws -> ComparisonWithRecord {
    let folder = FileManager.default.temporaryDirectory.appending(
      path: "seismo-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    let box = ComparisonBox(comparison)
    var script = recorded.script
    var checkpoint: Checkpoint?
    for (number, stretch) in stretches.enumerated() {
      let next = number + 1 < stretches.count ? stretches[number + 1].start : nil
      let configuration = try configuration(
        stretch.description, number == 0 ? recorded.firstValues : [:])
      let end = next ?? comparison.steps
      // Before what else is scripted there, and gone by in the stretch after it.
      if end < configuration.steps {
        let stop = ScriptedCommand(step: end, command: .stop)
        script.insert(stop, at: next == nil ? script.count : 0)
      }
      let run = try trainingRun(
        configuration, from: checkpoint, script, checkpoints: next == nil ? nil : folder)
      if number == 0 {
        for line in surroundings(stretch.description, now: run) { Seismo.report(line) }
      }
      box.run(run, before: next ?? .max)
      if next != nil { checkpoint = try CheckpointFolder.read(folder.path) }
    }
    return box.finished()
  }

  private func configuration(
    _ description: RunDescription, _ firstValues: [String: String]
  ) throws -> TrainingConfiguration {
    var options = description.options.filter { !Self.conduct.contains($0.key) }
    options["workers"] = workers.map { "\($0)" }
    guard options["data"] != "-" else {
      throw Failure(
        .badInput, "\(session): its data came from standard input and is not there any more")
    }
    return try TrainingConfiguration(options: options.merging(firstValues) { _, first in first })
  }

  private func trainingRun(
    _ configuration: TrainingConfiguration, from checkpoint: Checkpoint?,
    _ script: [ScriptedCommand], checkpoints: URL?
  ) throws -> TrainingRun {
    let corpus =
      try configuration.dataPath.map { path throws(DataError) in try Corpus.open(path: path) }
      ?? .synthetic()
    guard let checkpoint else {
      return try TrainingRun(
        configuration: configuration, corpus: corpus, script: script, checkpointFolder: checkpoints)
    }
    return try TrainingRun(
      resuming: checkpoint, configuration: configuration, corpus: corpus, script: script,
      checkpointFolder: checkpoints)
  }

  /// What is not as it was, a line each: other bits are to be expected then.
  private func surroundings(_ recorded: RunDescription, now run: TrainingRun) -> [String] {
    let now = run.description(name: "", created: 0).environment
    return recorded.environment.sorted { $0.key < $1.key }.compactMap { key, value in
      guard let present = now[key], present != value else { return nil }
      let what = key.replacing("_", with: " ")
      return "\(what) was \(value), is \(present): other bits are to be expected"
    }
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

extension ComparisonWithRecord {
  fileprivate var firstWords: String {
    if let first {
      return "\(first.name) of step \(first.step) was \(first.recorded), is \(first.found)"
    }
    return missing > 0
      ? "\(missing) recorded numbers did not come again"
      : "\(additional) numbers came that are not recorded"
  }

  fileprivate var text: String {
    let names = leftOut.map(\.path).joined(separator: ", ")
    let left = leftOut.isEmpty ? "" : "; left out, as a clock says them: \(names)"
    let others = unrecorded.map(\.path).joined(separator: ", ")
    let new = unrecorded.isEmpty ? "" : "; measured now, but not then: \(others)"
    let verdict =
      isEqual
      ? "all equal, bit for bit"
      : "\(differing) differ, \(missing) did not come again, \(additional) are new"
    return "\(NumberText.grouped(compared)) numbers of \(metricCount) metrics over "
      + "\(NumberText.grouped(steps)) steps compared: \(verdict)\(left)\(new)"
  }

  fileprivate var json: String {
    let counts =
      "\"compared\":\(compared),\"differing\":\(differing),\"missing\":\(missing),"
      + "\"additional\":\(additional),\"equal\":\(isEqual)"
    guard let first else { return "{\(counts)}" }
    return "{\(counts),\"first\":{\"step\":\(first.step),\"metric\":\"\(first.name)\"}}"
  }
}
