import Formats
import Glibc
import Sessions

/// What every relay does beside telling a run: it prints, takes commands, hands them to the run's
/// control socket and brings back the answers.
final class RelayDesk {
  private let input: CInt
  private let output: CInt
  /// Who makes the run; nil where nobody says.
  var trainer: TrainerAddress? {
    didSet { if trainer != oldValue { wire = nil } }
  }
  private var wire: ControlWire?
  private var answers: [UInt8] = []
  private var commands: [UInt8] = []
  private var isInputOver = false

  private static let longestCommand = 8192
  private static let intervalMilliseconds = 100

  init(input: CInt, output: CInt) {
    (self.input, self.output) = (input, output)
  }

  var isOutputGone: Bool {
    var waiting = pollfd(fd: output, events: 0, revents: 0)
    return poll(&waiting, 1, 0) > 0 && Int32(waiting.revents) & (POLLERR | POLLHUP | POLLNVAL) != 0
  }

  /// Why there are no hands, with what is known of the run's writer; nil where there are.
  func refusal(isWriting: Bool?, unnamed: String) -> String? {
    guard let trainer else { return unnamed }
    guard let control = trainer.control else { return "this file names no control socket" }
    if isWriting == false { return "the program that wrote this file is gone" }
    return ControlFolder.flaw(ofSocket: control)
  }

  /// The members of a relay's own line that tell of hands.
  static func members(_ refusal: String?) -> String {
    let reason = refusal.map { ",\"reason\":\(JSONLines.quoted($0))" } ?? ""
    return "\"hands\":\(refusal == nil)\(reason)"
  }

  /// Prints the answers that have come.
  /// - Returns: false where nobody reads them.
  func takeAnswers() -> Bool {
    while let bytes = wire?.next() { answers += bytes }
    if wire?.isClosed == true { wire = nil }
    guard let end = answers.lastIndex(of: UInt8(ascii: "\n")) else { return true }
    defer { answers.removeSubrange(...end) }
    return put(answers[...end])
  }

  /// Waits for commands where nothing else is to be done.
  func wait(isBusy: Bool) {
    let milliseconds = isBusy ? 0 : Self.intervalMilliseconds
    guard !isInputOver else {
      usleep(UInt32(milliseconds) * 1000)
      return
    }
    var waiting = pollfd(fd: input, events: Int16(POLLIN), revents: 0)
    let limit = answers.isEmpty && wire == nil ? milliseconds : min(milliseconds, 20)
    poll(&waiting, 1, CInt(limit))
  }

  /// Hands the commands that have come on, or says why not.
  func takeCommands(refusal: () -> String?) {
    var waiting = pollfd(fd: input, events: Int16(POLLIN), revents: 0)
    guard !isInputOver, poll(&waiting, 1, 0) > 0 else { return }
    var bytes = [UInt8](repeating: 0, count: Self.longestCommand)
    let count = read(input, &bytes, bytes.count)
    guard count > 0 else {
      isInputOver = true
      return
    }
    commands += bytes.prefix(count)
    var lines = commands.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    commands = Array(lines.removeLast())
    for line in lines where !line.isEmpty { handOver(Array(line), refusal()) }
    guard commands.count > Self.longestCommand else { return }
    isInputOver = true
    refuse([], because: "a line may have \(Self.longestCommand) bytes")
  }

  /// Gives a command on as it came.
  private func handOver(_ line: [UInt8], _ refusal: String?) {
    guard line.count <= Self.longestCommand else {
      return refuse([], because: "a line may have \(Self.longestCommand) bytes")
    }
    if let refusal { return refuse(line, because: refusal) }
    do throws(ControlWire.Flaw) {
      if wire == nil, let control = trainer?.control { wire = try ControlWire(path: control) }
      try wire?.send(String(decoding: line, as: UTF8.self))
    } catch {
      wire = nil
      refuse(line, because: "the run cannot be reached: \(error)")
    }
  }

  private func refuse(_ line: [UInt8], because reason: String) {
    let id = (try? JSONValue(line))?["id"]?.step
    let answer = "{\"answer\":\"refused\",\"reason\":\(JSONLines.quoted(reason))"
    answers += Array((answer + (id.map { ",\"id\":\($0)" } ?? "") + "}\n").utf8)
  }

  func put(_ text: String) -> Bool { put(Array(text.utf8)[...]) }

  /// - Returns: false where nobody reads it.
  func put(_ bytes: ArraySlice<UInt8>) -> Bool {
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
