import Foundation
import Glibc
import Telemetry

/// The questions to the file system that readers and writers share.
package enum FileSystem {
  package static func exists(_ path: String) -> Bool {
    access(path, F_OK) == 0
  }

  package static func isFolder(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }

  package static func isLink(_ path: String) -> Bool {
    var status = stat()
    return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFLNK
  }

  /// Length in bytes; nil where there is no file.
  package static func size(_ path: String) -> Int? {
    var status = stat()
    return stat(path, &status) == 0 ? Int(status.st_size) : nil
  }

  /// Whether the folder of `path` lies on a disk of the network's: SQLite's write-ahead log needs
  /// all its users on one machine.
  package static func isRemote(_ path: String) -> Bool {
    guard let resolved = realpath(folder(of: path), nil) else { return false }
    defer { free(resolved) }
    let mounts = try? String(contentsOfFile: "/proc/self/mounts", encoding: .utf8)
    return isRemote(folder: String(cString: resolved), mounts: mounts ?? "")
  }

  /// The mounts are lines of device, folder, kind and options, as `/proc/self/mounts` has them.
  package static func isRemote(folder: String, mounts: String) -> Bool {
    let kinds: Set<Substring> = ["nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph"]
    let holders = mounts.split(separator: "\n").map { $0.split(separator: " ") }.filter { fields in
      guard fields.count > 2 else { return false }
      return fields[1] == "/" || folder == fields[1] || folder.hasPrefix(fields[1] + "/")
    }
    guard let holder = holders.max(by: { $0[1].count <= $1[1].count }) else { return false }
    return kinds.contains(holder[2]) || holder[2] == "fuse.sshfs"
  }

  package static func folder(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }
}

extension FileSystem {
  /// What a folder holds.
  package struct Entry: Sendable {
    package let name: String
    /// Whether it is a folder, or a link to one.
    package let isFolder: Bool
    package let isLink: Bool
  }

  /// What lies in a folder, in the order of the names; nothing where it cannot be read. The system tells
  /// with the names what is a folder, so that a hundred thousand of them are listed in a moment.
  package static func entries(of folder: String) -> [Entry] {
    guard let stream = opendir(folder) else { return [] }
    defer { closedir(stream) }
    var entries: [Entry] = []
    while let found = readdir(stream) {
      let name = withUnsafePointer(to: &found.pointee.d_name) { place in
        place.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name == "." || name == ".." { continue }
      let path = "\(folder)/\(name)"
      switch Int(found.pointee.d_type) {
      case Int(DT_DIR): entries.append(Entry(name: name, isFolder: true, isLink: false))
      case Int(DT_REG): entries.append(Entry(name: name, isFolder: false, isLink: false))
      default: entries.append(Entry(name: name, isFolder: isFolder(path), isLink: isLink(path)))
      }
    }
    return entries.sorted { $0.name < $1.name }
  }
}

extension FileSystem {
  /// Differs whenever a file has changed.
  package struct Stamp: Hashable {
    package let node: UInt64
    package let size: Int
    package let seconds: Int
    package let nanoseconds: Int
  }

  package static func stamp(_ path: String) -> Stamp {
    var status = stat()
    guard stat(path, &status) == 0 else {
      return Stamp(node: 0, size: 0, seconds: 0, nanoseconds: 0)
    }
    return Stamp(
      node: UInt64(status.st_ino), size: Int(status.st_size), seconds: status.st_mtim.tv_sec,
      nanoseconds: status.st_mtim.tv_nsec)
  }
}

extension FileSystem {
  /// What the system says about `errno`.
  package static func systemWords(_ code: Int32) -> String {
    SystemFault(code).description
  }
}
