import Foundation
import Glibc

/// Another tool's file, read whole.
enum SourceFile {
  /// Bytes are read, not mapped: a mapped file that another process shortens ends this one.
  static func bytes(of path: String) throws(FormatError) -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw errno == ENOENT
        ? .absent(path: path)
        : .unreadable(path: path, reason: FileSystem.systemWords(errno))
    }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: max(FileSystem.size(path) ?? 0, 1 << 12) + 1)
    var length = 0
    while true {
      let count = bytes.withUnsafeMutableBytes { buffer in
        read(descriptor, buffer.baseAddress?.advanced(by: length), buffer.count - length)
      }
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else {
        throw .unreadable(path: path, reason: FileSystem.systemWords(errno))
      }
      guard count > 0 else { break }
      length += count
      if length == bytes.count { bytes += [UInt8](repeating: 0, count: bytes.count) }
    }
    bytes.removeLast(bytes.count - length)
    return bytes
  }

  static func isFolder(_ path: String) -> Bool {
    var isFolder: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
      && isFolder.boolValue
  }

  static func name(of path: String) -> String {
    URL(fileURLWithPath: path).lastPathComponent
  }

  /// The path without links, so that a file met twice is known.
  static func resolved(_ path: String) -> String {
    guard let resolved = realpath(path, nil) else { return path }
    defer { free(resolved) }
    return String(cString: resolved)
  }
}
