import Foundation
import Glibc
import Telemetry

/// One regular file of a corpus, read by position.
///
/// `pread` instead of a mapping: the page cache makes it as quick, and a file that shrinks under a
/// mapping ends the process with SIGBUS where a short read is an error with a name.
final class CorpusFile: Sendable {
  /// The path as bytes: Linux file names need not be UTF-8.
  let path: [UInt8]
  /// Where its first byte lies in the corpus.
  let start: Int
  /// Its bytes when the corpus was opened; what is appended later does not belong to the corpus.
  let count: Int
  /// Kept open, so that a file that is renamed or removed during the run goes on being read; nil
  /// when a folder has more files than a process may hold open.
  private let descriptor: Int32?

  init(path: [UInt8], start: Int, keepsOpen: Bool) throws(DataError) {
    let opened = try Self.open(path)
    guard let size = fileSize(opened) else {
      let reason = systemReason(errno)
      close(opened)
      throw .unreadable(path: displayed(path), reason: reason)
    }
    if !keepsOpen { close(opened) }
    self.path = path
    self.start = start
    self.count = size
    self.descriptor = keepsOpen ? opened : nil
  }

  deinit {
    if let descriptor { close(descriptor) }
  }

  /// Copies bytes `offset ..< offset + destination.count` of this file.
  func copy(at offset: Int, into destination: UnsafeMutableRawBufferPointer) throws(DataError) {
    if let descriptor {
      return try read(descriptor, at: offset, into: destination)
    }
    let opened = try Self.open(path)
    defer { close(opened) }
    try read(opened, at: offset, into: destination)
  }

  private func read(
    _ descriptor: Int32, at offset: Int, into destination: UnsafeMutableRawBufferPointer
  ) throws(DataError) {
    guard let done = readFully(descriptor, at: offset, into: destination) else {
      throw .unreadable(path: displayed(path), reason: systemReason(errno))
    }
    guard done == destination.count else {
      let found = fileSize(descriptor) ?? offset + done
      throw .shrank(path: displayed(path), expected: count, found: found)
    }
  }

  private static func open(_ path: [UInt8]) throws(DataError) -> Int32 {
    let opened = path.withCPath { Glibc.open($0, O_RDONLY | O_CLOEXEC) }
    guard opened >= 0 else {
      if errno == ENOENT { throw .missing(path: displayed(path)) }
      throw .unreadable(path: displayed(path), reason: systemReason(errno))
    }
    return opened
  }
}

extension [UInt8] {
  /// Calls `body` with the bytes as a C string.
  func withCPath<Result>(_ body: (UnsafePointer<CChar>) -> Result) -> Result {
    (self + [0]).withUnsafeBytes { bytes in
      bytes.withMemoryRebound(to: CChar.self) { characters in
        // The terminating zero makes the buffer non-empty, so it has a base.
        characters.baseAddress.map(body) ?? "".withCString(body)
      }
    }
  }
}

/// A path for people: what is not UTF-8 in it shows as replacement characters.
func displayed(_ path: [UInt8]) -> String {
  String(decoding: path, as: UTF8.self)
}

/// The system's word for an error number, without a capital: "permission denied".
func systemReason(_ code: Int32) -> String {
  SystemFault(code).description.lowercased()
}

private func fileSize(_ descriptor: Int32) -> Int? {
  var status = stat()
  return fstat(descriptor, &status) == 0 ? Int(status.st_size) : nil
}
