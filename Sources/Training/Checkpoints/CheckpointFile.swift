import Glibc

/// One file of a checkpoint, opened for reading.
final class CheckpointInput: Sendable {
  let path: String
  let count: Int
  private let descriptor: Int32

  init(path: String) throws(CheckpointError) {
    let opened = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard opened >= 0 else {
      if errno == ENOENT || errno == ENOTDIR { throw .missing(path: path) }
      throw .unreadable(path: path, reason: systemReason(errno))
    }
    var status = stat()
    guard fstat(opened, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      close(opened)
      throw .unreadable(path: path, reason: "it is not a file")
    }
    self.path = path
    count = Int(status.st_size)
    descriptor = opened
  }

  deinit {
    close(descriptor)
  }

  /// Fills `destination` with the bytes from `offset` on.
  func read(at offset: Int, into destination: UnsafeMutableRawBufferPointer) throws(CheckpointError)
  {
    guard let done = readFully(descriptor, at: offset, into: destination) else {
      throw .unreadable(path: path, reason: systemReason(errno))
    }
    guard done == destination.count else {
      throw .damaged(
        path: path, offset: offset + done, expected: "\(destination.count - done) more bytes",
        found: "the end of the file")
    }
  }

  /// Bytes `offset ..< offset + count`; the caller has held `count` against the length of the file.
  func bytes(at offset: Int, count: Int) throws(CheckpointError) -> [UInt8] {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 1)
    defer { buffer.deallocate() }
    try read(at: offset, into: buffer)
    return Array(buffer)
  }
}

/// One file of a checkpoint, being written; nothing counts until `finish` has returned.
final class CheckpointOutput {
  let path: String
  private var descriptor: Int32

  init(path: String) throws(CheckpointError) {
    self.path = path
    descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw .unwritable(path: path, reason: systemReason(errno)) }
  }

  deinit {
    if descriptor >= 0 { close(descriptor) }
  }

  func write(_ bytes: UnsafeRawBufferPointer) throws(CheckpointError) {
    guard let base = bytes.baseAddress else { return }
    var done = 0
    while done < bytes.count {
      let put = Glibc.write(descriptor, base + done, bytes.count - done)
      if put < 0 && errno == EINTR { continue }
      guard put > 0 else { throw .unwritable(path: path, reason: systemReason(errno)) }
      done += put
    }
  }

  func write(_ bytes: [UInt8]) throws(CheckpointError) {
    var failure: CheckpointError?
    bytes.withUnsafeBytes { buffer in
      do throws(CheckpointError) { try write(buffer) } catch { failure = error }
    }
    if let failure { throw failure }
  }

  /// Forces everything to the disk; a full disk may only show here.
  func finish() throws(CheckpointError) {
    let synced = fsync(descriptor)
    let reason = systemReason(errno)
    let closed = close(descriptor)
    descriptor = -1
    guard synced == 0 else { throw .unwritable(path: path, reason: reason) }
    guard closed == 0 else { throw .unwritable(path: path, reason: systemReason(errno)) }
  }
}
