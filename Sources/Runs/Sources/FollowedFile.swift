import Formats

/// How far a file of a followed run has been read.
struct FollowedFile: Sendable {
  let path: String
  private var decoder: (any LogDecoder)?
  private(set) var offset = 0
  private var stamp: FileSystem.Stamp?
  /// The first bytes, and the last ones that were read.
  private var head: [UInt8] = []
  private var tail: [UInt8] = []

  private static let headSize = 256
  private static let tailSize = 64

  init(_ path: String) {
    self.path = path
  }

  /// Whether the bytes that were read are there no more: another file bears the name, or it was cut
  /// or written anew. A document that is written whole is another one with each change.
  func isReplaced(_ run: LoggedRun) -> Bool {
    guard let stamp, offset > 0 else { return false }
    let present = FileSystem.stamp(path)
    guard present.node != 0 else { return false }
    if run.format == .trainerState { return present != stamp }
    guard present != stamp else { return false }
    return present.node != stamp.node || present.size < offset
      || !holds(head, at: 0) || !holds(tail, at: offset - tail.count)
  }

  private func holds(_ bytes: [UInt8], at offset: Int) -> Bool {
    guard var file = try? SourceFile(path) else { return true }
    file.seek(to: offset)
    return (try? file.next(upTo: bytes.count)) ?? [] == bytes
  }

  /// Reads what has come, up to `pieces` pieces.
  ///
  /// - Returns: whether there was any.
  mutating func read(
    _ run: LoggedRun, into batch: inout RunBatch, pieces: Int
  ) throws(FormatError) -> Bool {
    let present = FileSystem.stamp(path)
    guard present.node != 0 else { throw .absent(path: path) }
    guard present.size > offset else { return false }
    var file = try SourceFile(path)
    file.seek(to: offset)
    var decoder = self.decoder ?? run.decoder(of: path)
    var count = 0
    while count < pieces, let bytes = try file.next() {
      decoder.decode(bytes, into: &batch)
      offset += bytes.count
      head += bytes.prefix(Self.headSize - head.count)
      tail = Array((tail + bytes.suffix(Self.tailSize)).suffix(Self.tailSize))
      count += 1
    }
    // The document is there as a whole, or its writer is not done yet and changes it once more.
    if run.format == .trainerState, offset >= present.size { try? decoder.finish(into: &batch) }
    self.decoder = decoder
    stamp = present
    return count > 0
  }
}
