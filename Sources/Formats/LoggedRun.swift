import Foundation

/// Where another tool's record of one run lies.
package struct LoggedRun: Sendable, Equatable {
  package enum Format: Sendable, Equatable {
    case eventFiles, wandb, csv, trainerState, jsonLines
  }

  package let format: Format
  /// One file, or all event files of a folder in the order of their names.
  package let paths: [String]
  /// What tells it from the other runs of the folder that was named.
  package let name: String
}

extension LoggedRun {
  /// The runs that lie at `path`, a file or a folder with any depth of folders in it.
  ///
  /// - Throws: `absent`, `unreadable`, `unknown`, `nothingToImport`.
  package static func all(at path: String) throws(FormatError) -> [LoggedRun] {
    guard FileSystem.exists(path) else { throw .absent(path: path) }
    guard SourceFile.isFolder(path) else { return [try file(path)] }
    var walk = LogWalk(root: path)
    let runs = walk.runs()
    guard !runs.isEmpty else { throw .nothingToImport(folder: path) }
    return runs
  }

  private static func file(_ path: String) throws(FormatError) -> LoggedRun {
    let name = SourceFile.name(of: path)
    if let format = format(ofFileNamed: name) {
      return LoggedRun(format: format, paths: [path], name: runName(path))
    }
    let bytes = try SourceFile.bytes(of: path)
    guard let format = format(of: bytes) else {
      throw .unknown(path: path, found: bytes.isEmpty ? "an empty file" : "no record that is known")
    }
    return LoggedRun(format: format, paths: [path], name: runName(path))
  }

  static func format(ofFileNamed name: String) -> Format? {
    if name.contains("tfevents") { return .eventFiles }
    if name.hasSuffix(".wandb") { return .wandb }
    if name.hasSuffix(".csv") { return .csv }
    if name == "trainer_state.json" { return .trainerState }
    if name.hasSuffix(".jsonl") || name.hasSuffix(".ndjson") { return .jsonLines }
    return nil
  }

  private static func format(of bytes: [UInt8]) -> Format? {
    if bytes.starts(with: WandbLog.magic) { return .wandb }
    var frames = EventFrames(bytes)
    if case .event = frames.next() { return .eventFiles }
    guard let first = bytes.first(where: { $0 > 0x20 }), first == UInt8(ascii: "{") else {
      return nil
    }
    let isState = (try? JSONValue(bytes))?["log_history"] != nil
    return isState ? .trainerState : .jsonLines
  }

  /// A file whose name says nothing of the run is named by its folder.
  private static func runName(_ path: String) -> String {
    let url = URL(fileURLWithPath: path)
    let name = url.lastPathComponent
    let isGeneric =
      name == "metrics.csv" || name == "trainer_state.json" || name.contains("tfevents")
    let named = isGeneric ? url.deletingLastPathComponent() : url.deletingPathExtension()
    return named.lastPathComponent
  }
}

/// Goes through a folder and finds what trainers have left there; links are followed, once.
private struct LogWalk {
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
    let files = names.filter { !SourceFile.isFolder("\(folder)/\($0)") }
    let telling = relative.filter { Self.checkpointStep($0) == nil }
    let root = URL(fileURLWithPath: root).lastPathComponent
    let place = telling.isEmpty ? root : telling.joined(separator: "-")
    let events = files.filter { $0.contains("tfevents") && !$0.hasSuffix(".partial") }
    add(.eventFiles, events.map { "\(folder)/\($0)" }, name: place)
    for file in files where !file.contains("tfevents") {
      guard let format = LoggedRun.format(ofFileNamed: file) else { continue }
      switch format {
      case .csv where file != "metrics.csv": continue
      case .csv, .trainerState: add(format, ["\(folder)/\(file)"], name: place)
      case .wandb, .jsonLines, .eventFiles:
        let stem = URL(fileURLWithPath: file).deletingPathExtension().lastPathComponent
        add(format, ["\(folder)/\(file)"], name: stem)
      }
    }
    let folders = names.filter { SourceFile.isFolder("\(folder)/\($0)") }
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
    let isTaken = found.contains { $0.name == name }
    let last = "\(name)-\(found.count + 1)"
    found.append(LoggedRun(format: format, paths: fresh, name: isTaken ? last : name))
  }

  private static func checkpointStep(_ name: String) -> Int? {
    name.hasPrefix("checkpoint-") ? Int(name.dropFirst("checkpoint-".count)) : nil
  }
}
