import Foundation

/// Where another tool's record of one run lies.
package struct LoggedRun: Sendable, Equatable {
  package enum Format: Sendable, Equatable {
    case eventFiles, wandb, csv, trainerState, jsonLines, textLog
    /// Of a kind that shows itself with the first bytes.
    case stream
  }

  package let format: Format
  /// One file, or all event files of a folder in the order of their names.
  package let paths: [String]
  /// What tells it from the other runs of the folder or file that was named.
  package let name: String
  /// The run of a long table with several; nil where the file is one run.
  package var part: String?
}

extension LoggedRun {
  /// The runs that lie at `path`, a file or a folder with any depth of folders in it.
  ///
  /// - Throws: `absent`, `unreadable`, `unknown`, `nothingToImport`.
  package static func all(at path: String) throws(FormatError) -> [LoggedRun] {
    guard FileSystem.exists(path) else { throw .absent(path: path) }
    guard FileSystem.isFolder(path) else { return try runs(inFile: path) }
    var walk = LogWalk(root: path)
    let runs = walk.runs()
    guard !runs.isEmpty else { throw .nothingToImport(folder: path) }
    return runs
  }

  /// The runs of a file: its kind is found by looking, its name says it where that fails.
  private static func runs(inFile path: String) throws(FormatError) -> [LoggedRun] {
    let start = try SourceFile.firstBytes(of: path, count: LogFormat.lookedAt)
    if let (tool, unpack) = LogFormat.packer(start) {
      throw .packed(path: path, by: tool, unpack: unpack)
    }
    let looked = LogFormat.of(start, isWhole: start.count < LogFormat.lookedAt)
    let named = format(ofFileNamed: SourceFile.name(of: path))
    guard let format = looked == .textLog ? named ?? .textLog : looked ?? named else {
      throw .unknown(path: path, found: start.isEmpty ? "an empty file" : "no record that is known")
    }
    let run = LoggedRun(format: format, paths: [path], name: runName(path))
    guard format == .csv, LongRows.isHeader(start) else { return [run] }
    let parts = LongRows.runs(in: try SourceFile.bytes(of: path))
    guard parts.count > 1 else { return [run] }
    return parts.map { LoggedRun(format: .csv, paths: [path], name: $0, part: $0) }
  }

  /// A file that is empty, or not there yet.
  package static func stream(at path: String) -> LoggedRun {
    LoggedRun(
      format: format(ofFileNamed: SourceFile.name(of: path)) ?? .stream, paths: [path],
      name: runName(path))
  }

  /// The files of the run that have come since it was found.
  package func laterFiles(than known: Set<String>) -> [String] {
    LogWalk.files(of: self).filter { !known.contains($0) }
  }

  /// What a `.wandb` shares with those that resumed its run: they bear its name in folders beside its
  /// own.
  static func resumptionKey(of path: String) -> String {
    FileSystem.folder(of: FileSystem.folder(of: path)) + "/" + SourceFile.name(of: path)
  }

  /// What tells it from every other run.
  package var key: String { paths[0] + (part.map { "#\($0)" } ?? "") }

  /// When it grew last, in seconds since 1970.
  package var lastChange: Double { paths.map { Self.modified($0) }.max() ?? 0 }

  package static func format(ofFileNamed name: String) -> Format? {
    if name.contains("tfevents") { return .eventFiles }
    if name.hasSuffix(".wandb") { return .wandb }
    if name.hasSuffix(".csv") || name.hasSuffix(".tsv") { return .csv }
    if name == "trainer_state.json" { return .trainerState }
    if name.hasSuffix(".jsonl") || name.hasSuffix(".ndjson") { return .jsonLines }
    return nil
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
