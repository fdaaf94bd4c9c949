package import Formats
import Foundation
import Glibc
import Sessions
package import Telemetry

/// A run's record as it comes on a descriptor: a pipe from the program that trains.
package final class StandardInputLog: AnsweringLog {
  private let descriptor: CInt
  /// Where commands go; nil where the program cannot read them.
  private let commands: CInt?
  private var letters = Correspondence()
  private var run: StreamedRun
  private var isAtEnd = false

  private static let pieceSize = 1 << 16

  package init(
    descriptor: CInt = STDIN_FILENO, commands: CInt? = nil, aliases: MetricAliases = .usual
  ) {
    (self.descriptor, self.commands) = (descriptor, commands)
    run = StreamedRun(name: "stdin", source: "standard input", aliases: aliases)
  }

  package func opening() -> [RunRecord] { run.opening() }

  package func updates(budget: Int) -> [SourceUpdate] {
    let now = Date().timeIntervalSince1970
    var records: [RunRecord] = []
    // A piece holds some six hundred samples.
    var pieces = max(1, budget >> 9)
    while pieces > 0, !isAtEnd, let bytes = next() {
      pieces -= 1
      records += bytes.isEmpty ? end(now) : run.take(bytes, now: now)
    }
    records += settle(now).map { .event($0) }
    records.removeAll { record in
      if case .event(let event) = record { letters.isEcho(event, now: now) } else { false }
    }
    return records.isEmpty ? [] : [.records(records)]
  }

  /// What became of commands.
  private func settle(_ now: Double) -> [RunEvent] {
    let events = run.takeAnswers().flatMap { letters.take($0.answer, to: $0.id, now: now) ?? [] }
    return events + letters.late(now: now)
      + (isAtEnd ? letters.giveUp("the program has ended", now: now) : [])
  }

  package func send(
    _ command: Command, by author: String, reply: (@Sendable (CommandAnswer) -> Void)?
  ) {
    if let refusal, let reply {
      return reply(CommandAnswer(isApplied: false, step: nil, text: refusal))
    }
    guard let commands else { return }
    let now = Date().timeIntervalSince1970
    let request = letters.ask(command, by: author, at: run.lastStep, now: now, reply: reply)
    let line = Array((request.line + "\n").utf8)
    // Who started this process with a pipe for the commands, and reads none of them, is told late.
    _ = write(commands, line, line.count)
  }

  /// The pipe ends with its writer: one that did not say how it ended has finished.
  private func end(_ now: Double) -> [RunRecord] {
    isAtEnd = true
    let rest = run.finish(now: now)
    return rest + (run.hasEnded ? [] : [.state(run.endUnsaid)])
  }

  /// What has come, without waiting; nothing at the end.
  private func next() -> [UInt8]? {
    var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    guard poll(&waiting, 1, 0) > 0 else { return nil }
    return [UInt8](unsafeUninitializedCapacity: Self.pieceSize) { buffer, count in
      count = max(0, read(descriptor, buffer.baseAddress, buffer.count))
    }
  }

  package func wait(milliseconds: Int) {
    var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    if isAtEnd {
      usleep(UInt32(milliseconds) * 1000)
    } else {
      poll(&waiting, 1, CInt(milliseconds))
    }
  }

  package var state: SourceState {
    if isAtEnd { return .ended }
    return run.arrivals.state(now: Date().timeIntervalSince1970, isWriting: true)
  }

  package var refusal: String? {
    if isAtEnd { return "the program has ended" }
    guard commands != nil else {
      return "commands do not go up a pipe: 'seismo ingest -- COMMAND' can"
    }
    return run.obeys ? nil : "this program has not said that it takes commands"
  }
}
