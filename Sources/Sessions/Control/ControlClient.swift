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
    let body = try SessionReader(path: session).read { database in
      try Row.fetchOne(database, sql: "SELECT body FROM documents WHERE name = 'description'")?
        .text(0)
    }
    let description = body.flatMap { try? JSONText.decode(RunDescription.self, from: $0) }
    return description?.environment[ControlServer.environmentKey]
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

extension CommandAnswer {
  /// Whether it was refused because the process that answered is on its way out.
  fileprivate var isOfARunThatEnds: Bool {
    !isApplied && (step == nil || text.hasSuffix("the run is ending"))
  }
}
