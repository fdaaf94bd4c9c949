import Foundation
import Kernels
import TestSupport
import Training

@testable import Inspection

/// What PyTorch makes of numbers: `Recorded/formats.json`, written by the script beside it.
struct RecordedFormats: Decodable {
  struct Cost: Decodable {
    let sqnrDb: Double
    let flushed: Double
  }

  struct Case: Decodable {
    let shape: [Int]
    let values: [Float]
    let rms: Double
    let absmax: Double
    let kurtosis: Double
    let formats: [String: [String: Cost]]
  }

  struct Points: Decodable {
    let x: [Float]
    let q: [Float]
  }

  let cases: [String: Case]
  let points: [String: Points]

  static let all = Result { () throws -> RecordedFormats in
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appending(path: "Recorded/formats.json")
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try decoder.decode(RecordedFormats.self, from: Data(contentsOf: file))
  }
}

/// A tensor as bytes of a safetensors file.
struct StoredTensor {
  let name: String
  let shape: [Int]
  var type = "F32"
  let bytes: [UInt8]

  init(_ name: String, _ shape: [Int], type: String, bytes: [UInt8]) {
    (self.name, self.shape, self.type, self.bytes) = (name, shape, type, bytes)
  }

  init(_ name: String, _ shape: [Int], _ values: [Float]) {
    self.init(
      name, shape, type: "F32",
      bytes: values.flatMap { value in withUnsafeBytes(of: value) { Array($0) } })
  }
}

extension TestFolder {
  /// Writes tensors one after the other; returns the path.
  func write(_ tensors: [StoredTensor], to name: String) throws -> String {
    var members: [String] = []
    var offset = 0
    for tensor in tensors {
      let end = offset + tensor.bytes.count
      let shape = tensor.shape.map(String.init).joined(separator: ",")
      members.append(
        "\"\(tensor.name)\":{\"dtype\":\"\(tensor.type)\",\"shape\":[\(shape)],"
          + "\"data_offsets\":[\(offset),\(end)]}")
      offset = end
    }
    return try write(header: "{\(members.joined(separator: ","))}", tensors.flatMap(\.bytes), name)
  }

  func write(header: String, _ body: [UInt8], _ name: String) throws -> String {
    let length = withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Array($0) }
    let place = path(name)
    try Data(length + Array(header.utf8) + body).write(to: URL(fileURLWithPath: place))
    return place
  }

  func write(_ text: String, to name: String) throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: path(name)))
  }
}

/// All tensors of what lies at `path`.
func survey(
  _ path: String, workers: Int = 1, chunk: Int = 1 << 17
) throws -> [TensorReport] {
  let files = try TensorFiles(path: path)
  let survey = TensorSurvey(files, pool: WorkerPool(workers: workers), chunk: chunk)
  return try files.entries.compactMap { try survey.report(on: $0) }
}
