import Foundation
import Kernels
import TestSupport
import Testing
import Training

@testable import Inspection

/// Any tensor of any type and shape, in chunks that are smaller than it.
@Suite(.timeLimit(.minutes(15)))
struct TensorSurveyTests {
  private let folder: TestFolder

  init() throws { folder = try TestFolder() }

  private func values(_ count: Int, seed: UInt64 = 2) -> [Float] {
    let generator = CounterGenerator(seed: seed, stream: "survey")
    return (0..<count).map { Float(generator.fraction(at: UInt64($0)) - 0.45) }
  }

  /// The report by the definition, in Float64 and without pieces.
  private func expected(
    _ values: [Float], group: Int, _ format: NumberFormat
  ) -> (decibels: Double, flushed: Double) {
    let buffer = FloatBuffer(count: values.count)
    for (index, value) in values.enumerated() { buffer[index] = value }
    let peaks = FloatBuffer(count: (values.count + group - 1) / group)
    groupPeaks(buffer, from: 0, count: values.count, group: group, into: peaks)
    round(buffer, from: 0, count: values.count, group: group, peaks: peaks, to: format)
    var (signal, noise, flushed) = (0.0, 0.0, 0)
    for (index, value) in values.enumerated() {
      let error = Double(value) - Double(buffer[index])
      signal += Double(value) * Double(value)
      noise += error * error
      if value != 0, buffer[index] == 0 { flushed += 1 }
    }
    return (10 * log10(signal / noise), Double(flushed) / Double(values.count))
  }

  /// Narrow rows, rows that are no multiple of a block, rows longer than a piece, filters, experts.
  @Test(
    arguments: [
      ([37], 37), ([3, 7], 7), ([130, 1], 1), ([70, 100], 100), ([3, 5000], 5000),
      ([2, 140_001], 140_001), ([6, 4, 3, 3], 36), ([3, 10, 64], 64), ([2000, 100], 100),
    ] as [([Int], Int)])
  func `rows and blocks are the same whatever the shape`(shape: [Int], columns: Int) throws {
    let values = values(shape.reduce(1, *))
    let path = try folder.write([StoredTensor("w", shape, values)], to: "w.safetensors")
    let report = try #require(survey(path).first)
    for cost in report.formats {
      let group =
        switch cost.scale {
        case .tensor: values.count
        case .row: columns
        case .block64: 64
        }
      let wanted = expected(values, group: group, cost.format)
      guard wanted.decibels.isFinite, wanted.decibels < 100 else {
        // A row of one number is the scale itself; only the last bit may be lost.
        #expect(cost.decibels > 100, "\(shape) \(cost.format) \(cost.scale)")
        continue
      }
      #expect(
        abs(cost.decibels - wanted.decibels) < 0.02, "\(shape) \(cost.format) \(cost.scale)")
      #expect(abs(cost.flushed - wanted.flushed) < 2e-5, "\(shape) \(cost.format) \(cost.scale)")
    }
  }

  @Test func `one worker or two, the bits are the same`() throws {
    let path = try folder.write(
      [
        StoredTensor("a", [300, 500], values(150_000)),
        StoredTensor("b", [3, 50_000], values(150_000)),
      ],
      to: "w.safetensors")
    let (one, two) = (try survey(path, workers: 1), try survey(path, workers: 2))
    #expect(one.count == 2)
    for (one, two) in zip(one, two) {
      #expect(one.formats == two.formats)
      #expect(one.rms == two.rms && one.kurtosis == two.kurtosis)
    }
  }

  /// More than a chunk: the file is read in parts, and the whole tensor's scale in a second walk.
  @Test func `a tensor of several chunks is as its parts are together`() throws {
    let count = 300_000
    let values = values(count)
    let path = try folder.write(
      [StoredTensor("w", [count / 100, 100], values)], to: "w.safetensors")
    let report = try #require(survey(path).first)
    for (format, scale, group) in [
      (NumberFormat.int8, ScaleGroup.tensor, count), (.nf4, .block64, 64), (.e4m3, .row, 100),
    ] {
      let wanted = expected(values, group: group, format)
      let found = try #require(report.cost(format, scale))
      #expect(abs(found.decibels - wanted.decibels) < 0.02, "\(format) \(scale)")
    }
    let squares = values.reduce(0.0) { $0 + Double($1) * Double($1) }
    #expect(abs(report.rms - (squares / Double(count)).squareRoot()) < 1e-9)
  }

  @Test func `each floating type is read as the number it is, other types are left out`() throws {
    func bytes<Number: BitwiseCopyable>(_ numbers: [Number]) -> [UInt8] {
      numbers.flatMap { number in withUnsafeBytes(of: number) { Array($0) } }
    }
    // 1.5, −0.25, the smallest subnormal of half precision, 240.
    let half: [UInt16] = [0x3E00, 0xB400, 0x0001, 0x5B80]
    let brain: [UInt16] = [0x3FC0, 0xBE80, 0x3380, 0x4370]
    let path = try folder.write(
      [
        StoredTensor("f64", [4], type: "F64", bytes: bytes([1.5, -0.25, 0x1p-24, 240])),
        StoredTensor("f32", [4], [1.5, -0.25, 0x1p-24, 240]),
        StoredTensor("f16", [4], type: "F16", bytes: bytes(half)),
        StoredTensor("bf16", [4], type: "BF16", bytes: bytes(brain)),
        StoredTensor("e4m3", [3], type: "F8_E4M3", bytes: [0x3C, 0x01, 0x7E]),
        StoredTensor("e5m2", [3], type: "F8_E5M2", bytes: [0x3E, 0x01, 0x7B]),
        StoredTensor("i64", [2], type: "I64", bytes: bytes([1, 2])),
        StoredTensor("flag", [3], type: "BOOL", bytes: [0, 1, 1]),
        StoredTensor("empty", [0, 3], type: "F32", bytes: []),
      ], to: "types.safetensors")
    let reports = try survey(path)
    #expect(reports.map(\.name) == ["f64", "f32", "f16", "bf16", "e4m3", "e5m2"])
    for report in reports.prefix(4) {
      #expect(report.absmax == 240, "\(report.name)")
      #expect(report.rms == reports[0].rms, "\(report.name)")
    }
    #expect(reports[4].absmax == 448 && reports[5].absmax == 57_344)
    let square = 1.5 * 1.5 + 0x1p-18 + 448 * 448
    #expect(abs(reports[4].rms - (square / 3).squareRoot()) < 1e-4)
  }

  @Test func `values that are not finite are counted, and zeros are no trouble`() throws {
    let path = try folder.write(
      [
        StoredTensor("bad", [2, 3], [1, .nan, 2, -.infinity, 3, 0]),
        StoredTensor("zeros", [2, 3], [0, 0, 0, 0, 0, 0]),
        StoredTensor("ones", [3], [1, 1, 1]),
      ], to: "w.safetensors")
    let reports = try survey(path)
    #expect(reports[0].nonFinite == 2 && reports[0].formats.isEmpty && reports[0].absmax == 3)
    #expect(reports[1].rms == 0 && reports[1].kurtosis.isNaN)
    #expect(reports[1].formats.allSatisfy { $0.decibels.isNaN && $0.flushed == 0 })
    #expect(reports[2].rms == 1 && reports[2].kurtosis.isNaN)
    #expect(reports[2].formats.allSatisfy { $0.decibels > 120 })
  }
}
