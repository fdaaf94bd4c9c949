import Foundation

/// Takes what is printed to standard output and standard error while a screen is drawn, so that
/// nothing writes across it. Only what would have gone to a terminal is taken.
struct OutputCapture {
  private(set) var readEnd: Int32 = -1
  private var originals: [(descriptor: Int32, copy: Int32)] = []
  private var partialLine: [UInt8] = []
  private var lines: [String] = []

  private static let longestLine = 4096
  private static let pipeSize: Int32 = 1 << 20
  /// F_SETPIPE_SZ, which the headers keep from those who don't ask for GNU.
  private static let setPipeSize: Int32 = 1031

  /// The descriptor an error message would have gone to, or nil when it still does.
  var originalError: Int32? { originals.first { $0.descriptor == STDERR_FILENO }?.copy }

  mutating func start() {
    let taken = [STDOUT_FILENO, STDERR_FILENO].filter { isatty($0) == 1 }
    guard !taken.isEmpty else { return }
    fflush(nil)
    // Neither end waits: a flood of prints loses lines instead of holding a trainer up.
    guard let pipe = Waker.pipe() else { return }
    readEnd = pipe.readEnd
    _ = fcntl(readEnd, OutputCapture.setPipeSize, OutputCapture.pipeSize)
    for descriptor in taken {
      let copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 3)
      guard copy >= 0 else { continue }
      originals.append((descriptor, copy))
      dup2(pipe.writeEnd, descriptor)
    }
    close(pipe.writeEnd)
  }

  mutating func stop() {
    guard readEnd >= 0 else { return }
    fflush(nil)
    drain()
    if !partialLine.isEmpty { endLine() }
    for (descriptor, copy) in originals {
      dup2(copy, descriptor)
      close(copy)
    }
    originals = []
    close(readEnd)
    readEnd = -1
  }

  mutating func takeLines() -> [String] {
    drain()
    defer { lines = [] }
    return lines
  }

  mutating func drain() {
    guard readEnd >= 0 else { return }
    var bytes = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = read(readEnd, &bytes, bytes.count)
      guard count > 0 else { return }
      for byte in bytes[..<count] {
        if byte == UInt8(ascii: "\n") || partialLine.count == OutputCapture.longestLine {
          endLine()
        }
        if byte != UInt8(ascii: "\n") { partialLine.append(byte) }
      }
    }
  }

  private mutating func endLine() {
    lines.append(String(decoding: partialLine, as: UTF8.self))
    partialLine = []
  }
}
