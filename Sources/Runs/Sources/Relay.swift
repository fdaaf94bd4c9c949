import Formats
import Foundation
import Glibc
import Sessions

/// A run out as lines, commands for it in: what `watch host:PATH` runs on the far side.
///
/// Out: a line on the relay itself, then the run, whole lines as they come, and between them the
/// answers to commands. In: commands as on the control socket. A file of lines is told as it stands,
/// any other record as the lines it is worth.
package enum Relay {
  /// Relays what lies at `path`, of a folder the run that grew last, until the run is over and all of
  /// it is printed, or nobody reads any more.
  ///
  /// `offset` is the byte to go on from, of a file of lines.
  /// - Throws: `FormatError`, `SessionError`: what is wrong with what lies there.
  package static func run(
    path: String, from offset: Int, input: CInt = STDIN_FILENO, output: CInt = STDOUT_FILENO
  ) throws {
    let desk = RelayDesk(input: input, output: output)
    switch try place(at: path) {
    case .lines(let path): try LineRelay(path: path, from: offset, desk: desk).run()
    case .record(let run): try RecordRelay(run, desk: desk).run()
    case .session(let path): try RecordRelay(session: path, desk: desk).run()
    }
  }

  enum Place: Equatable {
    case lines(path: String)
    case record(LoggedRun)
    case session(path: String)
  }

  static func place(at path: String) throws(FormatError) -> Place {
    guard FileSystem.isFolder(path) else { return try place(ofFile: path) }
    let sessions = ((try? SessionSummary.paths(in: path)) ?? []).map {
      (place: Place.session(path: $0), change: SessionFiles(path: $0).stamp.lastWritten)
    }
    let logs = ((try? LoggedRun.all(at: path)) ?? []).map {
      (place: place(of: $0), change: $0.lastChange)
    }
    guard let newest = (logs + sessions).max(by: { $0.change < $1.change }) else {
      throw .nothingToImport(folder: path)
    }
    return newest.place
  }

  private static func place(ofFile path: String) throws(FormatError) -> Place {
    guard FileSystem.exists(path) else { throw .absent(path: path) }
    if SessionReference.isSession(path) { return .session(path: path) }
    let runs = try FollowedLog.runs(at: path, waits: false)
    return runs.first.map { place(of: $0) } ?? .lines(path: path)
  }

  private static func place(of run: LoggedRun) -> Place {
    switch run.format {
    case .jsonLines, .csv, .textLog, .stream: .lines(path: run.paths[0])
    case .eventFiles, .wandb, .trainerState: .record(run)
    }
  }
}

/// The lines of one file.
final class LineRelay {
  private let path: String
  private let desk: RelayDesk
  private var offset: Int
  private var node: UInt64
  /// The file's first bytes: others are another file's, of whatever length.
  private var head: [UInt8] = []
  /// Whether the output stands within a line of the file, where nothing else belongs.
  private var isWithinLine = false

  private static let pieceSize = 1 << 20
  /// Longer lines are handed on in pieces.
  private static let longestLine = 1 << 23
  private static let headSize = 256

  /// - Throws: `absent`, `unreadable`.
  init(path: String, from offset: Int, desk: RelayDesk) throws(FormatError) {
    (self.path, self.desk) = (path, desk)
    desk.trainer = try TrainerAddress.last(inFileAt: path)
    let stamp = FileSystem.stamp(path)
    node = stamp.node
    // What is shorter than that was cut or replaced.
    self.offset = offset <= stamp.size ? offset : 0
    head = try Self.head(path, count: min(Self.headSize, self.offset))
  }

  private static func head(_ path: String, count: Int) throws(FormatError) -> [UInt8] {
    guard count > 0 else { return [] }
    var file = try SourceFile(path)
    return try file.next(upTo: count) ?? []
  }

  /// - Throws: `unreadable` where the file cannot be read any more.
  func run() throws(FormatError) {
    guard greet() else { return }
    while !desk.isOutputGone {
      let isOver = desk.trainer?.isWriting(path) == false
      guard let count = try printLines() else { return }
      if count == 0, isOver { return }
      guard isWithinLine || desk.takeAnswers() else { return }
      desk.wait(isBusy: count > 0)
      desk.takeCommands { refusal }
    }
  }

  private var refusal: String? {
    desk.refusal(
      isWriting: desk.trainer?.isWriting(path), unnamed: "the file has no line on its run")
  }

  private func greet() -> Bool {
    let shown = JSONLines.quoted(URL(fileURLWithPath: path).path)
    return desk.put(
      "{\"relay\":{\"protocol\":1,\"path\":\(shown),\"offset\":\(offset),"
        + "\(RelayDesk.members(refusal))}}\n")
  }

  /// Prints the whole lines that have come; half a line waits for its end.
  /// - Returns: how many bytes; nil where nobody reads them.
  private func printLines() throws(FormatError) -> Int? {
    let stamp = FileSystem.stamp(path)
    guard stamp.node != 0 else { throw .absent(path: path) }
    var isAnother = false
    if stamp.size > offset { isAnother = try Self.head(path, count: head.count) != head }
    if stamp.node != node || stamp.size < offset || isAnother {
      (node, offset, isWithinLine, head) = (stamp.node, 0, false, [])
      desk.trainer = try TrainerAddress.last(inFileAt: path)
      guard greet() else { return nil }
    }
    guard stamp.size > offset else { return 0 }
    var file = try SourceFile(path)
    file.seek(to: offset)
    var bytes = try file.next(upTo: Self.pieceSize) ?? []
    while !bytes.contains(UInt8(ascii: "\n")), bytes.count < Self.longestLine,
      let more = try file.next(upTo: Self.pieceSize)
    { bytes += more }
    let end = bytes.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 }
    guard let count = end ?? (bytes.count >= Self.longestLine ? bytes.count : nil) else { return 0 }
    guard desk.put(bytes[..<count]) else { return nil }
    isWithinLine = end == nil
    if head.count < Self.headSize, offset == head.count {
      head += bytes.prefix(min(count, Self.headSize - head.count))
    }
    offset += count
    noteTrainer(bytes[..<count])
    return count
  }

  /// The run may be gone on with by another process.
  private func noteTrainer(_ bytes: ArraySlice<UInt8>) {
    let start = Array(#"{"run":"#.utf8)
    guard bytes.firstRange(of: start) != nil else { return }
    for line in bytes.split(separator: UInt8(ascii: "\n")) {
      if let found = TrainerAddress(line: line) { desk.trainer = found }
    }
  }
}
