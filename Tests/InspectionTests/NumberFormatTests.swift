import Foundation
import Kernels
import TestSupport
import Testing
import Training

@testable import Inspection

/// Number formats against PyTorch's own types and papers' worked numbers.
@Suite(.timeLimit(.minutes(15)))
struct NumberFormatTests {
  private func rounded(_ values: [Float], to format: NumberFormat, peak: Float? = nil) -> [Float] {
    let buffer = FloatBuffer(count: values.count)
    for (index, value) in values.enumerated() { buffer[index] = value }
    let peaks = FloatBuffer(repeating: peak ?? values.map(abs).max() ?? 0, count: 1)
    round(
      buffer, from: 0, count: values.count, group: values.count, peaks: peaks, to: format)
    return (0..<values.count).map { buffer[$0] }
  }

  @Test(arguments: [NumberFormat.e4m3, .e5m2])
  func `every number of a type, and what lies between two, is rounded as PyTorch does`(
    format: NumberFormat
  ) throws {
    let points = try #require(RecordedFormats.all.get().points[format.rawValue])
    #expect(points.x.count > 500)
    let found = rounded(points.x, to: format)
    for (index, x) in points.x.enumerated() where found[index] != points.q[index] {
      Issue.record("\(x) became \(found[index]), not \(points.q[index])")
    }
  }

  @Test func `integers take halves to the even one`() {
    let values: [Float] = [127, 0.5, 1.5, -2.5, 3.49, -126.51, 0.49]
    #expect(rounded(values, to: .int8) == [127, 0, 2, -2, 3, -127, 0])
    #expect(rounded([7, 0.5, 1.5, -6.5, -6.51], to: .int4) == [7, 0, 2, -6, -7])
  }

  @Test func `numbers that four bits have stay what they are`() {
    let nf4: [Float] = [
      -1, -0.6961928, -0.52507305, -0.3949175, -0.28444138, -0.18477343, -0.091050036, 0,
      0.0795803, 0.1609302, 0.2461123, 0.33791524, 0.44070983, 0.562617, 0.72295684, 1,
    ]
    #expect(rounded(nf4, to: .nf4) == nf4)
    let sizes: [Float] = [0, 1 / 192, 1 / 6, 1 / 4, 1 / 3, 1 / 2, 2 / 3, 1]
    let fp4 = sizes + sizes.map { -$0 }
    #expect(rounded(fp4, to: .fp4) == fp4)
    // A little to each side of the middle between two neighbours.
    for codes in [nf4, sizes] {
      let format = codes == nf4 ? NumberFormat.nf4 : .fp4
      for (low, high) in zip(codes, codes.dropFirst()) {
        let middle = (low + high) / 2
        let near = [middle - 1e-6, middle + 1e-6]
        #expect(rounded(near, to: format, peak: 1) == [low, high], "\(format) at \(middle)")
      }
    }
  }

  @Test(arguments: ["normal", "outliers", "shifted", "tiny", "huge"])
  func `SQNR, flushed share and moments are PyTorch's`(name: String) throws {
    let recorded = try #require(RecordedFormats.all.get().cases[name])
    let folder = try TestFolder()
    let path = try folder.write(
      [StoredTensor("w", recorded.shape, recorded.values)], to: "w.safetensors")
    let report = try #require(survey(path).first)
    #expect(abs(report.rms / recorded.rms - 1) < 1e-5)
    #expect(report.absmax == recorded.absmax)
    #expect(abs(report.kurtosis / recorded.kurtosis - 1) < 1e-3)
    #expect(report.formats.count == 18)
    for cost in report.formats {
      let wanted = try #require(recorded.formats[cost.format.rawValue]?[cost.scale.rawValue])
      let place = "\(name) \(cost.format) \(cost.scale)"
      #expect(abs(cost.decibels - wanted.sqnrDb) < 0.01, "\(place): \(cost.decibels)")
      #expect(abs(cost.flushed - wanted.flushed) < 1e-9, "\(place): \(cost.flushed)")
    }
  }

  /// The table of 65,536 samples: INT8 first of a bell, FP8 first of heavy tails, FP8 flat over all.
  @Test func `a bell, heavy tails and a level field come out as they must`() throws {
    let folder = try TestFolder()
    let count = 65_536
    let generator = CounterGenerator(seed: 5, stream: "format table")
    func normal(_ index: Int, _ lane: Int) -> Double {
      let place = UInt64((index * 8 + lane) * 2)
      let (u, v) = (generator.fraction(at: place), generator.fraction(at: place + 1))
      return (-2 * log(1 - u)).squareRoot() * cos(2 * .pi * v)
    }
    let gauss = (0..<count).map { Float(normal($0, 0)) }
    let student = (0..<count).map { index -> Float in
      let square = (1...3).reduce(0.0) { $0 + normal(index, $1) * normal(index, $1) }
      return Float(normal(index, 0) / (square / 3).squareRoot())
    }
    let level = (0..<count).map { Float(2 * generator.fraction(at: UInt64($0 * 16 + 15)) - 1) }
    let path = try folder.write(
      [
        StoredTensor("gauss", [256, 256], gauss), StoredTensor("student", [256, 256], student),
        StoredTensor("level", [256, 256], level),
      ], to: "t.safetensors")
    let reports = try survey(path)
    func decibels(_ tensor: Int, _ format: NumberFormat, _ scale: ScaleGroup) -> Double {
      reports[tensor].cost(format, scale)?.decibels ?? .nan
    }
    let columns: [(NumberFormat, ScaleGroup)] = [
      (.int8, .tensor), (.int8, .block64), (.e4m3, .tensor), (.e5m2, .tensor), (.int4, .tensor),
      (.nf4, .block64), (.fp4, .block64), (.int4, .block64),
    ]
    let wanted = [
      [39.3, 44.5, 31.6, 25.5, 14.2, 20.7, 18.3, 19.3],
      [21.7, 39.4, 31.5, 25.6, 2.0, 18.2, 14.4, 14.8],
      [48.1, 48.3, 31.9, 25.8, 22.9, 20.8, 19.1, 23.1],
    ]
    for (tensor, row) in wanted.enumerated() {
      for ((format, scale), value) in zip(columns, row) {
        // One largest sample decides a scale for all, of heavy tails above all.
        let isAlone = scale == .tensor && (format == .int8 || format == .int4)
        let margin = tensor == 1 ? (isAlone ? 8 : 1) : isAlone ? 1 : 0.3
        let found = decibels(tensor, format, scale)
        #expect(
          abs(found - value) < margin, "\(reports[tensor].name) \(format) \(scale): \(found)")
      }
    }
    #expect(decibels(0, .int8, .tensor) > decibels(0, .e4m3, .tensor))
    #expect(decibels(1, .int8, .tensor) < decibels(1, .e4m3, .tensor))
    #expect(abs(reports[0].kurtosis - 3) < 0.1)
    #expect(abs(reports[2].kurtosis - 1.8) < 0.05)
  }

  @Test func `outliers decide between INT8 and E4M3, and what they leave to the others counts`()
    throws
  {
    let folder = try TestFolder()
    let generator = CounterGenerator(seed: 7, stream: "choices")
    let bell = (0..<6400).map { index -> Float in
      (0..<12).reduce(-6) { $0 + Float(generator.fraction(at: UInt64(index * 12 + $1))) }
    }
    var (one, all, alone) = (bell, bell, bell)
    // In one row, in each row, and one so large that it holds nearly all of the power.
    one[70] = 150
    for row in 0..<64 { all[row * 100 + row] = 60 }
    alone[70] = 3000
    let path = try folder.write(
      [
        StoredTensor("bell", [64, 100], bell), StoredTensor("one", [64, 100], one),
        StoredTensor("all", [64, 100], all), StoredTensor("alone", [64, 100], alone),
        StoredTensor("vector", [100], Array(bell.prefix(100))),
      ], to: "w.safetensors")
    let reports = try survey(path)
    func words(_ bits: Int) -> [String] {
      reports.map { report in
        report.choice(bits: bits).map { "\($0.format) \($0.scale)" } ?? "none"
      }
    }
    #expect(words(8) == ["int8 tensor", "e4m3 tensor", "e4m3 tensor", "e4m3 tensor", "none"])
    #expect(reports[3].cost(.int4, .tensor).map { $0.decibels > 30 && $0.flushed > 0.9 } == true)
    let four = words(4)
    #expect([four[0], four[1], four[3], four[4]] == ["nf4 tensor", "fp4 row", "nf4 row", "none"])
  }
}
