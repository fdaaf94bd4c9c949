import CDescriptors
import Dispatch
import Formats
import Foundation
import Glibc
import Synchronization
package import Telemetry

/// The socket by which other processes of this account give commands to a run.
///
/// One thread waits on it and owns every connection; the run is only ever handed whole, valid
/// commands, and answers without waiting for anybody.
package final class ControlServer: Sendable {
  package typealias Handler =
    @Sendable (ControlRequest, @escaping @Sendable (CommandAnswer) -> Void) -> Void

  private static let connectionLimit = 32

  package let path: String
  /// Whether commands are another program's to read, which has words of its own.
  private let passesWords: Bool
  private let listener: CInt
  private let alarm: (read: CInt, write: CInt)
  private let outbox = Mutex(Outbox())
  private let ended = DispatchSemaphore(value: 0)

  private struct Answered {
    let asker: CommandMarks.Asker
    let mark: String?
    let answer: CommandAnswer
  }

  private struct Outbox {
    var answers: [Answered] = []
    var isStarted = false
    var isClosing = false
  }

  /// Opens the socket of the run called `name`; clients may come at once and wait until `start`.
  ///
  /// `passesWords`: whether what is no command of Seismo's is handed on as it is.
  /// - Throws: `noFolder`, `unreachable`.
  package init(name: String, passesWords: Bool = false) throws(ControlError) {
    self.passesWords = passesWords
    let mark = String(UInt32.random(in: .min ... .max), radix: 16)
    let stem = String(name.filter { $0.isASCII && ($0.isLetter || $0.isNumber) }.prefix(20))
    path = try ControlFolder.path(for: "\(stem)-\(getpid())-\(mark).sock")
    listener = try Self.listening(at: path)
    var ends: [CInt] = [-1, -1]
    guard seismo_pipe(&ends) == 0 else {
      Glibc.close(listener)
      unlink(path)
      throw .unreachable(session: name, reason: FileSystem.systemWords(errno))
    }
    alarm = (ends[0], ends[1])
  }

  private static func listening(at path: String) throws(ControlError) -> CInt {
    let descriptor = SocketAddress.newSocket(isBlocking: false)
    guard descriptor >= 0, let address = SocketAddress(path: path) else {
      throw .unreachable(session: path, reason: FileSystem.systemWords(errno))
    }
    unlink(path)
    guard address.pass(to: { bind(descriptor, $0, $1) }) == 0, chmod(path, 0o600) == 0,
      listen(descriptor, 16) == 0
    else {
      let reason = FileSystem.systemWords(errno)
      Glibc.close(descriptor)
      unlink(path)
      throw .unreachable(session: path, reason: reason)
    }
    return descriptor
  }

  /// Takes commands from now on; `handler` is called on the server's thread and must not wait.
  package func start(_ handler: @escaping Handler) {
    outbox.withLock { $0.isStarted = true }
    let thread = Thread { [self] in serve(handler) }
    thread.name = "seismo.control"
    thread.start()
  }

  /// Sends what is answered, closes every connection and removes the socket.
  package func close() {
    let isMine = outbox.withLock { outbox in
      defer { outbox.isClosing = true }
      return !outbox.isClosing
    }
    guard isMine else { return }
    unlink(path)
    guard outbox.withLock({ $0.isStarted }) else { return }
    wake()
    ended.wait()
  }

  deinit {
    close()
    for descriptor in [listener, alarm.read, alarm.write] { Glibc.close(descriptor) }
  }

  private func wake() {
    var byte: UInt8 = 1
    _ = write(alarm.write, &byte, 1)
  }

  private func answer(_ answered: Answered) {
    outbox.withLock { $0.answers.append(answered) }
    wake()
  }
}

extension ControlServer {
  private func serve(_ handler: Handler) {
    var connections = ControlConnections()
    var marks = CommandMarks()
    while true {
      let polled = connections.poll(
        alarm: alarm.read, listener: listener, hasRoom: connections.count < Self.connectionLimit)
      let (answers, isClosing) = takeAnswers()
      for answered in answers { Self.deliver(answered, &connections, &marks) }
      if isClosing { break }
      if polled.isCalled { connections.accept(from: listener) }
      for (serial, line) in connections.readLines(polled.events) {
        take(line, from: serial, &connections, &marks, handler)
      }
    }
    ended.signal()
  }

  private func takeAnswers() -> (answers: [Answered], isClosing: Bool) {
    var bytes = [UInt8](repeating: 0, count: 256)
    while read(alarm.read, &bytes, bytes.count) > 0 {}
    return outbox.withLock { outbox in
      defer { outbox.answers = [] }
      return (outbox.answers, outbox.isClosing)
    }
  }

  private static func deliver(
    _ answered: Answered, _ connections: inout ControlConnections, _ marks: inout CommandMarks
  ) {
    let others = answered.mark.map { marks.answer($0, with: answered.answer) } ?? []
    for asker in [answered.asker] + others {
      connections.deliver(answered.answer.line(id: asker.id), to: asker.connection)
    }
  }

  private func take(
    _ line: [UInt8], from serial: Int, _ connections: inout ControlConnections,
    _ marks: inout CommandMarks, _ handler: Handler
  ) {
    let request: ControlRequest
    do throws(ControlRequest.Flaw) {
      request = try ControlRequest(line: line, passesWords: passesWords)
    } catch {
      let refusal = CommandAnswer(isApplied: false, step: nil, text: error.reason)
      return connections.refuse(refusal.line(id: error.id), to: serial)
    }
    guard connections.wait(for: serial) else {
      let refusal = CommandAnswer(
        isApplied: false, step: nil, text: "too many commands wait: take their answers first")
      return connections.refuse(refusal.line(id: request.id), to: serial)
    }
    let asker = CommandMarks.Asker(connection: serial, id: request.id)
    switch request.once.map({ marks.ask($0, by: asker) }) ?? .new {
    case .awaited: return
    case .answered(let answer): connections.deliver(answer.line(id: request.id), to: serial)
    case .new:
      handler(request) { [self] answer in
        self.answer(Answered(asker: asker, mark: request.once, answer: answer))
      }
    }
  }
}
