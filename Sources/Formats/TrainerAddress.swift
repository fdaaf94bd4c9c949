import Foundation
import Glibc

/// Who writes a file of PROTOCOL.md's lines, as its line on the run says.
///
/// A file may say anything: whoever would use the socket looks at it first.
package struct TrainerAddress: Sendable, Hashable {
  /// The path of its control socket; nil where it takes no commands.
  package var control: String?
  package var process: Int?
  package var host: String?

  /// One of which no more is known than where it takes commands.
  package init(control: String?) {
    self.control = control
  }

  init(_ run: JSONValue) {
    control = run["control"]?.text
    process = run["pid"]?.step
    host = run["host"]?.text
  }

  /// So much of a file's beginning and of its end is searched for a line on the run.
  private static let searched = 1 << 20

  /// What the last line on the run says that stands in the beginning or the end of the file at
  /// `path`; nil where there is none.
  ///
  /// - Throws: `absent`, `unreadable`.
  package static func last(inFileAt path: String) throws(FormatError) -> TrainerAddress? {
    var found: TrainerAddress?
    let size = FileSystem.size(path) ?? 0
    for start in size > searched ? [0, size - searched] : [0] {
      var file = try SourceFile(path)
      file.seek(to: start)
      let bytes = try file.next(upTo: searched) ?? []
      for line in bytes.split(separator: UInt8(ascii: "\n")) {
        found = TrainerAddress(line: line) ?? found
      }
    }
    return found
  }

  /// Nil for a line that is not on the run.
  package init?(line: ArraySlice<UInt8>) {
    guard line.starts(with: Array(#"{"run":"#.utf8)), let value = try? JSONValue(Array(line)),
      let run = value["run"], run["protocol"]?.number != nil
    else { return nil }
    self.init(run)
  }
}

extension TrainerAddress {
  /// Whether the trainer still writes the file at `path`; nil where it cannot be known.
  ///
  /// A writer holds a lock on its file for as long as it lives; where there are no locks its process
  /// is looked for, if it is one of this machine.
  package func isWriting(_ path: String) -> Bool? {
    switch FileSystem.isLocked(path) {
    case true?: return true
    case false? where !FileSystem.isRemote(path): return false
    default: break
    }
    guard let number = localProcess else { return nil }
    return kill(number, 0) == 0 || errno == EPERM
  }

  /// The process that writes, where it is one of this machine.
  package var localProcess: Int32? {
    guard host == Self.hostName, let process, let number = pid_t(exactly: process), number > 0
    else {
      return nil
    }
    return number
  }

  private static let hostName = ProcessInfo.processInfo.hostName
}

extension FileSystem {
  /// Whether a process holds a lock on the file; nil where there are no locks, or no file.
  static func isLocked(_ path: String) -> Bool? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    if flock(descriptor, LOCK_SH | LOCK_NB) == 0 { return false }
    return errno == EWOULDBLOCK ? true : nil
  }
}
