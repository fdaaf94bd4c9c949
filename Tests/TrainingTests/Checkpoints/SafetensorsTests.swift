import Foundation
import Glibc
import Testing

@testable import Training

@Suite(.timeLimit(.minutes(15)))
struct SafetensorsTests {
  let folder: ScratchFolder

  init() throws {
    folder = try ScratchFolder()
  }

  private let values: [Float] = [
    1.5, -0.0, .infinity, .nan, .leastNonzeroMagnitude, 3e38,
  ]

  /// Two tensors of six and of two values.
  private func written(to name: String) throws -> String {
    try values.withUnsafeBufferPointer { buffer in
      try writeSafetensors(
        [
          SafetensorsTensor(name: "a.weight", shape: [2, 3], contents: .values(buffer)),
          SafetensorsTensor(name: "a.bias", shape: [2], contents: .zeros),
        ], to: folder.path(name))
    }
    return folder.path(name)
  }

  private func read(_ file: SafetensorsFile, _ name: String, _ shape: [Int]) throws -> [Float] {
    let buffer = UnsafeMutableBufferPointer<Float>.allocate(capacity: shape.reduce(1, *))
    defer { buffer.deallocate() }
    buffer.initialize(repeating: -7)
    try file.read(name, shape: shape, into: buffer)
    return Array(buffer)
  }

  /// A file with this header and as many zero bytes behind it.
  private func file(_ header: String, body: Int) throws -> String {
    let length = withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Array($0) }
    return try folder.write(
      length + Array(header.utf8) + [UInt8](repeating: 0, count: body), to: "by-hand")
  }

  @Test func `tensors come back bit for bit`() throws {
    let file = try SafetensorsFile(path: written(to: "f"))
    #expect(file.names == ["a.bias", "a.weight"])
    #expect(file.metadata == ["format": "pt"])
    #expect(try read(file, "a.weight", [2, 3]).map(\.bitPattern) == values.map(\.bitPattern))
    #expect(try read(file, "a.bias", [2]) == [0, 0])
  }

  @Test func `the file is what the format says, byte for byte`() throws {
    let bytes = try Array(Data(contentsOf: URL(fileURLWithPath: written(to: "f"))))
    let header =
      #"{"__metadata__":{"format":"pt"},"#
      + #""a.weight":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},"#
      + #""a.bias":{"dtype":"F32","shape":[2],"data_offsets":[24,32]}}     "#
    #expect(header.utf8.count % 8 == 0)
    #expect(bytes[..<8] == [UInt8(header.utf8.count), 0, 0, 0, 0, 0, 0, 0])
    #expect(String(decoding: bytes[8..<(8 + header.utf8.count)], as: UTF8.self) == header)
    #expect(bytes.count == 8 + header.utf8.count + 32)
    #expect(bytes[(8 + header.utf8.count)...].prefix(4) == [0, 0, 0xC0, 0x3F])
  }

  @Test func `names may have escapes, blanks may stand anywhere, order is free`() throws {
    let path = try file(
      """
       { "b\\u00e9\\ud83d\\ude00\\n\\"" : { "data_offsets" : [ 8 , 12 ] , "shape" : [ ] ,
      "dtype" : "F32" } , "empty" : {"dtype":"F32","shape":[0,5],"data_offsets":[8,8]},
      "first":{"dtype":"BF16","shape":[4],"data_offsets":[0,8]} }\t
      """, body: 12)
    let file = try SafetensorsFile(path: path)
    #expect(file.names == ["bé😀\n\"", "empty", "first"].sorted())
    #expect(try read(file, "bé😀\n\"", []) == [0])
    #expect(try read(file, "empty", [0, 5]).isEmpty)
  }

  @Test func `another type, another shape and an absent tensor are named`() throws {
    let path = try file(#"{"w":{"dtype":"BF16","shape":[4],"data_offsets":[0,8]}}"#, body: 8)
    let file = try SafetensorsFile(path: path)
    #expect(
      throws: CheckpointError.tensorUnfit(
        path: path, tensor: "w", expected: "F32 [4]", found: "BF16 [4]")
    ) { try read(file, "w", [4]) }
    #expect(throws: CheckpointError.tensorMissing(path: path, tensor: "x")) {
      try read(file, "x", [4])
    }
    let other = try written(to: "f")
    #expect(
      throws: CheckpointError.tensorUnfit(
        path: other, tensor: "a.weight", expected: "F32 [3, 2]", found: "F32 [2, 3]")
    ) { try SafetensorsFile(path: other).check("a.weight", shape: [3, 2]) }
  }

  @Test func `a file cut at any byte is damaged`() throws {
    let whole = try Array(Data(contentsOf: URL(fileURLWithPath: written(to: "f"))))
    for length in 0..<whole.count {
      let path = try folder.write(whole[..<length], to: "cut")
      let error = #expect(throws: CheckpointError.self) { try SafetensorsFile(path: path) }
      guard case .damaged = error else {
        Issue.record("cut at \(length): \(String(describing: error))")
        continue
      }
    }
  }

  @Test func `a bit flipped anywhere before the tensors is damage or a sound file, never a crash`()
    throws
  {
    let whole = try Array(Data(contentsOf: URL(fileURLWithPath: written(to: "f"))))
    for index in 0..<(whole.count - 32) {
      for bit in [index % 8, (index + 3) % 8] {
        var flipped = whole
        flipped[index] ^= 1 << bit
        let path = try folder.write(flipped, to: "flipped")
        do throws(CheckpointError) {
          let file = try SafetensorsFile(path: path)
          #expect(index >= 8, "a header length that is wrong was believed")
          #expect(file.names.count == 2)
        } catch {
          guard case .damaged = error else {
            Issue.record("bit \(bit) of byte \(index): \(error)")
            continue
          }
        }
      }
    }
  }

  @Test func `what is no file is not waited for`() throws {
    let absent = folder.path("absent")
    #expect(throws: CheckpointError.missing(path: absent)) { try SafetensorsFile(path: absent) }
    for path in [folder.path, folder.path("pipe")] {
      _ = mkfifo(folder.path("pipe"), 0o600)
      #expect(throws: CheckpointError.unreadable(path: path, reason: "it is not a file")) {
        try SafetensorsFile(path: path)
      }
    }
  }

  @Test func `a file that shrinks while open is damaged`() throws {
    let path = try written(to: "f")
    let file = try SafetensorsFile(path: path)
    let length = try Data(contentsOf: URL(fileURLWithPath: path)).count
    #expect(truncate(path, off_t(length - 12)) == 0)
    #expect(
      throws: CheckpointError.damaged(
        path: path, offset: length - 12, expected: "4 more bytes", found: "the end of the file")
    ) { try read(file, "a.weight", [2, 3]) }
  }

  @Test func `a full disk is an error`() throws {
    #expect(
      throws: CheckpointError.unwritable(path: "/dev/full", reason: "no space left on device")
    ) {
      try writeSafetensors(
        [SafetensorsTensor(name: "w", shape: [3], contents: .zeros)], to: "/dev/full")
    }
  }
}
