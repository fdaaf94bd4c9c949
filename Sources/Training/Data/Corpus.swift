import Foundation
import Glibc
package import Kernels

/// The tokens a run learns from: the bytes of a file, of the files of a folder or of a stream read to
/// its end, or of the built-in language; or the ids that a tokenizer has made of a text, two bytes each.
package struct Corpus: Sendable {
  private enum Storage: Sendable {
    case files([CorpusFile])
    case memory([UInt8])
  }

  private let storage: Storage
  /// The path as it was given, or what stands for one.
  package let name: String
  /// Its tokens.
  package let count: Int
  /// V: 256 where each byte is a token.
  package let vocabulary: Int
  /// One line for the run's description.
  package let description: String
  /// Nats a byte, where the source's own entropy is known: the built-in language only.
  package let entropyPerByte: Double?

  /// Files of a folder that stay open; what is beyond is opened for each read.
  static let openFileLimit = 256

  /// Opens what lies at `path`; "-" is standard input, read to its end.
  /// - Throws: `missing`, `unreadable` (a device too), `empty`, `halfToken`, `unknownToken`.
  package static func open(path: String, vocabulary: Int = byteVocabulary) throws(DataError)
    -> Corpus
  {
    if path == "-" {
      return try Corpus(stream: STDIN_FILENO, name: "standard input", vocabulary: vocabulary)
    }
    let bytes = Array(path.utf8)
    switch try PathKind.at(bytes) {
    case .file:
      return try Corpus(files: [bytes], name: path, kind: "file", vocabulary: vocabulary)
    case .folder:
      return try Corpus(
        files: filesUnder(bytes), name: path, kind: "folder", vocabulary: vocabulary)
    case .stream: return try Corpus(streamAt: bytes, name: path, vocabulary: vocabulary)
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
    vocabulary = Self.byteVocabulary
    self.name = name
    self.description = "\(description), \(bytes.count) bytes"
    self.entropyPerByte = entropyPerByte
  }

  private init(ids: [UInt8], vocabulary: Int, name: String) throws(DataError) {
    storage = .memory(ids)
    count = ids.count / 2
    self.vocabulary = vocabulary
    self.name = name
    description = "\(name), \(count) tokens of \(vocabulary)"
    entropyPerByte = nil
    try checkTokens()
  }

  private init(
    files paths: [[UInt8]], name: String, kind: String, vocabulary: Int
  ) throws(DataError) {
    let width = Self.width(vocabulary)
    var files: [CorpusFile] = []
    var length = 0
    for path in paths {
      let keepsOpen = files.count < Self.openFileLimit
      let file = try CorpusFile(path: path, start: length, keepsOpen: keepsOpen)
      guard file.count > 0 else { continue }
      guard file.count % width == 0 else {
        throw .halfToken(path: displayed(path), bytes: file.count)
      }
      files.append(file)
      length += file.count
    }
    guard length > 0 else { throw .empty(path: name) }
    storage = .files(files)
    count = length / width
    self.vocabulary = vocabulary
    self.name = name
    let amount = width == 1 ? "\(length) bytes" : "\(length / width) tokens of \(vocabulary)"
    description =
      kind == "folder"
      ? "folder \(name), \(files.count) files, \(amount)" : "file \(name), \(amount)"
    entropyPerByte = nil
    try checkTokens()
  }

  private init(streamAt path: [UInt8], name: String, vocabulary: Int) throws(DataError) {
    let descriptor = path.withCPath { Glibc.open($0, O_RDONLY | O_CLOEXEC) }
    guard descriptor >= 0 else {
      throw .unreadable(path: name, reason: systemReason(errno))
    }
    defer { close(descriptor) }
    try self.init(stream: descriptor, name: name, vocabulary: vocabulary)
  }

  init(stream descriptor: Int32, name: String, vocabulary: Int = byteVocabulary) throws(DataError) {
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
    guard vocabulary != Self.byteVocabulary else {
      self.init(bytes: bytes, name: name, description: name)
      return
    }
    guard bytes.count % 2 == 0 else { throw .halfToken(path: name, bytes: bytes.count) }
    try self.init(ids: bytes, vocabulary: vocabulary, name: name)
  }

  /// V of a corpus whose tokens are bytes.
  package static let byteVocabulary = 256

  /// What two bytes can tell apart.
  package static let largestVocabulary = 1 << 16

  /// Whether each byte is a token.
  package var isBytes: Bool { vocabulary == Self.byteVocabulary }

  /// What its tokens are, for a message.
  package var unit: String { isBytes ? "bytes" : "tokens" }

  /// The bytes of a token.
  private static func width(_ vocabulary: Int) -> Int { vocabulary == byteVocabulary ? 1 : 2 }

  /// Copies `range` of the corpus into `destination`, which holds as many tokens.
  /// - Throws: `shrank`, `missing` or `unreadable` when a file changed after it was opened;
  ///   `unknownToken`.
  package func copy(
    _ range: Range<Int>, into destination: UnsafeMutableBufferPointer<Token>
  ) throws(DataError) {
    precondition(range.lowerBound >= 0 && range.upperBound <= count, "\(range) of \(count) tokens")
    precondition(destination.count == range.count, "\(range) into \(destination.count) tokens")
    let width = Self.width(vocabulary)
    // Bytes are read into the end of the room and widened from there: each is read before a token is
    // written over it.
    let all = UnsafeMutableRawBufferPointer(destination)
    let raw = UnsafeMutableRawBufferPointer(rebasing: all[(all.count - range.count * width)...])
    try copyBytes(range.lowerBound * width..<range.upperBound * width, into: raw)
    guard width > 1 else {
      for index in destination.indices { destination[index] = Token(raw[index]) }
      return
    }
    for index in destination.indices {
      let token = Token(littleEndian: destination[index])
      guard Int(token) < vocabulary else {
        throw unknown(token, at: (range.lowerBound + index) * width)
      }
      destination[index] = token
    }
  }

  /// The error of an id that lies so many bytes into the corpus: it is told by its own file.
  func unknown(_ token: Token, at byte: Int) -> DataError {
    var (path, offset) = (name, byte)
    if case .files(let files) = storage {
      let file = files[fileIndex(of: byte, in: files)]
      (path, offset) = (displayed(file.path), byte - file.start)
    }
    return .unknownToken(path: path, token: Int(token), offset: offset, vocabulary: vocabulary)
  }

  func copyBytes(
    _ range: Range<Int>, into destination: UnsafeMutableRawBufferPointer
  ) throws(DataError) {
    switch storage {
    case .memory(let bytes): destination.copyBytes(from: bytes[range])
    case .files(let files): try copy(range, of: files, into: destination)
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
