import Foundation

/// Standard output, or a file that is there once it is whole: bytes are gathered and written in
/// large pieces.
final class OutputFile {
  private let path: String?
  private let descriptor: Int32
  private var pending: [UInt8] = []
  /// Whether the reader of standard output has seen enough.
  private var isReaderGone = false

  private static let pieceSize = 1 << 18

  /// - Parameter path: nil or `-` for standard output.
  /// - Throws: what keeps the file from being made.
  init(path: String?) throws {
    self.path = path == "-" ? nil : path
    guard let path = self.path else {
      descriptor = STDOUT_FILENO
      return
    }
    descriptor = open(path + ".partial", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else {
      let reason = String(cString: strerror(errno))
      throw Failure(.badInput, "\(path) cannot be written: \(reason): choose another --output")
    }
  }

  func write(line: String) throws {
    pending.append(contentsOf: line.utf8)
    pending.append(UInt8(ascii: "\n"))
    if pending.count >= Self.pieceSize { try flush() }
  }

  func write(_ bytes: [UInt8]) throws {
    pending += bytes
    if pending.count >= Self.pieceSize { try flush() }
  }

  /// Writes what is left and gives the file its name.
  func finish() throws {
    try flush()
    guard let path else { return }
    guard fsync(descriptor) == 0 || errno == EINVAL, close(descriptor) == 0,
      rename(path + ".partial", path) == 0
    else { throw refused() }
  }

  private func flush() throws {
    var rest = pending[...]
    while !rest.isEmpty, !isReaderGone {
      let count = rest.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0 && errno == EINTR { continue }
      if count < 0 && errno == EPIPE && path == nil { isReaderGone = true }
      guard count > 0 || isReaderGone else { throw refused() }
      rest = rest.dropFirst(max(0, count))
    }
    pending.removeAll(keepingCapacity: true)
  }

  /// - Returns: the failure; what was written in part is taken away.
  private func refused() -> Failure {
    let reason = String(cString: strerror(errno))
    if let path { unlink(path + ".partial") }
    return Failure(
      .failed, "\(path ?? "standard output"): \(reason): free the disk or choose another --output")
  }
}
