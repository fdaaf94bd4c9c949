import Dispatch
import Formats
import Foundation
import GRDB
import Glibc
package import Telemetry

/// The other end of a run's control socket.
package struct ControlClient: ~Copyable {
  private let session: String
  private let descriptor: CInt

  /// Connects to the run that is writing `session`.
  /// - Throws: ``SessionError`` where it is no session; `notLive`, `deaf`, `unreachable`.
  package init(session: String) throws {
    self.session = session
    descriptor = try Self.connected(session)
  }

  deinit {
    close(descriptor)
  }

  /// So often a run that is being taken over is asked, each 50 ms.
  private static let attempts = 160

  /// A run that was detached a moment ago may have no process yet, and one that has just taken a
  /// session over may not have said yet where its socket is.
  private static func connected(_ session: String) throws -> CInt {
    var reason = "it has just begun"
    for attempt in 0..<attempts {
      if attempt > 0 { usleep(50_000) }
      let path = try socketPath(of: session)
      guard WriterLock.isHeld(session: session) else {
        let succession = try SessionSuccession(session: session)
        if succession.isBeingTakenOver { continue }
        if let branch = succession.branch {
          throw ControlError.branched(session: session, branch: branch)
        }
        throw ControlError.notLive(session: session)
      }
      guard let path, let address = SocketAddress(path: path) else {
        if attempt < 10 { continue }
        throw ControlError.deaf(session: session)
      }
      let descriptor = SocketAddress.newSocket(isBlocking: true)
      if address.pass(to: { connect(descriptor, $0, $1) }) == 0 { return descriptor }
      reason = FileSystem.systemWords(errno)
      close(descriptor)
    }
    throw ControlError.unreachable(session: session, reason: reason)
  }

  private static func socketPath(of session: String) throws -> String? {
    try description(of: session)?.environment[.control]
  }

  /// Whether the run of `session` is another program's, which has said what it obeys.
  /// - Throws: ``SessionError``.
  package static func isOthers(session: String) throws -> Bool {
    try description(of: session)?.obeyedCommands != nil
  }

  private static func description(of session: String) throws -> RunDescription? {
    let body = try SessionReader(path: session).read { database in
      try Row.fetchOne(database, sql: "SELECT body FROM documents WHERE name = 'description'")?
        .text(0)
    }
    return body.flatMap { try? JSONText.decode(RunDescription.self, from: $0) }
  }

  /// Gives one command to the run that is writing `session` and waits for what becomes of it; a run
  /// that is going over to another process is asked again.
  /// - Throws: as `init` and `ask(_:by:timeoutSeconds:)` do.
  package static func ask(
    _ session: String, _ command: Command, by author: String, timeoutSeconds: Int = 60
  ) throws -> CommandAnswer {
    for attempt in 0..<attempts {
      do {
        let answer = try ControlClient(session: session).ask(
          command, by: author, timeoutSeconds: timeoutSeconds)
        guard answer.isOfARunThatEnds else { return answer }
        let isTakenOver = try SessionSuccession(session: session).isBeingTakenOver
        // What a run ends with is written a quarter of a second later at the latest.
        guard isTakenOver || attempt < 10 else { return answer }
      } catch ControlError.unreachable(let session, let reason) {
        guard try SessionSuccession(session: session).isBeingTakenOver else {
          throw ControlError.unreachable(session: session, reason: reason)
        }
      }
      usleep(50_000)
    }
    throw ControlError.unreachable(session: session, reason: "no process has taken it over")
  }

  /// Gives one command and waits for what becomes of it.
  /// - Throws: `unreachable`, `silent`.
  package func ask(
    _ command: Command, by author: String, timeoutSeconds: Int = 60
  ) throws(ControlError) -> CommandAnswer {
    let line = Array((ControlRequest(command: command, author: author).line + "\n").utf8)
    guard send(descriptor, line, line.count, CInt(MSG_NOSIGNAL)) == line.count else {
      throw .unreachable(session: session, reason: FileSystem.systemWords(errno))
    }
    var received: [UInt8] = []
    while true {
      if let end = received.firstIndex(of: UInt8(ascii: "\n")) {
        guard let answer = CommandAnswer(line: Array(received[..<end])) else {
          throw .unreachable(session: session, reason: "its answer cannot be read")
        }
        return answer
      }
      received += try receive(timeoutSeconds: timeoutSeconds)
    }
  }

  private func receive(timeoutSeconds: Int) throws(ControlError) -> [UInt8] {
    var waiting = pollfd(fd: descriptor, events: CShort(POLLIN), revents: 0)
    guard poll(&waiting, 1, CInt(timeoutSeconds * 1000)) > 0 else {
      throw .silent(session: session, seconds: timeoutSeconds)
    }
    var bytes = [UInt8](repeating: 0, count: 4096)
    let count = recv(descriptor, &bytes, bytes.count, 0)
    guard count > 0 else {
      throw .unreachable(session: session, reason: "it ended before it answered")
    }
    return Array(bytes.prefix(count))
  }
}

extension ControlClient {
  /// Gives one command to the trainer that writes a file of PROTOCOL.md's lines and waits for what
  /// becomes of it. Where the connection breaks it is asked again, and done once.
  /// - Throws: ``FormatError`` where the file cannot be read; `abandoned`, `handless`, `unreachable`,
  ///   `silent`.
  package static func ask(
    trainerOf log: String, _ command: Command, by author: String, timeoutSeconds: Int = 60
  ) throws -> CommandAnswer {
    let mark = String(UInt64.random(in: .min ... .max), radix: 36)
    let request = ControlRequest(command: command, author: author, id: 1, once: mark)
    let deadline = DispatchTime.now().uptimeNanoseconds + UInt64(timeoutSeconds) * 1_000_000_000
    var reason = "it does not answer"
    for _ in 0..<3 {
      let path = try socket(ofTrainerOf: log)
      do throws(ControlWire.Flaw) {
        let wire = try ControlWire(path: path)
        try wire.send(request.line)
        if let answer = try answer(over: wire, to: request, until: deadline) { return answer }
        throw .unreachable(reason: "it ended before it answered")
      } catch {
        reason = error.description
      }
      guard DispatchTime.now().uptimeNanoseconds < deadline else {
        throw ControlError.silent(session: log, seconds: timeoutSeconds)
      }
      usleep(100_000)
    }
    throw ControlError.unreachable(session: log, reason: reason)
  }

  private static func socket(ofTrainerOf log: String) throws -> String {
    let trainer = try TrainerAddress.last(inFileAt: log)
    guard let trainer, let control = trainer.control else {
      let reason = trainer == nil ? "it holds no line on its run" : "it names no control socket"
      throw ControlError.handless(log: log, reason: reason)
    }
    if trainer.isWriting(log) == false { throw ControlError.abandoned(log: log) }
    if let flaw = ControlFolder.flaw(ofSocket: control) {
      throw ControlError.handless(log: log, reason: flaw)
    }
    return control
  }

  /// Nil where the connection ends or the time is over before there is an answer.
  private static func answer(
    over wire: ControlWire, to request: ControlRequest, until deadline: UInt64
  ) throws(ControlWire.Flaw) -> CommandAnswer? {
    var received: [UInt8] = []
    while DispatchTime.now().uptimeNanoseconds < deadline, received.count < longestAnswer {
      try wire.flush()
      if let bytes = wire.next() {
        received += bytes
        for line in received.split(separator: UInt8(ascii: "\n")) {
          if let (answer, id) = CommandAnswer.numbered(Array(line)), id == request.id {
            return answer
          }
        }
      } else if wire.isClosed {
        return nil
      } else {
        wire.wait(milliseconds: 100)
      }
    }
    return nil
  }

  private static let longestAnswer = 1 << 16
}

extension CommandAnswer {
  /// Whether it was refused because the process that answered is on its way out.
  fileprivate var isOfARunThatEnds: Bool {
    !isApplied && (step == nil || text.hasSuffix("the run is ending"))
  }
}
