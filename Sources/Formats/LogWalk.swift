import Foundation
import Telemetry

/// Goes through a folder and finds what trainers have left there; links are followed, once.
struct LogWalk {
  let root: String
  private let rootName: String
  private var visited: Set<String> = []
  private var found: [LoggedRun] = []
  private var names: Set<String> = []
  /// Where among those found the runs of W&B stand, by what its resumptions share with each.
  private var resumable: [String: Int] = [:]

  init(root: String) {
    self.root = root
    rootName = URL(fileURLWithPath: root).lastPathComponent
  }

  mutating func runs() -> [LoggedRun] {
    visit(Place(path: root, resolved: SourceFile.resolved(root), relative: []))
    return found
  }

  /// A folder on the way.
  private struct Place {
    let path: String
    /// The same without links.
    let resolved: String
    /// The folders from the root on.
    let relative: [String]

    func path(of entry: FileSystem.Entry) -> String { "\(path)/\(entry.name)" }

    func resolved(_ entry: FileSystem.Entry) -> String {
      entry.isLink ? SourceFile.resolved(path(of: entry)) : "\(resolved)/\(entry.name)"
    }

    func inside(_ entry: FileSystem.Entry) -> Place {
      Place(
        path: path(of: entry), resolved: resolved(entry), relative: relative + [entry.name])
    }
  }

  /// A file, and the same without links.
  private struct Found {
    let path: String
    let resolved: String
  }

  private mutating func visit(_ place: Place) {
    guard place.relative.count < 32, visited.insert(place.resolved).inserted else { return }
    let entries = FileSystem.entries(of: place.path)
    addFiles(of: place, entries)
    // A link, such as W&B's to its latest run, leads to what has a place of its own.
    let folders =
      entries.filter { $0.isFolder && !$0.isLink } + entries.filter { $0.isFolder && $0.isLink }
    // Each checkpoint holds the history of those before it.
    let holdsState = entries.contains { !$0.isFolder && $0.name == "trainer_state.json" }
    let newest = folders.compactMap { Self.checkpointStep($0.name) }.max()
    for entry in folders {
      if let step = Self.checkpointStep(entry.name), holdsState || step != newest { continue }
      visit(place.inside(entry))
    }
  }

  private mutating func addFiles(of place: Place, _ entries: [FileSystem.Entry]) {
    let telling = place.relative.filter { Self.checkpointStep($0) == nil }
    let name = telling.isEmpty ? rootName : telling.joined(separator: "-")
    let files = entries.filter { !$0.isFolder }
    let events = files.filter { Self.isEvents($0.name) }
    let folded = events.isEmpty ? [] : Self.foldedFiles(in: place.path, entries)
    let eventFiles =
      events.map { Found(path: place.path(of: $0), resolved: place.resolved($0)) }
      + folded.map { Found(path: $0, resolved: SourceFile.resolved($0)) }
    add(.eventFiles, eventFiles, name: name)
    for file in files where !file.name.contains("tfevents") {
      guard let format = LoggedRun.format(ofFileNamed: file.name) else { continue }
      if format == .csv, file.name != "metrics.csv" { continue }
      let isNamedByFolder = format == .csv || format == .trainerState
      add(
        format, [Found(path: place.path(of: file), resolved: place.resolved(file))],
        name: isNamedByFolder ? name : Self.stem(of: file.name))
    }
  }

  private static func isEvents(_ name: String) -> Bool {
    name.contains("tfevents") && !name.hasSuffix(".partial")
  }

  private static func stem(of name: String) -> String {
    guard let dot = name.lastIndex(of: "."), dot > name.startIndex else { return name }
    return String(name[..<dot])
  }

  private mutating func add(
    _ format: LoggedRun.Format, _ paths: [Found], name: String
  ) {
    let fresh = paths.filter { visited.insert($0.resolved).inserted }.map(\.path)
    guard !fresh.isEmpty else { return }
    if format == .wandb {
      let key = LoggedRun.resumptionKey(of: fresh[0])
      if let index = resumable[key] {
        let earlier = found[index]
        found[index] = LoggedRun(format: .wandb, paths: earlier.paths + fresh, name: earlier.name)
        return
      }
      resumable[key] = found.count
    }
    let last = "\(name)-\(found.count + 1)"
    let isTaken = !names.insert(name).inserted
    if isTaken { names.insert(last) }
    found.append(LoggedRun(format: format, paths: fresh, name: isTaken ? last : name))
  }

  /// All files of a run that are there now: those that came later too.
  static func files(of run: LoggedRun) -> [String] {
    let folder = FileSystem.folder(of: run.paths[0])
    switch run.format {
    case .eventFiles:
      let entries = FileSystem.entries(of: folder)
      let events = entries.map(\.name).filter(isEvents)
      let isNamedAlone = !run.paths[0].contains("/")
      return events.map { isNamedAlone ? $0 : "\(folder)/\($0)" }
        + foldedFiles(in: folder, entries)
    case .wandb:
      // A file that was named alone is followed alone.
      let runs = FileSystem.folder(of: folder)
      guard runs != folder, folder != "." else { return run.paths }
      let name = SourceFile.name(of: run.paths[0])
      return FileSystem.entries(of: runs).filter { !$0.isLink }
        .map { "\(runs)/\($0.name)/\(name)" }
        // Of one that was named by itself those before are not wanted.
        .filter { $0 >= run.paths[0] && FileSystem.exists($0) }
    case .csv, .trainerState, .jsonLines, .textLog, .stream: return run.paths
    }
  }

  /// The event files in folders below that writers make for a run of their own accord: a line of a
  /// chart each, and the hyper-parameters.
  private static func foldedFiles(
    in folder: String, _ entries: [FileSystem.Entry]
  ) -> [String] {
    entries.filter(\.isFolder).flatMap { entry -> [String] in
      let place = "\(folder)/\(entry.name)"
      let files = FileSystem.entries(of: place).map(\.name).filter(isEvents)
        .map { "\(place)/\($0)" }
      guard let first = files.first, belongsAbove(first, folder: entry.name) else { return [] }
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
