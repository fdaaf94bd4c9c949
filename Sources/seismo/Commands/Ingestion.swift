import Formats
import Foundation
import Runs
import Sessions
import Signals
import Synchronization
import Telemetry

/// The recording of what one program prints: read on whether a screen shows it or not, with a control
/// socket, until the program ends.
final class Ingestion: RecordSource {
  private typealias Asked = (request: ControlRequest, reply: @Sendable (CommandAnswer) -> Void)

  private let log: MonitoredLog
  private let source: any AnsweringLog
  private let child: ChildLog?
  private let server: ControlServer?
  private let asked = Mailbox()
  private let endRequest = EndRequest()
  private let interrupts: Interrupts
  private var signals = 0
  /// What is yet to be shown, where the run was read on before a screen was there.
  private var isOpen = false

  private final class Mailbox: Sendable {
    private let letters = Mutex<[Asked]>([])

    func post(_ letter: Asked) { letters.withLock { $0.append(letter) } }

    func take() -> [Asked] {
      letters.withLock { letters in
        defer { letters = [] }
        return letters
      }
    }
  }

  /// - Throws: ``RunError`` where the program cannot be started; ``SessionError``.
  init(
    _ command: [String], session path: String, aliases: MetricAliases, echoes: Bool, monitors: Bool
  ) throws {
    let request = endRequest
    interrupts = Interrupts([SIGINT, SIGTERM]) { request.make($0) }
    let person = UserConfiguration.found()
    let thresholds = AlarmThresholds(options: person.alarms)
    // A run without a socket is a run all the same.
    server = try? ControlServer(name: "ingest", passesWords: true)
    let words = command.map(ShellWord.quoted).joined(separator: " ")
    if command.isEmpty {
      // Who reads standard output, and is no person, may have started this to be steered.
      let commands = isatty(STDOUT_FILENO) == 0 ? STDOUT_FILENO : nil
      (source, child) = (StandardInputLog(commands: commands, aliases: aliases), nil)
    } else {
      let child = try ChildLog(command: command, aliases: aliases) { bytes in
        if echoes { try? StandardStream.output.write(bytes) }
      }
      (source, self.child) = (child, child)
    }
    let session: ForeignSession
    do {
      session = try ForeignSession(
        at: path, source: command.isEmpty ? "standard input" : words, thresholds: thresholds,
        control: server?.path)
    } catch {
      child?.signal(SIGKILL)
      server?.close()
      throw error
    }
    log = MonitoredLog(
      source, thresholds: thresholds, session: session, machine: monitors ? .always : .never,
      onAlarm: person.onAlarm)
    server?.start { [asked] request, reply in asked.post((request, reply)) }
  }

  func history() throws -> RunHistory {
    isOpen = true
    return try log.history()
  }

  func updates(budget: Int) -> [SourceUpdate] {
    for (request, reply) in asked.take() {
      source.send(request.command, by: request.author, reply: reply)
    }
    return log.updates(budget: budget)
  }

  var state: SourceState { log.state }
  var refusal: String? { log.refusal }
  var recordingTrouble: String? { log.recordingTrouble }
  func send(_ command: Command, by author: String) { log.send(command, by: author) }

  private var isOver: Bool { log.state == .ended }

  /// Reads on to the program's end, then closes the session. The first signal is the program's to
  /// answer, the third ends it.
  /// - Throws: ``ChildEnd`` with what a program that was started ended with; `interrupted`,
  ///   `terminated` where a signal ended the reading of standard input; `failed` where records are lost.
  func conclude() throws {
    let request = endRequest
    if !isOpen { _ = try history() }
    while !isOver {
      _ = updates(budget: 1 << 18)
      if request.isNew() {
        signals += 1
        guard let child else {
          log.cut()
          break
        }
        child.signal(signals > 2 ? SIGKILL : request.number)
      }
      if !isOver { source.wait(milliseconds: 50) }
    }
    server?.close()
    if let failure = log.finish().failures.last { throw Failure(.failed, failure.text) }
    if child == nil { try request.leaveIfAsked() }
    if let code = child?.end?.code, code != 0 { throw ChildEnd(code: code) }
  }

  /// Hands on the signal that ended a screen.
  func pass(_ signal: Int32) {
    if signal != 0 { endRequest.make(signal) }
  }
}

/// What a program that was started ended with: handed on, and nothing said.
struct ChildEnd: Error {
  let code: Int32
}
