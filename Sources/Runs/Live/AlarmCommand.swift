import Dispatch
import Formats
import Foundation
import Sessions
import Synchronization
import Telemetry

/// Gives a person's own command to the shell, once an alarm, and waits for nothing.
///
/// What the alarm is about is in the command's environment: SEISMO_RULE, SEISMO_STEP, SEISMO_TEXT,
/// SEISMO_HINT, SEISMO_SESSION, each number as SEISMO_VALUE_NAME, and all of it as a line of JSON
/// in SEISMO_EVENT.
final class AlarmCommand: Sendable {
  /// A command that hangs does not pile up.
  private static let limit = 8

  private let words: String
  private let queue = DispatchQueue(label: "seismo.on-alarm", qos: .utility)
  private let state = Mutex(State())
  private let complain: @Sendable (String) -> Void

  private struct State {
    var running = 0
    var hasComplained = false
  }

  /// `complain` is told once what goes wrong with the command.
  init(_ words: String, complain: @escaping @Sendable (String) -> Void) {
    self.words = words
    self.complain = complain
  }

  func take(_ record: RunRecord, session: String) {
    guard case .event(let event) = record, event.kind == .alarm else { return }
    queue.async { [self] in start(event, session: session) }
  }

  /// Returns once a command is started for every alarm so far.
  func finish() {
    queue.sync {}
  }

  private func start(_ event: RunEvent, session: String) {
    let isFree = state.withLock { state in
      guard state.running < Self.limit else { return false }
      state.running += 1
      return true
    }
    guard isFree else { return complainOnce("\(Self.limit) of its processes have not ended yet") }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = ["-c", words]
    process.environment = ProcessInfo.processInfo.environment
      .merging(Self.environment(of: event, session: session)) { _, own in own }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    process.terminationHandler = { [self] process in
      state.withLock { $0.running -= 1 }
      let code = process.terminationStatus
      if code != 0 { complainOnce("it ended with \(code)") }
    }
    do {
      try process.run()
    } catch {
      state.withLock { $0.running -= 1 }
      complainOnce("/bin/sh cannot be started")
    }
  }

  private func complainOnce(_ reason: String) {
    let isFirst = state.withLock { state in
      defer { state.hasComplained = true }
      return !state.hasComplained
    }
    if isFirst { complain("on_alarm: \(reason)") }
  }

  static func environment(of event: RunEvent, session: String) -> [String: String] {
    var environment = [
      "SEISMO_RULE": event.name ?? "", "SEISMO_STEP": "\(event.step)",
      "SEISMO_TEXT": event.text, "SEISMO_HINT": event.hint ?? "",
      "SEISMO_SESSION": URL(fileURLWithPath: session).path,
      "SEISMO_EVENT": JSONLines.line(event),
    ]
    for (name, value) in event.values {
      let key = name.uppercased().map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" }
      environment["SEISMO_VALUE_" + String(key)] = "\(value)"
    }
    return environment
  }
}
