import CDescriptors
import Formats
import Glibc

/// One end of a connection that carries lines both ways and never waits: what the other side does
/// not take yet is kept, up to a limit.
package final class ControlWire {
  /// The end of a connection. The description is a clause.
  package enum Flaw: Error, CustomStringConvertible {
    case unreachable(reason: String)
    case anothersAccount
    case flooded

    package var description: String {
      switch self {
      case .unreachable(let reason): reason
      case .anothersAccount: "another account answers at its control socket"
      case .flooded: "it takes no commands"
      }
    }
  }

  /// So many bytes wait at most.
  private static let outputLimit = 1 << 18

  private let descriptor: CInt
  private var output: [UInt8] = []
  /// Whether the other side is gone: nothing more comes.
  package private(set) var isClosed = false

  /// Takes the descriptor of a stream socket over.
  package init(descriptor: CInt) {
    self.descriptor = descriptor
  }

  /// Connects to the socket at `path`, which the caller has looked at.
  /// - Throws: `unreachable`, `anothersAccount`.
  package convenience init(path: String) throws(Flaw) {
    guard let address = SocketAddress(path: path) else {
      throw .unreachable(reason: "its path is no socket's")
    }
    let descriptor = SocketAddress.newSocket(isBlocking: false)
    guard address.pass(to: { connect(descriptor, $0, $1) }) == 0 else {
      let reason = FileSystem.systemWords(errno)
      close(descriptor)
      throw .unreachable(reason: reason)
    }
    guard seismo_peer_user(descriptor) == Int64(getuid()) else {
      close(descriptor)
      throw .anothersAccount
    }
    self.init(descriptor: descriptor)
  }

  /// Two ends of a new connection, the second a descriptor that a child process may be given.
  package static func pair() throws(Flaw) -> (wire: ControlWire, other: CInt) {
    var ends: [CInt] = [-1, -1]
    guard socketpair(AF_UNIX, CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends) == 0
    else { throw .unreachable(reason: FileSystem.systemWords(errno)) }
    return (ControlWire(descriptor: ends[0]), ends[1])
  }

  deinit { close(descriptor) }

  /// Sends a line, now or as soon as the other side takes it.
  /// - Throws: `unreachable`, `flooded`.
  package func send(_ line: String) throws(Flaw) {
    output += Array(line.utf8) + [UInt8(ascii: "\n")]
    try flush()
    if output.count > Self.outputLimit { throw .flooded }
  }

  /// - Throws: `unreachable` where the other side is gone.
  package func flush() throws(Flaw) {
    while !output.isEmpty {
      let count = Glibc.send(
        descriptor, output, output.count, CInt(MSG_DONTWAIT | MSG_NOSIGNAL))
      guard count > 0 else {
        if [EAGAIN, EINTR].contains(errno) { return }
        throw .unreachable(reason: FileSystem.systemWords(errno))
      }
      output.removeFirst(count)
    }
  }

  /// What has come, up to `count` bytes; nil where there is nothing now.
  package func next(upTo count: Int = 1 << 16) -> [UInt8]? {
    guard !isClosed else { return nil }
    var failure: CInt = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      let length = recv(descriptor, buffer.baseAddress, buffer.count, CInt(MSG_DONTWAIT))
      failure = length < 0 ? errno : 0
      initialized = max(0, length)
    }
    guard bytes.isEmpty else { return bytes }
    isClosed = failure == 0 || ![EAGAIN, EINTR].contains(failure)
    return nil
  }

  /// Waits until something has come, or the other side is gone, but not longer.
  package func wait(milliseconds: Int) {
    var waiting = pollfd(fd: descriptor, events: CShort(POLLIN), revents: 0)
    poll(&waiting, 1, CInt(clamping: milliseconds))
  }
}
