import Glibc

/// One client of a control socket: what it has sent and what it has not taken yet.
///
/// Nothing here blocks. Who sends lines without end, or does not take the answers, is dropped.
struct ControlConnection: ~Copyable {
  enum Flaw: Error {
    case lineTooLong
    case closed
  }

  static let longestLine = 8192
  static let outputLimit = 1 << 18
  static let waitingLimit = 64

  let descriptor: CInt
  /// Commands that the run has not answered yet.
  var waiting = 0
  private var input: [UInt8] = []
  private var output: [UInt8] = []
  private var isEnded = false

  init(descriptor: CInt) {
    self.descriptor = descriptor
  }

  deinit {
    Glibc.close(descriptor)
  }

  var interest: CShort {
    CShort(isEnded ? 0 : POLLIN) | CShort(output.isEmpty ? 0 : POLLOUT)
  }

  /// Whether nothing more is to come from either side.
  var isDone: Bool { isEnded && waiting == 0 && output.isEmpty }

  /// The whole lines that have come.
  /// - Throws: `lineTooLong`; `closed` where the client is gone.
  mutating func readLines() throws(Flaw) -> [[UInt8]] {
    var bytes = [UInt8](repeating: 0, count: Self.longestLine)
    let count = recv(descriptor, &bytes, bytes.count, CInt(MSG_DONTWAIT))
    if count < 0 {
      guard [EAGAIN, EINTR].contains(errno) else { throw .closed }
      return []
    }
    if count == 0 { isEnded = true }
    input += bytes.prefix(count)
    var lines = input.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
      .map(Array.init)
    input = isEnded ? [] : lines.removeLast()
    guard input.count <= Self.longestLine, lines.allSatisfy({ $0.count <= Self.longestLine })
    else { throw .lineTooLong }
    return lines.filter { !$0.isEmpty }
  }

  /// - Throws: `closed` where the client is gone or does not take its answers.
  mutating func send(_ line: String) throws(Flaw) {
    output += Array(line.utf8) + [UInt8(ascii: "\n")]
    try flush()
  }

  mutating func flush() throws(Flaw) {
    while !output.isEmpty {
      let count = Glibc.send(
        descriptor, output, output.count, CInt(MSG_DONTWAIT | MSG_NOSIGNAL))
      guard count > 0 else {
        guard [EAGAIN, EINTR].contains(errno), output.count <= Self.outputLimit else {
          throw .closed
        }
        return
      }
      output.removeFirst(count)
    }
  }
}
