import Glibc

/// Bytes of another program's record in, rows and happenings out, at any cut: what a file holds is
/// decoded alike whole, as it grows, and from a pipe.
package protocol LogDecoder: Sendable {
  /// Takes the bytes that come next.
  mutating func decode(_ bytes: [UInt8], into batch: inout RunBatch)

  /// No more bytes come: decodes what has no end, and tells what was damaged.
  ///
  /// - Throws: `unknown`, `damaged`, `noSamples` where nothing of it can be read.
  mutating func finish(into batch: inout RunBatch) throws(FormatError)
}

/// Cuts bytes into lines, whatever pieces they come in.
struct LineCutter {
  /// A line of more bytes is cut: nobody's record is that long.
  static let mostBytes = 1 << 26

  /// The bytes after the last whole line.
  private(set) var rest: [UInt8] = []
  /// Whether the rest of an overlong line is passed over.
  private var isSkipping = false

  /// Hands out where in `lines` each whole line stands, its end left out.
  ///
  /// - Returns: the bytes that the ranges of `body` are of.
  mutating func take(_ bytes: [UInt8], _ body: ([UInt8], Range<Int>) -> Void) {
    guard let first = Self.end(of: bytes, from: 0) else { return keep(bytes[...]) }
    var start = 0
    if isSkipping {
      (isSkipping, start) = (false, first + 1)
    } else if !rest.isEmpty {
      rest += bytes[..<first]
      body(rest, rest.indices)
      rest.removeAll(keepingCapacity: rest.count < 1 << 16)
      start = first + 1
    }
    while let end = Self.end(of: bytes, from: start) {
      body(bytes, start..<end)
      start = end + 1
    }
    keep(bytes[start...])
  }

  private mutating func keep(_ bytes: ArraySlice<UInt8>) {
    guard !isSkipping else { return }
    rest += bytes
    guard rest.count > Self.mostBytes else { return }
    (rest, isSkipping) = ([], true)
  }

  /// Hands out the line that has no end.
  mutating func finish(_ body: ([UInt8], Range<Int>) -> Void) {
    guard !rest.isEmpty else { return }
    body(rest, rest.indices)
    rest = []
  }

  static func end(of bytes: [UInt8], from start: Int) -> Int? {
    bytes.withUnsafeBufferPointer { buffer in
      guard start < buffer.count, let base = buffer.baseAddress,
        let found = memchr(base + start, 0x0a, buffer.count - start)
      else { return nil }
      return UnsafeRawPointer(found) - UnsafeRawPointer(base)
    }
  }
}
