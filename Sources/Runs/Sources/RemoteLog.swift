package import Formats
import Foundation
import Glibc
import Sessions
import Signals
import Synchronization
package import Telemetry

/// A record on another machine, followed over the system's `ssh`.
///
/// The connection that breaks is made again, with pauses that grow, from the byte that was reached, so
/// that nothing is lost or told twice. What comes is another machine's word: it is decoded, and no
/// path in it is followed here.
package final class RemoteLog: AnsweringLog {
  private enum Link {
    case connected(Connection)
    case waiting(until: Double)
    /// The run is over and all of it has come.
    case over
  }

  private let place: RemotePlace
  private let program: String
  private var run: StreamedRun
  private var link = Link.waiting(until: 0)
  private var offset = 0
  private var letters = Correspondence()
  private var failures = 0
  private var trouble: String?
  private var handRefusal: String?
  /// Whether a relay has ever been heard of: before, what goes wrong is the caller's to tell.
  private var hasBegun = false
  private var hasToldOfSkipped = false
  /// Which run is told from its beginning with each connection, and what of it was told.
  private var mark: String?
  private var told = ToldSamples()

  private static let shortestPause = 0.25
  private static let longestPause = 30.0
  /// A record that goes on coming is shown after so many seconds.
  private static let openingSeconds = 1.5

  /// `program` is the `ssh` to use.
  package init(_ place: RemotePlace, aliases: MetricAliases = .usual, program: String = "ssh") {
    (self.place, self.program) = (place, program)
    run = StreamedRun(name: place.name, source: place.words, aliases: aliases)
  }

  /// Connects for the first time, when `ssh` may still ask on the terminal, and gives what has come
  /// until there is a pause.
  /// - Throws: ``RunError/farAway(place:reason:)`` where there is no connection or no such file.
  package func opening() throws -> [RunRecord] {
    var records = run.opening()
    let connection = try Connection(place, program, from: 0, isInteractive: true)
    link = .connected(connection)
    var begun: Double?
    while true {
      connection.wait(milliseconds: 200)
      let now = Self.now()
      let arrived = read(connection, budget: 1 << 16, now)
      records += arrived
      if let end = connection.end() { try take(end, of: connection, isFirst: !hasBegun) }
      guard case .connected = link else { break }
      if hasBegun { begun = begun ?? now }
      if let begun, arrived.isEmpty || now - begun > Self.openingSeconds { break }
    }
    return records
  }

  package func updates(budget: Int) -> [SourceUpdate] {
    let now = Self.now()
    var records: [RunRecord] = []
    switch link {
    case .connected(let connection):
      records += read(connection, budget: budget, now)
      if let end = connection.end() {
        records += read(connection, budget: budget, now)
        try? take(end, of: connection, isFirst: false)
      }
    case .waiting(let time) where now >= time: reconnect()
    case .waiting, .over: break
    }
    let told = letters.late(now: now) + lost(now)
    records += told.map { .event($0) }
    return records.isEmpty ? [] : [.records(records)]
  }

  /// What is asked of a run that has ended has no answer.
  private func lost(_ now: Double) -> [RunEvent] {
    guard case .over = link, !letters.isSettled else { return [] }
    return letters.giveUp("the run is over", now: now)
  }

  private func read(_ connection: Connection, budget: Int, _ now: Double) -> [RunRecord] {
    var records: [RunRecord] = []
    var pieces = max(1, budget >> 9)
    while pieces > 0, let bytes = connection.wire.next() {
      pieces -= 1
      for piece in connection.stream.take(bytes) {
        records += take(piece, from: connection, now)
        guard isPresent(connection) else { return records }
      }
      offset = connection.stream.offset
      if connection.stream.isSenseless { connection.close() }
    }
    try? connection.wire.flush()
    if connection.stream.skipped > 0, !hasToldOfSkipped {
      hasToldOfSkipped = true
      let most = RelayStream.longestLine >> 20
      records.append(
        .console(wallTime: now, line: "\(place.words): lines of more than \(most) MiB left out"))
    }
    return records
  }

  /// Whether nothing has put an end to the connection.
  private func isPresent(_ connection: Connection) -> Bool {
    if case .connected(let present) = link { present === connection } else { false }
  }

  private func take(
    _ piece: RelayStream.Piece, from connection: Connection, _ now: Double
  ) -> [RunRecord] {
    switch piece {
    case .greeting(let greeting):
      return begin(greeting, connection)
    case .file(let bytes):
      return shown(run.take(bytes, now: now), now)
    case .line(let line):
      if let events = letters.take(Array(line.dropLast()), now: now) {
        return events.map { .event($0) }
      }
      connection.stream.count(line)
      return shown(run.take(line, now: now), now)
    }
  }

  /// Without what an answer has told already.
  private func shown(_ records: [RunRecord], _ now: Double) -> [RunRecord] {
    let records = mark == nil ? records : told.unsaid(next: records)
    return records.filter { record in
      if case .event(let event) = record { !letters.isEcho(event, now: now) } else { true }
    }
  }

  private func begin(_ greeting: RelayStream.Greeting, _ connection: Connection) -> [RunRecord] {
    hasBegun = true
    (failures, trouble) = (0, nil)
    handRefusal = greeting.refusal
    if let mark = greeting.mark {
      begin(mark)
    } else if connection.asked != greeting.offset {
      // The file has been cut or replaced: it is another one, from its beginning on.
      run.startAgain()
      connection.asked = nil
      if greeting.offset > 0 {
        connection.close()
        offset = 0
        link = .waiting(until: 0)
        return []
      }
    }
    // A second greeting is another file's.
    connection.asked = nil
    if greeting.refusal == nil {
      for request in letters.open { try? connection.wire.send(request.line) }
    }
    return []
  }

  /// The run is told from its beginning.
  private func begin(_ mark: String) {
    defer { self.mark = mark }
    guard let known = self.mark else { return }
    // Of a file that was short then nothing but its place is known.
    if known.hasPrefix(mark) || mark.hasPrefix(known) {
      told.beginAgain()
      run.beginAgain()
    } else {
      told = ToldSamples()
      run.startAgain()
    }
  }

  package var state: SourceState {
    if let trouble { return .unreachable(reason: trouble) }
    if case .over = link {
      return run.hasEnded ? .ended : .gone(remark: "ended without an end record (killed?)")
    }
    return run.arrivals.state(now: Self.now(), isWriting: nil)
  }

  package var refusal: String? {
    switch link {
    case .over: "the run is over"
    case .waiting: "not connected: it is given once there is a connection again"
    case .connected: handRefusal
    }
  }

  package func send(
    _ command: Command, by author: String, reply: (@Sendable (CommandAnswer) -> Void)?
  ) {
    let request = letters.ask(command, by: author, at: run.lastStep, now: Self.now(), reply: reply)
    if case .connected(let connection) = link { try? connection.wire.send(request.line) }
  }

  package func finish() -> (isAnswered: Bool, failures: [RunEvent]) {
    let deadline = Self.now() + 2
    var events: [RunEvent] = []
    while !letters.isSettled, Self.now() < deadline, case .connected(let connection) = link {
      connection.wire.wait(milliseconds: 100)
      for case .records(let records) in updates(budget: 1 << 12) {
        for case .event(let event) in records where event.kind == .refused { events.append(event) }
      }
    }
    close()
    return (letters.isSettled, events)
  }

  /// Connects, gives one command to the run over there and waits for its answer.
  ///
  /// - Throws: ``RunError/farAway(place:reason:)`` where there is no connection,
  ///   ``ControlError`` `handless` where the far side takes no commands, `silent` where none has
  ///   answered in time.
  package func ask(
    _ command: Command, by author: String, timeoutSeconds: Int
  ) throws -> CommandAnswer {
    _ = try opening()
    defer { close() }
    if let refusal { throw ControlError.handless(log: place.words, reason: refusal) }
    let letter = AnsweredLetter()
    send(command, by: author) { letter.take($0) }
    let deadline = Self.now() + Double(timeoutSeconds)
    while Self.now() < deadline {
      _ = updates(budget: 1 << 18)
      if let answer = letter.answer { return answer }
      wait(milliseconds: 50)
    }
    throw ControlError.silent(session: place.words, seconds: timeoutSeconds)
  }

  private func close() {
    if case .connected(let connection) = link { connection.close() }
  }

  private static func now() -> Double { Date().timeIntervalSince1970 }
}

/// The answer to one command, once it has come.
private final class AnsweredLetter: Sendable {
  private let content = Mutex<CommandAnswer?>(nil)

  var answer: CommandAnswer? { content.withLock { $0 } }

  func take(_ answer: CommandAnswer) { content.withLock { $0 = answer } }
}

extension RemoteLog {
  /// The far side, or the way there, has ended.
  private func take(
    _ end: ChildProcess.End, of connection: Connection, isFirst: Bool
  ) throws(RunError) {
    switch end.code {
    case 0 where connection.stream.greeting?.isRaw == false:
      link = .over
      return
    case RelayScript.replacedCode:
      run.startAgain()
      offset = 0
      link = .waiting(until: 0)
      return
    default: break
    }
    let reason = connection.lastWords ?? "the connection has ended (\(end.code))"
    if isFirst { throw .farAway(place: place.words, reason: reason) }
    if run.hasEnded {
      link = .over
      return
    }
    wait(because: reason)
  }

  private func wait(because reason: String) {
    let pause = min(Self.shortestPause * pow(2, Double(failures)), Self.longestPause)
    failures += 1
    link = .waiting(until: Self.now() + pause)
    let next = pause < 1 ? "at once" : "every \(NumberText.span(seconds: pause))"
    trouble = "CONNECTION LOST: \(reason): tried again \(next)"
  }

  private func reconnect() {
    do throws(RunError) {
      link = .connected(try Connection(place, program, from: offset, isInteractive: false))
    } catch {
      wait(because: error.description)
    }
  }
}

/// One `ssh` and what it has brought so far.
private final class Connection {
  var stream: RelayStream
  /// The byte that was asked for; nil once the relay has said where it begins.
  var asked: Int?
  private let shell: SecureShell

  init(
    _ place: RemotePlace, _ program: String, from offset: Int, isInteractive: Bool
  ) throws(RunError) {
    shell = try SecureShell(
      place, command: RelayScript.command(path: place.path, from: offset), program: program,
      isInteractive: isInteractive)
    (stream, asked) = (RelayStream(from: offset), offset)
  }

  var wire: ControlWire { shell.wire }
  var lastWords: String? { shell.lastWords }
  func wait(milliseconds: Int) { wire.wait(milliseconds: milliseconds) }
  func end() -> ChildProcess.End? { shell.end() }
  func close() { shell.close() }
}
