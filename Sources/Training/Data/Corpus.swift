import Foundation
import Glibc

/// The bytes a run learns from: a file, the files of a folder, a stream read to its end, or the
/// built-in language.
package struct Corpus: Sendable {
  private enum Storage: Sendable {
    case files([CorpusFile])
    case memory([UInt8])
  }

  private let storage: Storage
  /// The path as it was given, or what stands for one.
  package let name: String
  package let count: Int
  /// One line for the run's description.
  package let description: String
  /// Nats a byte, where the source's own entropy is known: the built-in language only.
  package let entropyPerByte: Double?

  /// Files of a folder that stay open; what is beyond is opened for each read.
  static let openFileLimit = 256

  /// Opens what lies at `path`; "-" is standard input, read to its end.
  /// - Throws: `missing`, `unreadable` (a device too), `empty`.
  package static func open(path: String) throws(DataError) -> Corpus {
    if path == "-" {
      return try Corpus(stream: STDIN_FILENO, name: "standard input")
    }
    let bytes = Array(path.utf8)
    switch try PathKind.at(bytes) {
    case .file: return try Corpus(files: [bytes], name: path, kind: "file")
    case .folder: return try Corpus(files: filesUnder(bytes), name: path, kind: "folder")
    case .stream: return try Corpus(streamAt: bytes, name: path)
    case .device: throw .unreadable(path: path, reason: "it is a device")
    }
  }

  /// The built-in language; the same text for the same seed on every machine.
  package static func synthetic(seed: UInt64 = 1, bytes: Int = 2_000_000) -> Corpus {
    let language = SyntheticLanguage(seed: seed)
    return Corpus(
      bytes: language.text(bytes: bytes), name: "built-in language",
      description: "built-in language, seed \(seed)", entropyPerByte: language.entropyPerByte)
  }

  /// Bytes that are already in memory.
  package init(bytes: [UInt8], name: String, description: String, entropyPerByte: Double? = nil) {
    storage = .memory(bytes)
    count = bytes.count
    self.name = name
    self.description = "\(description), \(bytes.count) bytes"
    self.entropyPerByte = entropyPerByte
  }

  private init(files paths: [[UInt8]], name: String, kind: String) throws(DataError) {
    var files: [CorpusFile] = []
    var length = 0
    for path in paths {
      let keepsOpen = files.count < Self.openFileLimit
      let file = try CorpusFile(path: path, start: length, keepsOpen: keepsOpen)
      guard file.count > 0 else { continue }
      files.append(file)
      length += file.count
    }
    guard length > 0 else { throw .empty(path: name) }
    storage = .files(files)
    count = length
    self.name = name
    description =
      kind == "folder"
      ? "folder \(name), \(files.count) files, \(length) bytes" : "file \(name), \(length) bytes"
    entropyPerByte = nil
  }

  private init(streamAt path: [UInt8], name: String) throws(DataError) {
    let descriptor = path.withCPath { Glibc.open($0, O_RDONLY | O_CLOEXEC) }
    guard descriptor >= 0 else {
      throw .unreadable(path: name, reason: systemReason(errno))
    }
    defer { close(descriptor) }
    try self.init(stream: descriptor, name: name)
  }

  init(stream descriptor: Int32, name: String) throws(DataError) {
    var bytes: [UInt8] = []
    let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 1)
    defer { chunk.deallocate() }
    while true {
      let got = read(descriptor, chunk.baseAddress, chunk.count)
      if got < 0 && errno == EINTR { continue }
      guard got >= 0 else { throw .unreadable(path: name, reason: systemReason(errno)) }
      guard got > 0 else { break }
      bytes.append(contentsOf: chunk[..<got])
    }
    guard !bytes.isEmpty else { throw .empty(path: name) }
    self.init(bytes: bytes, name: name, description: name)
  }

  /// Copies `range` of the corpus into `destination`, which holds as many bytes.
  /// - Throws: `shrank`, `missing` or `unreadable` when a file changed after it was opened.
  package func copy(
    _ range: Range<Int>, into destination: UnsafeMutableBufferPointer<UInt8>
  ) throws(DataError) {
    precondition(range.lowerBound >= 0 && range.upperBound <= count, "\(range) of \(count) bytes")
    precondition(destination.count == range.count, "\(range) into \(destination.count) bytes")
    switch storage {
    case .memory(let bytes):
      _ = destination.update(fromContentsOf: bytes[range])
    case .files(let files):
      try copy(range, of: files, into: UnsafeMutableRawBufferPointer(destination))
    }
  }

  private func copy(
    _ range: Range<Int>, of files: [CorpusFile], into destination: UnsafeMutableRawBufferPointer
  ) throws(DataError) {
    var position = range.lowerBound
    var index = fileIndex(of: position, in: files)
    while position < range.upperBound {
      let file = files[index]
      let end = min(range.upperBound, file.start + file.count)
      let target = (position - range.lowerBound)..<(end - range.lowerBound)
      let part = UnsafeMutableRawBufferPointer(rebasing: destination[target])
      try file.copy(at: position - file.start, into: part)
      position = end
      index += 1
    }
  }

  /// The last file that starts at or before `position`.
  private func fileIndex(of position: Int, in files: [CorpusFile]) -> Int {
    var low = 0
    var high = files.count
    while high - low > 1 {
      let middle = (low + high) / 2
      if files[middle].start <= position { low = middle } else { high = middle }
    }
    return low
  }
}
