import Formats
import Foundation
import Glibc

/// Where control sockets lie: a folder that nobody but this account can enter.
package enum ControlFolder {
  /// A Unix socket's path has 108 bytes, one of them for its end.
  static let longestPath = 107

  /// The first folder that is this account's own, made where it is absent, with room for `name`.
  /// - Throws: `noFolder` with what is wrong with the last one that was tried.
  static func path(
    for name: String, environment: [String: String] = ProcessInfo.processInfo.environment
  ) throws(ControlError) -> String {
    var flaw = "none is known"
    for folder in candidates(environment) {
      let path = folder + "/" + name
      guard path.utf8.count <= longestPath else {
        flaw = "\(folder) is too long a path"
        continue
      }
      if let found = self.flaw(of: folder) {
        flaw = found
        continue
      }
      return path
    }
    throw .noFolder(reason: flaw)
  }

  static func candidates(_ environment: [String: String]) -> [String] {
    let runtime = environment["XDG_RUNTIME_DIR"].flatMap { $0.hasPrefix("/") ? $0 : nil }
    let temporary = environment["TMPDIR"].flatMap { $0.hasPrefix("/") ? $0 : nil }
    let shared = [temporary, "/tmp"].compactMap(\.self).map { "\($0)/seismo-\(getuid())" }
    return [runtime.map { $0 + "/seismo" }].compactMap(\.self) + shared
  }

  /// Makes the folder; a link, another account's folder and one that others may enter are refused,
  /// since who can enter it can steer the run.
  private static func flaw(of folder: String) -> String? {
    if mkdir(folder, 0o700) != 0, errno != EEXIST {
      return "\(folder) cannot be made: \(FileSystem.systemWords(errno))"
    }
    var status = stat()
    guard lstat(folder, &status) == 0 else {
      return "\(folder): \(FileSystem.systemWords(errno))"
    }
    guard status.st_mode & S_IFMT == S_IFDIR, status.st_uid == getuid() else {
      return "\(folder) is not a folder of this account"
    }
    guard status.st_mode & 0o077 == 0 || chmod(folder, 0o700) == 0 else {
      return "\(folder) is open to others"
    }
    return nil
  }
}

extension ControlFolder {
  /// Why a socket that a file names is not used; nil for one of this account's own, in a folder of its
  /// own that nobody else can enter.
  package static func flaw(
    ofSocket path: String, environment: [String: String] = ProcessInfo.processInfo.environment
  ) -> String? {
    let foreign = "its control socket lies in no folder of this account's"
    guard let slash = path.lastIndex(of: "/"), SocketAddress(path: path) != nil else {
      return foreign
    }
    let (folder, name) = (String(path[..<slash]), path[path.index(after: slash)...])
    guard candidates(environment).contains(folder), !["", ".", ".."].contains(name) else {
      return foreign
    }
    var status = stat()
    guard lstat(folder, &status) == 0 else { return "its control socket is gone" }
    guard status.st_mode & S_IFMT == S_IFDIR, status.st_uid == getuid(),
      status.st_mode & 0o077 == 0
    else { return foreign }
    guard lstat(path, &status) == 0 else { return "its control socket is gone" }
    guard status.st_mode & S_IFMT == S_IFSOCK, status.st_uid == getuid() else {
      return "what it names as its control socket is none of this account's"
    }
    return nil
  }
}

/// The address of a Unix socket.
struct SocketAddress {
  private var address = sockaddr_un()

  /// Nil for a path that has no room in an address.
  init?(path: String) {
    let bytes = Array(path.utf8)
    guard !bytes.isEmpty, bytes.count <= ControlFolder.longestPath, !bytes.contains(0) else {
      return nil
    }
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
  }

  func pass<Result>(to body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
    withUnsafePointer(to: address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
  }

  /// A stream socket that no child inherits; negative where there is none.
  static func newSocket(isBlocking: Bool) -> CInt {
    let flags = SOCK_CLOEXEC.rawValue | (isBlocking ? 0 : SOCK_NONBLOCK.rawValue)
    return socket(AF_UNIX, CInt(SOCK_STREAM.rawValue | flags), 0)
  }
}
