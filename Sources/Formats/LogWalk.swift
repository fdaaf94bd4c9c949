import Foundation
import Telemetry

/// Goes through a folder and finds what trainers have left there; links are followed, once.
struct LogWalk {
  let root: String
  private var visited: Set<String> = []
  private var found: [LoggedRun] = []

  init(root: String) {
    self.root = root
  }

  mutating func runs() -> [LoggedRun] {
    visit(root, relative: [])
    return found
  }

  private mutating func visit(_ folder: String, relative: [String]) {
    guard relative.count < 32, visited.insert(SourceFile.resolved(folder)).inserted else { return }
    let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
    let files = names.filter { !FileSystem.isFolder("\(folder)/\($0)") }
    let telling = relative.filter { Self.checkpointStep($0) == nil }
    let root = URL(fileURLWithPath: root).lastPathComponent
    let place = telling.isEmpty ? root : telling.joined(separator: "-")
    let events = files.filter { $0.contains("tfevents") && !$0.hasSuffix(".partial") }
    let folded = events.isEmpty ? [] : Self.foldedFiles(in: folder, names)
    add(.eventFiles, events.map { "\(folder)/\($0)" } + folded, name: place)
    for file in files where !file.contains("tfevents") {
      guard let format = LoggedRun.format(ofFileNamed: file) else { continue }
      if format == .csv, file != "metrics.csv" { continue }
      let isNamedByFolder = format == .csv || format == .trainerState
      let stem = URL(fileURLWithPath: file).deletingPathExtension().lastPathComponent
      add(format, ["\(folder)/\(file)"], name: isNamedByFolder ? place : stem)
    }
    // A link, such as W&B's to its latest run, leads to what has a place of its own.
    let all = names.filter { FileSystem.isFolder("\(folder)/\($0)") }
    let folders =
      all.filter { !FileSystem.isLink("\(folder)/\($0)") }
      + all.filter { FileSystem.isLink("\(folder)/\($0)") }
    // Each checkpoint holds the history of those before it.
    let holdsState = files.contains("trainer_state.json")
    let checkpoints = folders.compactMap(Self.checkpointStep)
    for name in folders {
      if let step = Self.checkpointStep(name), holdsState || step != checkpoints.max() { continue }
      visit("\(folder)/\(name)", relative: relative + [name])
    }
  }

  private mutating func add(_ format: LoggedRun.Format, _ paths: [String], name: String) {
    let fresh = paths.filter { visited.insert(SourceFile.resolved($0)).inserted }
    guard !fresh.isEmpty else { return }
    if format == .wandb, let index = found.firstIndex(where: { $0.isResumed(in: fresh[0]) }) {
      let earlier = found[index]
      found[index] = LoggedRun(
        format: .wandb, paths: earlier.paths + fresh, name: earlier.name)
      return
    }
    let isTaken = found.contains { $0.name == name }
    let last = "\(name)-\(found.count + 1)"
    found.append(LoggedRun(format: format, paths: fresh, name: isTaken ? last : name))
  }

  /// All files of a run that are there now: those that came later too.
  static func files(of run: LoggedRun) -> [String] {
    let folder = FileSystem.folder(of: run.paths[0])
    func list(_ folder: String) -> [String] {
      ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
    }
    switch run.format {
    case .eventFiles:
      let names = list(folder)
      let events = names.filter { $0.contains("tfevents") && !$0.hasSuffix(".partial") }
      let isNamedAlone = !run.paths[0].contains("/")
      return events.map { isNamedAlone ? $0 : "\(folder)/\($0)" } + foldedFiles(in: folder, names)
    case .wandb:
      // A file that was named alone is followed alone.
      let runs = FileSystem.folder(of: folder)
      guard runs != folder, folder != "." else { return run.paths }
      let name = SourceFile.name(of: run.paths[0])
      return list(runs).filter { !FileSystem.isLink("\(runs)/\($0)") }
        .map { "\(runs)/\($0)/\(name)" }
        // Of one that was named by itself those before are not wanted.
        .filter { $0 >= run.paths[0] && FileSystem.exists($0) }
    case .csv, .trainerState, .jsonLines, .textLog, .stream: return run.paths
    }
  }

  /// The event files in folders below that writers make for a run of their own accord: a line of a
  /// chart each, and the hyper-parameters.
  private static func foldedFiles(in folder: String, _ names: [String]) -> [String] {
    names.filter { FileSystem.isFolder("\(folder)/\($0)") }.flatMap { name -> [String] in
      let place = "\(folder)/\(name)"
      let inside = ((try? FileManager.default.contentsOfDirectory(atPath: place)) ?? []).sorted()
      let files = inside.filter { $0.contains("tfevents") && !$0.hasSuffix(".partial") }
        .map { "\(place)/\($0)" }
      guard let first = files.first, belongsAbove(first, folder: name) else { return [] }
      return files
    }
  }

  private static func belongsAbove(_ path: String, folder: String) -> Bool {
    guard let start = try? SourceFile.firstBytes(of: path, count: LogFormat.lookedAt) else {
      return false
    }
    var batch = RunBatch(aliases: .none)
    var decoder = EventFileDecoder(path: path)
    decoder.decode(start, into: &batch)
    if decoder.hasHyperParameters { return true }
    let tags = batch.names.names.map(\.path)
    return !tags.isEmpty && tags.allSatisfy { EventFileDecoder.line(of: folder, tag: $0) != nil }
  }

  private static func checkpointStep(_ name: String) -> Int? {
    name.hasPrefix("checkpoint-") ? Int(name.dropFirst("checkpoint-".count)) : nil
  }
}
