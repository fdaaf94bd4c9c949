import Foundation
import Glibc

/// Another tool's file, read piece by piece.
///
/// Bytes are read, not mapped: a mapped file that another process shortens ends this one.
package struct SourceFile: ~Copyable {
  /// So many bytes are read at once.
  package static let pieceSize = 1 << 20

  private let path: String
  private let descriptor: Int32

  /// - Throws: `absent`, `unreadable`.
  package init(_ path: String) throws(FormatError) {
    self.path = path
    descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw errno == ENOENT
        ? .absent(path: path)
        : .unreadable(path: path, reason: FileSystem.systemWords(errno))
    }
  }

  deinit { close(descriptor) }

  /// The bytes that come next, up to `count`; nil at the end of what is there.
  ///
  /// - Throws: `unreadable`.
  package mutating func next(
    upTo count: Int = Self.pieceSize
  ) throws(FormatError) -> [UInt8]? {
    var failure: Int32 = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      var length = read(descriptor, buffer.baseAddress, min(count, buffer.count))
      while length < 0, errno == EINTR {
        length = read(descriptor, buffer.baseAddress, min(count, buffer.count))
      }
      if length < 0 { failure = errno }
      initialized = max(0, length)
    }
    guard failure == 0 else {
      throw .unreadable(path: path, reason: FileSystem.systemWords(failure))
    }
    return bytes.isEmpty ? nil : bytes
  }

  /// Goes on from byte `offset` of the file.
  package mutating func seek(to offset: Int) { lseek(descriptor, off_t(offset), SEEK_SET) }
}

extension SourceFile {
  /// All of a file.
  static func bytes(of path: String) throws(FormatError) -> [UInt8] {
    var file = try SourceFile(path)
    var bytes: [UInt8] = []
    while let piece = try file.next() { bytes += piece }
    return bytes
  }

  /// The beginning of a file, up to `count` bytes.
  static func firstBytes(of path: String, count: Int) throws(FormatError) -> [UInt8] {
    var file = try SourceFile(path)
    return try file.next(upTo: count) ?? []
  }

  package static func name(of path: String) -> String {
    // Of a folder with a slash at its end the last word is the name too.
    path.split(separator: "/").last.map(String.init) ?? path
  }

  /// The path without links, so that a file met twice is known.
  static func resolved(_ path: String) -> String {
    guard let resolved = realpath(path, nil) else { return path }
    defer { free(resolved) }
    return String(cString: resolved)
  }
}
