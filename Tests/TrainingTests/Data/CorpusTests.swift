import Foundation
import Glibc
import Testing

@testable import Training

@Suite(.timeLimit(.minutes(15)))
struct CorpusTests {
  let folder: ScratchFolder

  init() throws {
    folder = try ScratchFolder()
  }

  private func bytes(_ corpus: Corpus, _ range: Range<Int>? = nil) throws -> [UInt8] {
    let range = range ?? 0..<corpus.count
    return try corpus.windows(startingAt: [range.lowerBound], count: range.count).map { UInt8($0) }
  }

  /// Ids as their bytes, the lower one first.
  private func ids(_ tokens: [Int]) -> [UInt8] {
    tokens.flatMap { [UInt8($0 % 256), UInt8($0 / 256)] }
  }

  @Test func `a tokenizer's ids are two bytes each, over files and streams`() throws {
    let written = (0..<900).map { $0 * $0 % 1000 }
    try folder.write(ids(Array(written[..<301])), to: "many/a.bin")
    try folder.write(ids(Array(written[301...])), to: "many/b.bin")
    let corpus = try Corpus.open(path: folder.path("many"), vocabulary: 1000)
    #expect(corpus.count == 900 && corpus.description.contains("900 tokens of 1000"))
    for range in [0..<900, 299..<303, 301..<302, 640..<900] {
      let found = try corpus.windows(startingAt: [range.lowerBound], count: range.count)
      #expect(found.map { Int($0) } == Array(written[range]))
    }
    let file = try folder.write(ids(written), to: "whole.bin")
    let whole = try Corpus.open(path: file, vocabulary: 1000)
    #expect(try whole.fingerprint() == corpus.fingerprint())
    #expect(try whole.fingerprint() != Corpus.open(path: file).fingerprint())
  }

  @Test func `ids that are none are refused where they are opened, with their place`() throws {
    let file = try folder.write(ids([3, 999, 41, 1000, 7, 2000]), to: "ids.bin")
    let unknown = DataError.unknownToken(path: file, token: 1000, offset: 6, vocabulary: 1000)
    #expect(throws: unknown) { try Corpus.open(path: file, vocabulary: 1000) }
    #expect("\(unknown)".hasPrefix("\(file): the token at byte 6 is 1000, and the model has 1000;"))
    let corpus = try Corpus.open(path: file, vocabulary: 2001)
    #expect(try corpus.windows(startingAt: [0], count: 3) == [3, 999, 41])
    // All that two bytes tell apart.
    let all = try folder.write(ids([0, 65535]), to: "all.bin")
    #expect(try Corpus.open(path: all, vocabulary: 65536).count == 2)
    #expect(
      throws: DataError.unknownToken(path: all, token: 65535, offset: 2, vocabulary: 65535)
    ) { try Corpus.open(path: all, vocabulary: 65535) }
    // One that was none when it was opened.
    try folder.write(ids([3, 999, 41, 2001, 7, 2000]), to: "ids.bin")
    #expect(
      throws: DataError.unknownToken(path: file, token: 2001, offset: 6, vocabulary: 2001)
    ) { try corpus.windows(startingAt: [1], count: 4) }
    let half = try folder.write([1, 0, 2], to: "half.bin")
    #expect(throws: DataError.halfToken(path: half, bytes: 3)) {
      try Corpus.open(path: half, vocabulary: 1000)
    }
    #expect(throws: DataError.self) {
      try WindowSource(corpus: corpus, context: 64, order: .file, seed: 1)
    }
    for error in [
      DataError.halfToken(path: half, bytes: 3),
      unknown,
      .tooShort(path: file, bytes: 5, needed: 66, context: 64, unit: "tokens"),
    ] {
      #expect(!"\(error)".contains("\n"))
    }
  }

  /// Far into a file, in a later file of a folder, and in what is no file.
  @Test func `an id that is none is found wherever it lies`() throws {
    var many = [Int](repeating: 5, count: 600_000)
    for place in [0, 262_143, 262_144, 599_999] {
      many[place] = 900
      let file = try folder.write(ids(many), to: "far.bin")
      let error = DataError.unknownToken(
        path: file, token: 900, offset: 2 * place, vocabulary: 900)
      #expect(throws: error) { try Corpus.open(path: file, vocabulary: 900) }
      many[place] = 5
    }
    try folder.write(ids([1, 2, 3]), to: "two/a.bin")
    let later = try folder.write(ids([4, 700]), to: "two/b.bin")
    #expect(
      throws: DataError.unknownToken(path: later, token: 700, offset: 2, vocabulary: 700)
    ) { try Corpus.open(path: folder.path("two"), vocabulary: 700) }
    var ends: [Int32] = [0, 0]
    try #require(pipe(&ends) == 0)
    defer { close(ends[0]) }
    #expect(ids([1, 700]).withUnsafeBytes { write(ends[1], $0.baseAddress, $0.count) } == 4)
    close(ends[1])
    #expect(
      throws: DataError.unknownToken(path: "a pipe", token: 700, offset: 2, vocabulary: 700)
    ) { try Corpus(stream: ends[0], name: "a pipe", vocabulary: 700) }
  }

  @Test func `a file gives back any range of its bytes`() throws {
    let written = (0..<1000).map { UInt8($0 % 251) }
    let corpus = try Corpus.open(path: folder.write(written, to: "file"))
    #expect(corpus.count == 1000)
    #expect(try bytes(corpus) == written)
    #expect(try bytes(corpus, 313..<700) == Array(written[313..<700]))
    #expect(try bytes(corpus, 1000..<1000).isEmpty)
    #expect(corpus.description == "file \(folder.path("file")), 1000 bytes")
    #expect(corpus.entropyPerByte == nil)
  }

  @Test func `a folder is its files in byte order of their paths`() throws {
    let inOrder = [".hidden", "B", "a-b/x", "a.txt", "a/deep/er", "a/x", "b", "é"]
    for (index, name) in inOrder.enumerated().reversed() {
      try folder.write("\(index)".utf8, to: "tree/\(name)")
    }
    try folder.write([], to: "tree/a/empty")
    let tree = folder.path("tree")
    try FileManager.default.createSymbolicLink(atPath: tree + "/a/loop", withDestinationPath: tree)
    try FileManager.default.createSymbolicLink(atPath: tree + "/a/gone", withDestinationPath: "no")
    try FileManager.default.createSymbolicLink(atPath: tree + "/c", withDestinationPath: "b")
    let corpus = try Corpus.open(path: tree)
    #expect(String(decoding: try bytes(corpus), as: UTF8.self) == "012345667")
    #expect(try bytes(corpus, 4..<8) == Array("4566".utf8))
    #expect(corpus.description == "folder \(tree), 9 files, 9 bytes")
    #expect(try bytes(Corpus.open(path: tree + "/")) == bytes(corpus))
  }

  @Test func `a name that is not UTF-8 is read like any other`() throws {
    let path = Array(folder.path.utf8) + Array("/".utf8) + [0xFF, 0xFE]
    let descriptor = path.withCPath { Glibc.open($0, O_CREAT | O_WRONLY, 0o600) }
    try #require(descriptor >= 0)
    #expect(write(descriptor, "odd", 3) == 3)
    close(descriptor)
    #expect(try bytes(Corpus.open(path: folder.path)) == Array("odd".utf8))
  }

  @Test func `a folder may have more files than stay open`() throws {
    let count = Corpus.openFileLimit + 40
    for index in 0..<count {
      try folder.write([UInt8(index % 256)], to: String(format: "many/%04d", index))
    }
    let corpus = try Corpus.open(path: folder.path("many"))
    #expect(try bytes(corpus) == (0..<count).map { UInt8($0 % 256) })
  }

  @Test func `a pipe is read to its end`() throws {
    var ends: [Int32] = [0, 0]
    try #require(pipe(&ends) == 0)
    defer { close(ends[0]) }
    let sent = [UInt8](repeating: 7, count: 30_000)
    #expect(sent.withUnsafeBytes { write(ends[1], $0.baseAddress, $0.count) } == 30_000)
    close(ends[1])
    let corpus = try Corpus.open(path: "/dev/fd/\(ends[0])")
    #expect(try bytes(corpus) == sent)
  }

  @Test func `bytes appended after opening are not part of the corpus`() throws {
    let path = try folder.write("before".utf8, to: "log")
    let corpus = try Corpus.open(path: path)
    let handle = try #require(FileHandle(forWritingAtPath: path))
    try handle.seekToEnd()
    try handle.write(contentsOf: Data("after".utf8))
    #expect(String(decoding: try bytes(corpus), as: UTF8.self) == "before")
  }

  @Test func `a file removed during the run goes on being read`() throws {
    let path = try folder.write("still here".utf8, to: "file")
    let corpus = try Corpus.open(path: path)
    try FileManager.default.removeItem(atPath: path)
    #expect(String(decoding: try bytes(corpus), as: UTF8.self) == "still here")
  }

  @Test func `a file that shrinks is an error that names it, not a crash`() throws {
    let path = try folder.write([UInt8](repeating: 1, count: 100_000), to: "shrinking")
    let corpus = try Corpus.open(path: path)
    #expect(truncate(path, 40_000) == 0)
    #expect(try bytes(corpus, 0..<40_000).count == 40_000)
    #expect(throws: DataError.shrank(path: path, expected: 100_000, found: 40_000)) {
      try bytes(corpus, 39_990..<40_010)
    }
  }

  @Test func `what cannot be learned from is refused by name`() throws {
    let file = try folder.write([], to: "empty")
    #expect(throws: DataError.empty(path: file)) { try Corpus.open(path: file) }
    #expect(throws: DataError.empty(path: folder.path)) { try Corpus.open(path: folder.path) }
    let absent = folder.path("absent")
    #expect(throws: DataError.missing(path: absent)) { try Corpus.open(path: absent) }
    #expect(throws: DataError.missing(path: file + "/below")) {
      try Corpus.open(path: file + "/below")
    }
    let circle = folder.path("circle")
    try FileManager.default.createSymbolicLink(atPath: circle, withDestinationPath: circle)
    #expect(
      throws: DataError.unreadable(path: circle, reason: "too many levels of symbolic links")
    ) { try Corpus.open(path: circle) }
    #expect(throws: DataError.unreadable(path: "/dev/null", reason: "it is a device")) {
      try Corpus.open(path: "/dev/null")
    }
  }

  @Test func `an error is one line that says what, where and what to do`() {
    let errors: [DataError] = [
      .missing(path: "a.txt"), .unreadable(path: "a.txt", reason: "permission denied"),
      .empty(path: "a.txt"), .tooShort(path: "a.txt", bytes: 100, needed: 1300, context: 64),
      .shrank(path: "a.txt", expected: 100, found: 40),
    ]
    let lines = [
      "a.txt: no such file or folder; give the path of a file or folder, or - for standard input",
      "a.txt: cannot be read (permission denied); give a file or folder this account may read",
      "a.txt: holds no bytes; give a file or folder with text or other bytes to learn from",
      "a.txt: 100 bytes are too few, a context of 64 needs 1300; "
        + "give more bytes or a shorter context",
      "a.txt: shrank from 100 to 40 bytes while in use; "
        + "restore the file and resume from the last checkpoint",
    ]
    #expect(errors.map(\.description) == lines)
  }

  @Test func `the fingerprint tells lengths and contents apart`() throws {
    let text = (0..<9000).map { UInt8($0 % 7) }
    var changed = text
    changed[4500] ^= 1
    let prints = try [text, changed, Array(text.dropLast()), [5]].map { bytes in
      try Corpus(bytes: bytes, name: "x", description: "x").fingerprint()
    }
    #expect(Set(prints).count == 4)
    #expect(prints.allSatisfy { $0.count == 16 })
    #expect(try Corpus.open(path: folder.write(text, to: "t")).fingerprint() == prints[0])
  }
}
