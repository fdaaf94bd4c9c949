package import Formats
import Foundation
import Glibc
import Sessions
package import Telemetry

/// What a program prints that is run as a child: both its outputs, as they come. Commands go to its
/// standard input, or to its socket where it names one.
package final class ChildLog: AnsweringLog {
  private let child: ChildProcess
  private let wire: ControlWire
  private let echo: ([UInt8]) -> Void
  private var run: StreamedRun
  private var letters = Correspondence()
  private let hands: TrainerHands
  /// How the child ended, once all that it printed has been read.
  package private(set) var end: ChildProcess.End?

  /// Starts the program; `echo` is given all that it prints.
  /// - Throws: ``RunError/notStarted(command:reason:)``.
  package init(
    command words: [String], aliases: MetricAliases = .usual,
    echo: @escaping ([UInt8]) -> Void = { _ in }
  ) throws(RunError) {
    let ends: (wire: ControlWire, other: CInt)
    do throws(ControlWire.Flaw) {
      ends = try ControlWire.pair()
    } catch {
      throw .notStarted(command: words.first ?? "", reason: error.description)
    }
    defer { close(ends.other) }
    child = try ChildProcess(
      words, input: ends.other, output: ends.other, errors: ends.other, leadsGroup: true)
    (wire, self.echo) = (ends.wire, echo)
    let name = words.first.map { URL(fileURLWithPath: $0).lastPathComponent } ?? "run"
    let source = words.map(ShellWord.quoted).joined(separator: " ")
    run = StreamedRun(name: name, source: source, aliases: aliases)
    hands = TrainerHands(log: name)
  }

  package func opening() -> [RunRecord] { run.opening() }

  package func updates(budget: Int) -> [SourceUpdate] {
    let now = Date().timeIntervalSince1970
    var records: [RunRecord] = []
    var pieces = max(1, budget >> 9)
    while pieces > 0, let bytes = wire.next() {
      pieces -= 1
      echo(bytes)
      records += run.take(bytes, now: now)
    }
    try? wire.flush()
    records += settle(now).map { .event($0) }
    records.removeAll { record in
      guard case .event(let event) = record else { return false }
      return letters.isEcho(event, now: now) || hands.isEcho(event, now: now)
    }
    if end == nil, wire.isClosed || pieces > 0, let found = child.poll() {
      records += finished(found, now)
    }
    return records.isEmpty ? [] : [.records(records)]
  }

  /// What became of commands.
  private func settle(_ now: Double) -> [RunEvent] {
    var events = run.takeAnswers().flatMap { letters.take($0.answer, to: $0.id, now: now) ?? [] }
    if let trainer = run.trainer { hands.look(at: trainer, now: now) { end == nil } }
    events += letters.late(now: now) + hands.tend(now: now)
    if end != nil { events += letters.giveUp("the program has ended", now: now) }
    return events
  }

  /// A program may leave others behind that hold its outputs: all that it printed itself is there.
  private func finished(_ found: ChildProcess.End, _ now: Double) -> [RunRecord] {
    var records: [RunRecord] = []
    while let bytes = wire.next() {
      echo(bytes)
      records += run.take(bytes, now: now)
    }
    end = found
    records += run.finish(now: now)
    guard !run.hasEnded else { return records }
    let state: RunState =
      switch found {
      case .exited(0): .finished
      case .exited(let code): .failed(reason: "it ended with \(code)")
      case .signalled(SIGINT), .signalled(SIGTERM): .stopped
      case .signalled(let number): .failed(reason: "it was ended by signal \(number)")
      }
    return records + [.state(state)]
  }

  package var state: SourceState {
    end != nil
      ? .ended : run.arrivals.state(now: Date().timeIntervalSince1970, isWriting: true)
  }

  package var process: Int32? { child.number }

  package var control: String? { usesSocket ? run.trainer?.control : nil }

  private var usesSocket: Bool { run.trainer?.control != nil && hands.refusal == nil }

  package var refusal: String? {
    if end != nil { return "the program has ended" }
    return usesSocket || run.obeys ? nil : "this program has not said that it takes commands"
  }

  package func send(
    _ command: Command, by author: String, reply: (@Sendable (CommandAnswer) -> Void)?
  ) {
    let now = Date().timeIntervalSince1970
    if let refusal, let reply {
      return reply(CommandAnswer(isApplied: false, step: nil, text: refusal))
    }
    if usesSocket, reply == nil {
      return hands.send(command, by: author, at: run.lastStep, now: now)
    }
    let request = letters.ask(command, by: author, at: run.lastStep, now: now, reply: reply)
    try? wire.send(request.line)
  }

  /// Sends the program, and what it has started, a signal.
  package func signal(_ number: Int32) { child.send(number) }

  package func wait(milliseconds: Int) {
    if wire.isClosed {
      usleep(UInt32(milliseconds) * 1000)
    } else {
      wire.wait(milliseconds: milliseconds)
    }
  }
}
