import Foundation
import Kernels
import Models
import TestSupport
import Testing
import Training

@testable import Inspection

/// Collapse, spectra and differences against NumPy; what a model's parts are worth.
@Suite(.timeLimit(.minutes(15)))
struct InsideTests {
  /// `Recorded/inside.json`, written by the script beside it.
  private struct Recorded: Decodable {
    struct Collapse: Decodable {
      let width: Int
      let labels: [Int]
      let features: [Float]
      let head: [Float]
      let least: Int
      let found: [String: Double]
    }

    struct Spectrum: Decodable {
      let rows: Int
      let columns: Int
      let values: [Float]
      let singular_values: [Double]
      let stable_rank: Double
      let effective_rank: Double
      let outliers: [Int]
    }

    struct Difference: Decodable {
      let rows: Int
      let columns: Int
      let a: [Float]
      let b: [Float]
      let relative: Double
      let cosine: Double
      let absmax: Double
    }

    let collapse: Collapse
    let spectrum: Spectrum
    let difference: Difference
  }

  private static let recorded = Result { () throws -> Recorded in
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appending(path: "Recorded/inside.json")
    return try JSONDecoder().decode(Recorded.self, from: Data(contentsOf: file))
  }

  private let folder: TestFolder

  init() throws { folder = try TestFolder() }

  @Test func `neural collapse is what NumPy makes of the same features`() throws {
    let recorded = try Self.recorded.get().collapse
    let found = try #require(
      NeuralCollapse(
        features: recorded.features, labels: recorded.labels, width: recorded.width,
        head: recorded.head, least: recorded.least))
    let values = [
      "classes": Double(found.classes), "samples": Double(found.samples),
      "nc1": found.withinBetween, "trace_ratio": found.traceRatio,
      "cdnv": found.distanceVariance, "nc2_norms": found.normSpread,
      "nc2_angles": found.angleSpread, "nc2_frame": found.frameDistance,
      "nc3": found.selfDuality ?? .nan, "nc4": found.nearestMean ?? .nan,
    ]
    for (name, wanted) in recorded.found {
      let value = try #require(values[name], "\(name)")
      #expect(abs(value - wanted) < 1e-5 * max(1, abs(wanted)), "\(name): \(value), not \(wanted)")
    }
  }

  /// Three corners of a triangle, no spread within: collapsed in every respect.
  @Test func `features that have collapsed are told as collapsed`() throws {
    let corners: [[Float]] = [
      [1, 0], [-0.5, Float(3.0.squareRoot() / 2)], [-0.5, -Float(3.0.squareRoot() / 2)],
    ]
    let labels = (0..<30).map { $0 % 3 }
    let features = labels.enumerated().flatMap { index, label in
      corners[label].map { $0 + (index < 15 ? 1e-4 : -1e-4) }
    }
    let found = try #require(
      NeuralCollapse(
        features: features, labels: labels, width: 2, head: corners.flatMap { $0 }, least: 5))
    #expect(found.withinBetween < 1e-6 && found.distanceVariance < 1e-6)
    #expect(found.normSpread < 1e-3 && found.angleSpread < 1e-3 && found.frameDistance < 1e-3)
    #expect((found.selfDuality ?? 1) < 1e-3 && found.nearestMean == 1)
    #expect(
      NeuralCollapse(features: features, labels: labels, width: 2, least: 11) == nil)
  }

  @Test
  func `a feature that is large in one position of ten stands out, in one of twenty it does not`() {
    var features = [Float](repeating: 1, count: 20 * 4)
    for row in [3, 13] { features[row * 4 + 2] = row == 3 ? -7 : 6 }
    features[5 * 4] = 100
    let found = OutlierFeatures(features, width: 4)
    #expect(found.columns == [2] && found.absmax == 100)
    #expect(OutlierFeatures([1, 2, 3, 5.9], width: 2).columns.isEmpty)
  }

  @Test func `singular values, ranks and columns that stand out are NumPy's`() throws {
    let recorded = try Self.recorded.get().spectrum
    let path = try folder.write(
      [StoredTensor("w", [recorded.rows, recorded.columns], recorded.values)],
      to: "w.safetensors")
    let files = try TensorFiles(path: path)
    let reader = ChunkReader(files, pool: WorkerPool(workers: 1))
    let spectrum = try Spectrum(files.entries[0], reader)
    #expect(spectrum.rank == 7)
    for (found, wanted) in zip(spectrum.singularValues, recorded.singular_values) {
      #expect(abs(found - wanted) < 1e-6 * spectrum.largest + 1e-5 * wanted, "\(found) \(wanted)")
    }
    #expect(abs(spectrum.stableRank - recorded.stable_rank) < 1e-5)
    #expect(abs(spectrum.effectiveRank - recorded.effective_rank) < 1e-3)
    #expect(spectrum.outlierColumns == recorded.outliers && recorded.outliers == [5])
    #expect(spectrum.directions(holding: 0.99) == 1)
  }

  @Test func `two models differ as NumPy says, and what one alone has is named`() throws {
    let recorded = try Self.recorded.get().difference
    let shape = [recorded.rows, recorded.columns]
    let first = try folder.write(
      [
        StoredTensor("w", shape, recorded.a), StoredTensor("old", [2], [1, 2]),
        StoredTensor("other", [2], [1, 2]), StoredTensor("same", [2], [1, 2]),
      ], to: "a.safetensors")
    let second = try folder.write(
      [
        StoredTensor("w", shape, recorded.b), StoredTensor("new", [2], [1, 2]),
        StoredTensor("other", [1, 2], [1, 2]), StoredTensor("same", [2], [1, 2]),
      ], to: "b.safetensors")
    // Chunks that are shorter than the tensor.
    let difference = try ModelDifference(
      TensorFiles(path: first), TensorFiles(path: second), pool: WorkerPool(workers: 2),
      chunk: 700)
    #expect(difference.tensors.map(\.name) == ["w", "same"])
    let found = difference.tensors[0]
    #expect(abs(found.relative - recorded.relative) < 1e-6)
    #expect(abs(found.cosine - recorded.cosine) < 1e-6)
    #expect(abs(found.peak - recorded.absmax) < 1e-7)
    #expect(difference.tensors[1].relative == 0 && difference.tensors[1].cosine == 1)
    #expect(
      difference.others.map { "\($0.name): \($0.reason)" } == [
        "old: in the first alone", "other: [2] and [1, 2]", "new: in the second alone",
      ])
  }
}
