import Formats
import Foundation
import Glibc
import Synchronization

/// Whether a program of this machine has a file open to write to it: who writes a record is told so
/// where the record does not tell it.
struct FileHolder {
  /// Nil where it cannot be known: another machine's disk, another account's file.
  private(set) var isHeld: Bool?
  /// Whether one ever had.
  private(set) var wasHeld = false
  private var lastLook = -Double.infinity

  /// Looking costs a question a file that a program has open; many sources share one look.
  private static let secondsBetween = 5.0
  private static let lastLook = Mutex((time: -Double.infinity, open: Set<FileIdentity>()))

  /// Looks anew where the last look is some seconds ago.
  mutating func look(at paths: [String], now: Double) {
    guard now - lastLook >= Self.secondsBetween else { return }
    lastLook = now
    isHeld = Self.isHeld(paths, now: now)
    wasHeld = wasHeld || isHeld == true
  }

  private static func isHeld(_ paths: [String], now: Double) -> Bool? {
    var wanted: Set<FileIdentity> = []
    for path in paths {
      var status = stat()
      guard stat(path, &status) == 0, !FileSystem.isRemote(path),
        getuid() == 0 || status.st_uid == getuid()
      else { return nil }
      wanted.insert(FileIdentity(status))
    }
    let open = lastLook.withLock { look in
      if abs(now - look.time) >= secondsBetween { look = (now, openFiles()) }
      return look.open
    }
    return !open.isDisjoint(with: wanted)
  }

  /// The files that programs other than this one have open to write to them.
  private static func openFiles() -> Set<FileIdentity> {
    let files = FileManager.default
    var open: Set<FileIdentity> = []
    let own = String(getpid())
    for process in (try? files.contentsOfDirectory(atPath: "/proc")) ?? []
    where process.first?.isNumber == true && process != own {
      let folder = "/proc/\(process)/fd"
      for descriptor in (try? files.contentsOfDirectory(atPath: folder)) ?? [] {
        var status = stat()
        guard stat("\(folder)/\(descriptor)", &status) == 0,
          status.st_mode & S_IFMT == S_IFREG,
          isWritable("/proc/\(process)/fdinfo/\(descriptor)")
        else { continue }
        open.insert(FileIdentity(status))
      }
    }
    return open
  }

  /// The last digit of the flags, in octal, says what for a file is open.
  private static func isWritable(_ info: String) -> Bool {
    let text = (try? String(contentsOfFile: info, encoding: .utf8)) ?? ""
    let line = text.split(separator: "\n").first { $0.hasPrefix("flags:") }
    guard let flags = line?.split(whereSeparator: \.isWhitespace).last,
      let number = Int32(flags, radix: 8)
    else { return false }
    return number & O_ACCMODE != O_RDONLY
  }

  private struct FileIdentity: Hashable, Sendable {
    let device: UInt64
    let node: UInt64

    init(_ status: stat) {
      (device, node) = (UInt64(status.st_dev), UInt64(status.st_ino))
    }
  }
}
