package import Formats
import Foundation
import Glibc
import Sessions

/// A file's lines out, commands for the run that writes it in: what `watch host:PATH` runs on the far
/// side.
///
/// Out: a line on the relay itself, then the file's lines as they stand and come, whole, and between
/// them the answers to commands. In: commands as on the control socket.
package final class Relay {
  private let path: String
  private let input: CInt
  private let output: CInt
  private var offset: Int
  private var node: UInt64
  private var trainer: TrainerAddress?
  private var wire: ControlWire?
  private var answers: [UInt8] = []
  private var commands: [UInt8] = []
  private var isInputOver = false
  /// Whether the output stands within a line of the file, where nothing else belongs.
  private var isWithinLine = false

  private static let pieceSize = 1 << 20
  /// Longer lines are handed on in pieces.
  private static let longestLine = 1 << 23
  private static let longestCommand = 8192
  private static let intervalMilliseconds = 100

  /// Opens the file at `path`, or the newest file of lines in the folder there.
  /// - Throws: `absent`, `unreadable`, `nothingToImport`.
  package init(
    path: String, from offset: Int, input: CInt = STDIN_FILENO, output: CInt = STDOUT_FILENO
  ) throws(FormatError) {
    self.path = try Self.file(at: path)
    (self.input, self.output) = (input, output)
    trainer = try TrainerAddress.last(inFileAt: self.path)
    let stamp = FileSystem.stamp(self.path)
    node = stamp.node
    // What is shorter than that was cut or replaced.
    self.offset = offset <= stamp.size ? offset : 0
  }

  private static func file(at path: String) throws(FormatError) -> String {
    guard FileSystem.isFolder(path) else {
      guard !SessionReference.isSession(path) || !FileSystem.exists(path) else {
        throw .unknown(path: path, found: "a session, which 'seismo watch' shows where it lies")
      }
      return path
    }
    let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    let files = names.filter { $0.hasSuffix(".jsonl") }.map { "\(path)/\($0)" }
    let stamps = files.map { (path: $0, stamp: FileSystem.stamp($0)) }
    let newest = stamps.max {
      ($0.stamp.seconds, $0.stamp.nanoseconds) < ($1.stamp.seconds, $1.stamp.nanoseconds)
    }
    guard let newest else { throw .nothingToImport(folder: path) }
    return newest.path
  }

  /// Relays until the run is over and all of it is printed, or nobody reads any more.
  /// - Throws: `unreadable` where the file cannot be read any more.
  package func run() throws(FormatError) {
    guard greet() else { return }
    while !isOutputGone {
      let isOver = trainer?.isWriting(path) == false
      guard let count = try printLines() else { return }
      if count == 0, isOver { return }
      guard takeAnswers() else { return }
      waitForCommands(milliseconds: count > 0 ? 0 : Self.intervalMilliseconds)
      guard takeCommands() else { return }
    }
  }

  private var isOutputGone: Bool {
    var waiting = pollfd(fd: output, events: 0, revents: 0)
    return poll(&waiting, 1, 0) > 0 && Int32(waiting.revents) & (POLLERR | POLLHUP | POLLNVAL) != 0
  }
}

extension Relay {
  /// Why there are no hands; nil where there are.
  private var refusal: String? {
    guard let trainer else { return "the file has no line on its run" }
    guard let control = trainer.control else { return "this file names no control socket" }
    if trainer.isWriting(path) == false { return "the program that wrote this file is gone" }
    return ControlFolder.flaw(ofSocket: control)
  }

  private func greet() -> Bool {
    let refusal = refusal
    let reason = refusal.map { ",\"reason\":\(JSONLines.quoted($0))" } ?? ""
    let shown = JSONLines.quoted(URL(fileURLWithPath: path).path)
    return put(
      "{\"relay\":{\"protocol\":1,\"path\":\(shown),\"offset\":\(offset),"
        + "\"hands\":\(refusal == nil)\(reason)}}\n")
  }

  /// Prints the whole lines that have come; half a line waits for its end.
  /// - Returns: how many bytes; nil where nobody reads them.
  private func printLines() throws(FormatError) -> Int? {
    let stamp = FileSystem.stamp(path)
    guard stamp.node != 0 else { throw .absent(path: path) }
    if stamp.node != node || stamp.size < offset {
      (node, offset, isWithinLine) = (stamp.node, 0, false)
      trainer = try TrainerAddress.last(inFileAt: path)
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
    guard put(bytes[..<count]) else { return nil }
    isWithinLine = end == nil
    offset += count
    noteTrainer(bytes[..<count])
    return count
  }

  /// The run may be gone on with by another process.
  private func noteTrainer(_ bytes: ArraySlice<UInt8>) {
    let start = Array(#"{"run":"#.utf8)
    guard bytes.firstRange(of: start) != nil else { return }
    for line in bytes.split(separator: UInt8(ascii: "\n")) {
      guard let found = TrainerAddress(line: line), found != trainer else { continue }
      (trainer, wire) = (found, nil)
    }
  }

  /// - Returns: false where nobody reads them.
  private func takeAnswers() -> Bool {
    while let bytes = wire?.next() { answers += bytes }
    if wire?.isClosed == true { wire = nil }
    guard !isWithinLine, let end = answers.lastIndex(of: UInt8(ascii: "\n")) else { return true }
    defer { answers.removeSubrange(...end) }
    return put(answers[...end])
  }

  private func waitForCommands(milliseconds: Int) {
    guard !isInputOver else {
      usleep(UInt32(milliseconds) * 1000)
      return
    }
    var waiting = pollfd(fd: input, events: Int16(POLLIN), revents: 0)
    let limit = answers.isEmpty && wire == nil ? milliseconds : min(milliseconds, 20)
    poll(&waiting, 1, CInt(limit))
  }

  private func takeCommands() -> Bool {
    var waiting = pollfd(fd: input, events: Int16(POLLIN), revents: 0)
    guard !isInputOver, poll(&waiting, 1, 0) > 0 else { return true }
    var bytes = [UInt8](repeating: 0, count: Self.longestCommand)
    let count = read(input, &bytes, bytes.count)
    guard count > 0 else {
      isInputOver = true
      return true
    }
    commands += bytes.prefix(count)
    var lines = commands.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    commands = Array(lines.removeLast())
    for line in lines where !line.isEmpty {
      guard handOver(Array(line)) else { return false }
    }
    guard commands.count > Self.longestCommand else { return true }
    isInputOver = true
    return refuse([], because: "a line may have \(Self.longestCommand) bytes")
  }

  /// Gives a command on as it came.
  private func handOver(_ line: [UInt8]) -> Bool {
    guard line.count <= Self.longestCommand else {
      return refuse([], because: "a line may have \(Self.longestCommand) bytes")
    }
    if let refusal { return refuse(line, because: refusal) }
    do throws(ControlWire.Flaw) {
      if wire == nil, let control = trainer?.control { wire = try ControlWire(path: control) }
      try wire?.send(String(decoding: line, as: UTF8.self))
      return true
    } catch {
      wire = nil
      return refuse(line, because: "the run cannot be reached: \(error)")
    }
  }

  private func refuse(_ line: [UInt8], because reason: String) -> Bool {
    let id = (try? JSONValue(line))?["id"]?.step
    let answer = "{\"answer\":\"refused\",\"reason\":\(JSONLines.quoted(reason))"
    answers += Array((answer + (id.map { ",\"id\":\($0)" } ?? "") + "}\n").utf8)
    return true
  }

  private func put(_ text: String) -> Bool { put(Array(text.utf8)[...]) }

  /// - Returns: false where nobody reads it.
  private func put(_ bytes: ArraySlice<UInt8>) -> Bool {
    var rest = bytes
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { write(output, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return false }
      rest = rest.dropFirst(count)
    }
    return true
  }
}
