import Formats
import Foundation
import Telemetry

/// A session as files: its database, what SQLite keeps beside it, its checkpoints.
///
/// Nothing is touched while a process writes the session: it is refused by name.
package struct SessionFiles: Sendable {
  package let path: String

  package init(path: String) {
    self.path = path
  }

  private static let besides = ["-wal", "-shm", "-journal"]

  /// The folder in which the run's checkpoints lie, whether it is there or not.
  package var checkpoints: String {
    let ending = SessionSummary.ending
    return (path.hasSuffix(ending) ? String(path.dropLast(ending.count)) : path) + ".checkpoints"
  }

  package var hasCheckpoints: Bool { FileSystem.exists(checkpoints) }

  /// What changes with every change of the session, whoever makes it, and when its writer is gone.
  package struct Stamp: Sendable, Hashable {
    fileprivate let files: [FileSystem.Stamp]
    package let isLive: Bool
    /// Bytes on disk, the log included.
    package let bytes: Int
    /// Seconds since 1970.
    package let lastWritten: Double
  }

  package var stamp: Stamp {
    let files = [path, path + "-wal"].map { FileSystem.stamp($0) }
    return Stamp(
      files: files, isLive: WriterLock.isHeld(session: path),
      bytes: files.reduce(0) { $0 + $1.size }, lastWritten: Double(files[0].seconds))
  }

  /// So many checkpoints of the run are there.
  package var checkpointCount: Int {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: checkpoints)) ?? []
    return names.count { $0.hasPrefix("step-") }
  }

  /// Whether the file can be taken for a session, so that nothing else is ever removed.
  /// - Throws: `absent`, `notASession`.
  func check() throws(SessionError) {
    do {
      _ = try SessionReader(path: path)
    } catch SessionError.absent {
      throw SessionError.absent(path: path)
    } catch SessionError.notASession(let path, let found) {
      throw SessionError.notASession(path: path, found: found)
    } catch {
      // A damaged or a newer session is one all the same.
    }
  }

  /// Gives the session and its checkpoints another name in the same folder.
  ///
  /// - Returns: the new path.
  /// - Throws: `absent`, `notASession`, `taken`, `alreadyWritten`, `unchangeable`.
  package func rename(to name: String) throws(SessionError) -> String {
    try check()
    let folder = path.lastIndex(of: "/").map { path[...$0] } ?? ""
    let target = SessionFiles(path: folder + name + SessionSummary.ending)
    let places = [target.path, target.checkpoints] + Self.besides.map { target.path + $0 }
    for place in places where FileSystem.exists(place) {
      throw .taken(path: place)
    }
    let lock = try WriterLock(session: path)
    defer { lock.removeFile() }
    let besides = Self.besides.filter { FileSystem.exists(path + $0) }
    try move(path, to: target.path)
    do throws(SessionError) {
      for ending in besides { try move(path + ending, to: target.path + ending) }
    } catch {
      // A session without its log has lost records.
      try move(target.path, to: path)
      throw error
    }
    if hasCheckpoints { try move(checkpoints, to: target.checkpoints) }
    return target.path
  }

  private func move(_ from: String, to place: String) throws(SessionError) {
    guard Foundation.rename(from, place) == 0 else {
      throw .unchangeable(path: from, reason: .ofLastCall)
    }
  }

  /// Removes the session; its checkpoints only where told to.
  /// - Throws: `absent`, `notASession`, `alreadyWritten`, `unchangeable`.
  package func remove(withCheckpoints: Bool) throws(SessionError) {
    try check()
    let lock = try WriterLock(session: path)
    defer { lock.removeFile() }
    // The log before the session: alone it would be taken for that of the next one of this name.
    for file in Self.besides.map({ path + $0 }) + [path] where FileSystem.exists(file) {
      guard unlink(file) == 0 else {
        throw .unchangeable(path: file, reason: .ofLastCall)
      }
    }
    guard withCheckpoints, hasCheckpoints else { return }
    do {
      try FileManager.default.removeItem(atPath: checkpoints)
    } catch {
      throw .unchangeable(path: checkpoints, reason: .system(SystemFault(EACCES)))
    }
  }
}

extension SessionFiles {
  /// Adds a person's note to a session that nobody writes, at its last step.
  ///
  /// - Returns: the step.
  /// - Throws: `absent`, `notASession`, `alreadyWritten`, `damaged`, `unwritable`.
  package func add(note text: String) throws(SessionError) -> Int {
    try check()
    let summary = SessionSummary(path: path)
    let step = summary.steps
    let recorder = try Recorder(appendingTo: SessionStore(appendingTo: path))
    recorder.record(
      .event(
        RunEvent(
          step: step, wallTime: Date().timeIntervalSince1970, kind: .note, by: "you", text: text)))
    try recorder.close()
    return step
  }
}
