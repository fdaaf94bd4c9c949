import CDescriptors
import Dispatch
import Glibc
import Telemetry

/// The clients of a control socket, each known by the number of its coming.
struct ControlConnections: ~Copyable {
  private var connections: [Int: Box] = [:]
  private var nextSerial = 0
  /// Until then nobody is let in: those who wait could not be, and would be told of without end.
  private var restsUntil: DispatchTime?

  private static let restMilliseconds = 100

  /// A connection ends with its box.
  private final class Box {
    var connection: ControlConnection

    init(_ connection: consuming ControlConnection) {
      self.connection = connection
    }
  }

  var count: Int { connections.count }

  /// Waits until something has come, or an answer can go.
  mutating func poll(
    alarm: CInt, listener: CInt, hasRoom: Bool
  ) -> (isCalled: Bool, events: [Int: CShort]) {
    let rest = millisecondsOfRest()
    let hasRoom = hasRoom && rest == nil
    let serials = connections.keys.sorted()
    var descriptors = [
      pollfd(fd: alarm, events: CShort(POLLIN), revents: 0),
      pollfd(fd: hasRoom ? listener : -1, events: CShort(POLLIN), revents: 0),
    ]
    for serial in serials {
      guard let box = connections[serial] else { continue }
      descriptors.append(
        pollfd(fd: box.connection.descriptor, events: box.connection.interest, revents: 0))
    }
    guard Glibc.poll(&descriptors, nfds_t(descriptors.count), rest ?? -1) > 0 else {
      return (false, [:])
    }
    let events = zip(serials, descriptors.dropFirst(2)).filter { $0.1.revents != 0 }
    return (
      descriptors[1].revents != 0,
      Dictionary(uniqueKeysWithValues: events.map { ($0.0, $0.1.revents) })
    )
  }

  mutating func accept(from listener: CInt) {
    let descriptor = seismo_accept(listener)
    guard descriptor >= 0 else {
      if ![EAGAIN, EINTR, ECONNABORTED].contains(errno) {
        restsUntil = .now() + .milliseconds(Self.restMilliseconds)
      }
      return
    }
    connections[nextSerial] = Box(ControlConnection(descriptor: descriptor))
    nextSerial += 1
  }

  /// How long the listener is still let alone; nil where it is not.
  private mutating func millisecondsOfRest() -> CInt? {
    guard let end = restsUntil else { return nil }
    let now = DispatchTime.now()
    guard now < end else {
      restsUntil = nil
      return nil
    }
    return CInt((end.uptimeNanoseconds - now.uptimeNanoseconds) / 1_000_000 + 1)
  }

  /// What those have sent at whom `events` point; who is gone is forgotten.
  mutating func readLines(_ events: [Int: CShort]) -> [(serial: Int, line: [UInt8])] {
    var lines: [(Int, [UInt8])] = []
    for (serial, event) in events.sorted(by: { $0.key < $1.key }) {
      guard let box = connections[serial] else { continue }
      do throws(ControlConnection.Flaw) {
        try box.connection.flush()
        if event & CShort(POLLIN) != 0 {
          lines += try box.connection.readLines().map { (serial, $0) }
        }
      } catch {
        drop(serial, after: error)
        continue
      }
      let isGone = event & CShort(POLLHUP | POLLERR | POLLNVAL) != 0
      let isAtRest = event & CShort(POLLIN) == 0
      if box.connection.isDone && lines.last?.0 != serial || isGone && isAtRest {
        connections[serial] = nil
      }
    }
    return lines
  }

  private mutating func drop(_ serial: Int, after flaw: ControlConnection.Flaw) {
    if case .lineTooLong = flaw {
      let refusal = CommandAnswer(
        isApplied: false, step: nil,
        text: "a line may have \(ControlConnection.longestLine) bytes")
      try? connections[serial]?.connection.send(refusal.line())
    }
    connections[serial] = nil
  }

  /// Counts a command that the run is to answer; false where too many wait.
  mutating func wait(for serial: Int) -> Bool {
    guard let box = connections[serial] else { return true }
    guard box.connection.waiting < ControlConnection.waitingLimit else { return false }
    box.connection.waiting += 1
    return true
  }

  mutating func deliver(_ line: String, to serial: Int) {
    connections[serial]?.connection.waiting -= 1
    refuse(line, to: serial)
  }

  /// Sends a line that answers no command of the run's.
  mutating func refuse(_ line: String, to serial: Int) {
    guard let box = connections[serial] else { return }
    do throws(ControlConnection.Flaw) {
      try box.connection.send(line)
      if box.connection.isDone { connections[serial] = nil }
    } catch {
      connections[serial] = nil
    }
  }
}
