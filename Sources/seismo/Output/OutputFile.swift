import Formats
import Foundation

/// Standard output, or a file that is there once it is whole: bytes are gathered and written in
/// large pieces. A device, a pipe or a link that is named as a file is
/// written as it is.
final class OutputFile {
  private let path: String?
  /// Where the bytes lie until they are whole; nil where they go to their place at once.
  private let partial: String?
  private let descriptor: Int32
  private var pending: [UInt8] = []

  /// The reader of standard output has seen enough: the rest need not be made.
  struct ReaderGone: Error {}

  private static let pieceSize = 1 << 18

  /// - Parameter path: nil or `-` for standard output.
  /// - Throws: what keeps the file from being made.
  init(path: String?) throws {
    self.path = path == "-" ? nil : path
    guard let path = self.path else {
      (partial, descriptor) = (nil, STDOUT_FILENO)
      return
    }
    partial = Self.isSpecial(path) ? nil : path + ".partial"
    descriptor = open(partial ?? path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else {
      let reason = FileSystem.systemWords(errno)
      throw Failure(.badInput, "\(path) cannot be written: \(reason): choose another --output")
    }
  }

  /// Whether a device, a pipe, a link or the like lies at `path`: a file must not take its place.
  static func isSpecial(_ path: String) -> Bool {
    var status = stat()
    guard lstat(path, &status) == 0 else { return false }
    return ![S_IFREG, S_IFDIR].contains(status.st_mode & S_IFMT)
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
    guard fsync(descriptor) == 0 || errno == EINVAL, close(descriptor) == 0 else {
      throw refused(errno)
    }
    if let partial, rename(partial, path) != 0 { throw refused(errno) }
  }

  private func flush() throws {
    defer { pending.removeAll(keepingCapacity: true) }
    guard path != nil else { return try flushToStandardOutput() }
    do throws(StandardStream.Refusal) {
      try StandardStream.write(pending, to: descriptor)
    } catch {
      throw refused(error.code)
    }
  }

  private func flushToStandardOutput() throws {
    do throws(StandardStream.Refusal) {
      try StandardStream.output.write(pending)
    } catch {
      if error.isReaderGone { throw ReaderGone() }
      throw StandardOutput.failure(error)
    }
  }

  /// - Returns: the failure; what was written in part is taken away.
  private func refused(_ code: Int32) -> Failure {
    if let partial { unlink(partial) }
    let reason = FileSystem.systemWords(code)
    let remedy = code == EISDIR ? "" : "free the disk or "
    return Failure(
      .failed, "\(path ?? ""): \(reason): \(remedy)choose another --output")
  }
}
