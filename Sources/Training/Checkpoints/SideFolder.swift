import Foundation
import Glibc

/// A folder a checkpoint is written in before it has a checkpoint's name.
///
/// It holds an `flock` as long as its writer lives: whoever gets the lock of such a folder knows
/// that the writer was killed, even where process ids are handed out again.
final class SideFolder {
  let path: String
  /// The path it gets once it is whole.
  let target: String
  private let aside: String
  private let descriptor: Int32

  init(parent: String, name: String) throws(CheckpointError) {
    target = parent + "/" + name
    aside = "\(parent)/.\(name).replaced-\(getpid())"
    path = "\(parent)/.\(name).partial-\(getpid())"
    guard mkdir(path, 0o777) == 0 else {
      throw .unwritable(path: path, reason: systemReason(errno))
    }
    descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0, flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      let reason = systemReason(errno)
      rmdir(path)
      throw .unwritable(path: path, reason: reason)
    }
  }

  deinit {
    if descriptor >= 0 { close(descriptor) }
  }

  /// Gives the folder its name. A checkpoint that has it already steps aside first, under a name
  /// from which `removeLeftovers` brings it back should this process end between the two renames.
  func rename() throws(CheckpointError) {
    let replaces = Glibc.rename(target, aside) == 0
    guard Glibc.rename(path, target) == 0 else {
      let reason = systemReason(errno)
      if replaces { _ = Glibc.rename(aside, target) }
      throw .unwritable(path: target, reason: reason)
    }
    if replaces { removeFolder(aside) }
  }

  func remove() {
    removeFolder(path)
  }
}

/// Removes what killed writers left in a folder of checkpoints.
func removeLeftovers(in parent: String) {
  guard let names = try? CheckpointFolder.names(in: parent) else { return }
  for name in names where name.hasPrefix(".step-") {
    let path = parent + "/" + name
    if name.contains(".removed-") {
      removeFolder(path)
    } else if name.contains(".partial-") {
      if !isHeld(path) { removeFolder(path) }
    } else if let end = name.range(of: ".replaced-")?.lowerBound {
      // Without a checkpoint of that name the writer was killed between its two renames.
      let target = parent + "/" + name[..<end].dropFirst()
      if access(target, F_OK) == 0 { removeFolder(path) } else { _ = rename(path, target) }
    }
  }
}

/// Creates a folder and those above it, and makes the new names last.
func createFolder(_ path: String) throws(CheckpointError) {
  let above = URL(fileURLWithPath: path).deletingLastPathComponent().path
  var made = mkdir(path, 0o777)
  if made != 0 && errno == ENOENT && above != path {
    try createFolder(above)
    made = mkdir(path, 0o777)
  }
  guard made != 0 else { return try syncFolder(above) }
  guard errno == EEXIST else { throw .unwritable(path: path, reason: systemReason(errno)) }
}

func syncFolder(_ path: String) throws(CheckpointError) {
  let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
  guard descriptor >= 0 else { throw .unwritable(path: path, reason: systemReason(errno)) }
  defer { close(descriptor) }
  guard fsync(descriptor) == 0 else {
    throw .unwritable(path: path, reason: systemReason(errno))
  }
}

func removeFolder(_ path: String) {
  try? FileManager.default.removeItem(atPath: path)
}

private func isHeld(_ path: String) -> Bool {
  let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
  guard descriptor >= 0 else { return true }
  defer { close(descriptor) }
  return flock(descriptor, LOCK_EX | LOCK_NB) != 0
}
