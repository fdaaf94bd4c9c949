import Foundation

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
    add(.eventFiles, events.map { "\(folder)/\($0)" }, name: place)
    for file in files where !file.contains("tfevents") {
      guard let format = LoggedRun.format(ofFileNamed: file) else { continue }
      if format == .csv, file != "metrics.csv" { continue }
      let isNamedByFolder = format == .csv || format == .trainerState
      let stem = URL(fileURLWithPath: file).deletingPathExtension().lastPathComponent
      add(format, ["\(folder)/\(file)"], name: isNamedByFolder ? place : stem)
    }
    let folders = names.filter { FileSystem.isFolder("\(folder)/\($0)") }
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
