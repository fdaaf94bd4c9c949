import Formats
import Foundation
import Glibc

extension FileSystem {
  /// - Throws: `absent`, `unreadable`.
  static func firstBytes(of path: String, count: Int) throws(SessionError) -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw errno == ENOENT
        ? .absent(path: path)
        : .unreadable(path: path, reason: FileSystem.systemWords(errno))
    }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: count)
    let length = read(descriptor, &bytes, count)
    guard length >= 0 else {
      throw .unreadable(path: path, reason: FileSystem.systemWords(errno))
    }
    return Array(bytes.prefix(length))
  }
}
