import Glibc
package import Telemetry

/// What keeps a session's file from being written.
package enum FileObstacle: Hashable, Sendable {
  case system(SystemFault)
  case fullDisk
  case readOnly
  case locked
  /// What else the database says, in its own words.
  case other(String)

  /// The reason that `errno` gives.
  package static var ofLastCall: FileObstacle { .system(SystemFault(errno)) }
}

extension FileObstacle: CustomStringConvertible {
  package var description: String {
    switch self {
    case .system(let fault): fault.description
    case .fullDisk: "the disk is full"
    case .readOnly: "it may not be written"
    case .locked: "it is locked by another process"
    case .other(let words): words
    }
  }

  /// What helps, an imperative.
  package var remedy: String {
    switch self {
    case .system(let fault): Self.remedies[fault.code] ?? "check the disk"
    case .fullDisk: "free the disk"
    case .readOnly: "change its permissions or its folder's"
    case .locked: "end that process"
    case .other: "check the disk"
    }
  }

  private static let remedies: [Int32: String] = [
    ENOENT: "make its folder", ENOTDIR: "make its folder",
    EACCES: "change its permissions or its folder's",
    EPERM: "change its permissions or its folder's",
    EROFS: "mount the disk for writing", ENOSPC: "free the disk", EDQUOT: "free the disk",
    EIO: "check the disk", EMFILE: "raise the limit of open files",
    ENAMETOOLONG: "give it a shorter name",
  ]
}
