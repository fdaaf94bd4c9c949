import Foundation

/// A tensor to be written.
package struct SafetensorsTensor {
  package enum Contents {
    case values(UnsafeBufferPointer<Float>)
    case copied([Float])
    case zeros
  }

  package var name: String
  package var shape: [Int]
  package var contents: Contents

  package init(name: String, shape: [Int], contents: Contents) {
    self.name = name
    self.shape = shape
    self.contents = contents
  }

  var count: Int { shape.reduce(1, *) }
}

/// Writes Float32 tensors in the order given and forces them to the disk.
/// - Throws: `unwritable`; the file is then incomplete.
package func writeSafetensors(
  _ tensors: [SafetensorsTensor], to path: String
) throws(CheckpointError) {
  let writer = try SafetensorsWriter(
    path: path,
    tensors: tensors.map {
      SafetensorsFile.Tensor(name: $0.name, type: "F32", shape: $0.shape, bytes: $0.count * 4)
    })
  for tensor in tensors {
    switch tensor.contents {
    case .values(let values):
      precondition(values.count == tensor.count, "\(tensor.name): \(values.count) values")
      try writer.write(UnsafeRawBufferPointer(values))
    case .copied(let values):
      precondition(values.count == tensor.count, "\(tensor.name): \(values.count) values")
      try writer.write(values)
    case .zeros:
      try writer.write(zeros: tensor.count * 4)
    }
  }
  try writer.finish()
}

/// A safetensors file being written: its header first, then the tensors' bytes piece by piece.
package final class SafetensorsWriter {
  private let output: CheckpointOutput
  private let bytes: Int
  private var written = 0

  /// - Parameters: `tensors` in the order in which their bytes will come
  /// - Throws: `unwritable`.
  package init(path: String, tensors: [SafetensorsFile.Tensor]) throws(CheckpointError) {
    output = try CheckpointOutput(path: path)
    bytes = tensors.reduce(0) { $0 + $1.bytes }
    let header = Self.header(tensors)
    try output.write(withUnsafeBytes(of: UInt64(header.count).littleEndian) { Array($0) })
    try output.write(header)
  }

  /// The next bytes of the tensors.
  /// - Throws: `unwritable`.
  package func write(_ piece: UnsafeRawBufferPointer) throws(CheckpointError) {
    try output.write(piece)
    written += piece.count
  }

  func write(_ values: [Float]) throws(CheckpointError) {
    try output.write(values.withUnsafeBytes { Array($0) })
    written += values.count * 4
  }

  func write(zeros count: Int) throws(CheckpointError) {
    try output.write([UInt8](repeating: 0, count: count))
    written += count
  }

  /// Forces the file to the disk.
  /// - Throws: `unwritable`.
  package func finish() throws(CheckpointError) {
    precondition(written == bytes, "\(written) of \(bytes) bytes")
    try output.finish()
  }

  /// JSON, padded with spaces so that the tensors begin at a multiple of eight.
  private static func header(_ tensors: [SafetensorsFile.Tensor]) -> [UInt8] {
    var members = ["\"__metadata__\":{\"format\":\"pt\"}"]
    var offset = 0
    for tensor in tensors {
      let shape = tensor.shape.map(String.init).joined(separator: ",")
      let end = offset + tensor.bytes
      let entry =
        "{\"dtype\":\"\(tensor.type)\",\"shape\":[\(shape)],\"data_offsets\":[\(offset),\(end)]}"
      members.append("\(quoted(tensor.name)):\(entry)")
      offset = end
    }
    let json = Array("{\(members.joined(separator: ","))}".utf8)
    return json + [UInt8](repeating: 0x20, count: (8 - json.count % 8) % 8)
  }

  /// A name from a foreign file may have anything in it.
  private static func quoted(_ name: String) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .withoutEscapingSlashes
    guard let json = try? encoder.encode(name) else { return "\"\"" }
    return String(decoding: json, as: UTF8.self)
  }
}
