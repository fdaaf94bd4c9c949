import Glibc

/// What lies at a path, symbolic links followed.
enum PathKind {
  case file, folder, stream, device

  /// - Throws: `missing` and `unreadable`.
  static func at(_ path: [UInt8]) throws(DataError) -> PathKind {
    var status = stat()
    guard path.withCPath({ stat($0, &status) }) == 0 else {
      if errno == ENOENT || errno == ENOTDIR { throw .missing(path: displayed(path)) }
      throw .unreadable(path: displayed(path), reason: systemReason(errno))
    }
    return PathKind(mode: status.st_mode)
  }

  init(mode: mode_t) {
    switch mode & S_IFMT {
    case S_IFREG: self = .file
    case S_IFDIR: self = .folder
    case S_IFIFO, S_IFSOCK: self = .stream
    default: self = .device
    }
  }
}

/// The regular files under a folder, however deep, in byte order of their paths.
///
/// Hidden files count, and so do links to files; links to folders are not followed, since they can
/// lead in a circle, and what is neither file nor folder is passed over.
func filesUnder(_ folder: [UInt8]) throws(DataError) -> [[UInt8]] {
  var found: [[UInt8]] = []
  var folders = [folder]
  while let next = folders.popLast() {
    for name in try entries(of: next) {
      let path = next + (next.last == UInt8(ascii: "/") ? [] : [UInt8(ascii: "/")]) + name
      switch try entryKind(path) {
      case .file: found.append(path)
      case .folder: folders.append(path)
      case .stream, .device, nil: break
      }
    }
  }
  return found.sorted { $0.lexicographicallyPrecedes($1) }
}

/// Nil for a link to a folder, and for what was removed since the folder was listed.
private func entryKind(_ path: [UInt8]) throws(DataError) -> PathKind? {
  var status = stat()
  guard path.withCPath({ lstat($0, &status) }) == 0 else {
    if errno == ENOENT { return nil }
    throw .unreadable(path: displayed(path), reason: systemReason(errno))
  }
  guard status.st_mode & S_IFMT == S_IFLNK else { return PathKind(mode: status.st_mode) }
  guard path.withCPath({ stat($0, &status) }) == 0 else { return nil }
  let target = PathKind(mode: status.st_mode)
  return target == .folder ? nil : target
}

private func entries(of folder: [UInt8]) throws(DataError) -> [[UInt8]] {
  guard let stream = folder.withCPath({ opendir($0) }) else {
    throw .unreadable(path: displayed(folder), reason: systemReason(errno))
  }
  defer { closedir(stream) }
  var names: [[UInt8]] = []
  while let entry = readdir(stream) {
    let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
      Array(bytes.prefix { $0 != 0 })
    }
    if name != Array(".".utf8) && name != Array("..".utf8) { names.append(name) }
  }
  return names
}
