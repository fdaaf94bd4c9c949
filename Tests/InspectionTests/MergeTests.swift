import Foundation
import Kernels
import TestSupport
import Testing
import Training

@testable import Inspection

/// Merging against NumPy, what the methods must come to, and what they refuse.
@Suite(.timeLimit(.minutes(15)))
struct MergeTests {
  /// `Recorded/merge.json`, written by the script beside it.
  private struct Recorded: Decodable {
    struct Found: Decodable {
      let method: String
      let scale: Double
      let keep: Double?
      let merged: [Float]
      let agreement: Agreement
    }

    struct Agreement: Decodable {
      let signs: Double
      let cosine: Double
      let distances: [Double]
      let distance: Double
      let kept: [Double]
      let weights: [Double]
    }

    let shapes: [String: [Int]]
    let names: [String]
    let start: [Float]
    let parts: [[Float]]
    let found: [String: Found]
  }

  private static let recorded = Result { () throws -> Recorded in
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appending(path: "Recorded/merge.json")
    return try JSONDecoder().decode(Recorded.self, from: Data(contentsOf: file))
  }

  private let folder: TestFolder
  private let pool = WorkerPool(workers: 2)

  init() throws { folder = try TestFolder() }

  private func write(_ values: [Float], of recorded: Recorded, to name: String) throws -> String {
    var start = 0
    let tensors = recorded.names.map { name in
      let shape = recorded.shapes[name] ?? []
      let end = start + shape.reduce(1, *)
      defer { start = end }
      return StoredTensor(name, shape, Array(values[start..<end]))
    }
    return try folder.write(tensors, to: name)
  }

  /// The numbers of a model, its tensors one after the other.
  private func numbers(_ path: String, _ names: [String]) throws -> [Float] {
    let files = try TensorFiles(path: path)
    let reader = ChunkReader(files, pool: pool)
    return try names.flatMap { name in
      let entry = try #require(files[name])
      let type = try #require(entry.number)
      try reader.read(entry, as: type, 0..<entry.count)
      return (0..<entry.count).map { reader.values[$0] }
    }
  }

  /// A model of one tensor.
  private func model(
    _ values: [Float], _ name: String, shape: [Int]? = nil
  ) throws -> String {
    try folder.write(
      [StoredTensor("w", shape ?? [values.count], values)], to: name + ".safetensors")
  }

  private func merge(
    _ parts: [String], base: String?, _ kind: MergeKind, scale: Double? = nil, keep: Double? = nil,
    to name: String = "merged", workers: Int = 2
  ) throws -> (numbers: [Float], outcome: MergeOutcome) {
    let plan = try MergePlan(parts: parts, base: base, kind: kind, scale: scale, keep: keep)
    let outcome = try plan.write(to: folder.path(name), pool: WorkerPool(workers: workers))
    return (try numbers(folder.path(name), ["w"]), outcome)
  }

  @Test(arguments: ["mean", "arithmetic", "ties", "pcb", "pcb wide"])
  func `models are merged as NumPy merges them`(name: String) throws {
    let recorded = try Self.recorded.get()
    let wanted = try #require(recorded.found[name])
    let base = try write(recorded.start, of: recorded, to: "base.safetensors")
    let parts = try recorded.parts.enumerated().map {
      try write($1, of: recorded, to: "part\($0).safetensors")
    }
    let kind = try #require(MergeKind(rawValue: wanted.method))
    let plan = try MergePlan(
      parts: parts, base: base, kind: kind, scale: wanted.scale, keep: wanted.keep)
    let outcome = try plan.write(to: folder.path("merged"), pool: pool)
    let found = try numbers(folder.path("merged"), recorded.names)
    #expect(found.count == wanted.merged.count)
    for (index, (one, other)) in zip(found, wanted.merged).enumerated() {
      // A rounding of the weight itself and of the update.
      #expect(abs(one - other) <= 2e-7 * max(1, abs(other)), "\(index): \(one), not \(other)")
    }
    let (whole, agreement) = (outcome.whole, wanted.agreement)
    #expect(abs(whole.signs - agreement.signs) < 1e-12)
    #expect(abs(whole.cosine - agreement.cosine) < 1e-9)
    #expect(abs(whole.distance - agreement.distance) < 1e-6 * agreement.distance)
    for part in 0..<3 {
      #expect(
        abs(whole.distances[part] - agreement.distances[part]) < 1e-9 * agreement.distances[part])
      #expect(abs(whole.kept[part] - agreement.kept[part]) < 1e-12)
      #expect(abs(whole.weights[part] - agreement.weights[part]) < 1e-6)
    }
    #expect(outcome.layers.map(\.name) == ["0", "1", "outside"])
    #expect(outcome.tensors.map(\.name) == recorded.names)
    #expect(whole.count == found.count)
  }

  @Test(arguments: MergeKind.allCases)
  func `any number of workers writes the same bits`(kind: MergeKind) throws {
    let random = (0..<3).map { seed -> [Float] in
      var stream = CounterNumbers(seed: UInt64(seed))
      return (0..<50_000).map { _ in stream.next() }
    }
    let paths = try random.enumerated().map { try model($1, "m\($0)") }
    var files: [Data] = []
    for workers in [1, 2, 3] {
      _ = try merge(
        Array(paths[1...]), base: paths[0], kind, to: "merged\(workers)", workers: workers)
      files.append(
        try Data(contentsOf: folder.url.appending(path: "merged\(workers)/model.safetensors")))
    }
    #expect(files[0] == files[1] && files[0] == files[2])
  }

  @Test func `equal updates come out as they went in where they are kept, elsewhere nothing does`()
    throws
  {
    let updates = (0..<1000).map { Float($0 - 500) / 4096 }
    let base = try model(updates.map { _ in 0 }, "base")
    let parts = try ["a", "b"].map { try model(updates, $0) }
    for (kind, share) in [(MergeKind.ties, 0.2), (.pcb, 0.1)] {
      let (found, outcome) = try merge(
        parts, base: base, kind, scale: 1, keep: share, to: kind.rawValue)
      let kept = found.indices.filter { found[$0] != 0 }
      #expect(abs(Double(kept.count) / 1000 - share) <= 0.003, "\(kept.count)")
      let limit = kind == .pcb ? Float(495) / 4096 : .infinity
      for index in kept {
        #expect(abs(abs(found[index]) - min(abs(updates[index]), limit)) < 1e-6)
        #expect(found[index] * updates[index] > 0)
      }
      // What is kept is the largest of it.
      #expect(kept.allSatisfy { abs($0 - 500) >= Int(500 * (1 - share)) - 5 })
      #expect(outcome.whole.signs == 1 && abs(outcome.whole.cosine - 1) < 1e-9)
    }
  }

  @Test func `parts that pull apart cancel in TIES, and the stronger one has its way`() throws {
    let base = try model([0, 0, 0, 0], "base")
    let parts = [
      try model([1, 2, 4, 4], "a"), try model([-1, 2, -3, 2], "b"), try model([0, 0, 1, 0], "c"),
    ]
    let (found, outcome) = try merge(parts, base: base, .ties, keep: 1)
    #expect(found == [0, 2, 2.5, 3])
    #expect(outcome.whole.signs == 0.5)
    #expect(outcome.whole.kept == [0.75, 0.5, 0.25])
  }

  @Test func `a part that has not moved weighs nothing in PCB, and the mean needs no base`() throws
  {
    let values = (0..<200).map { Float($0) / 1024 }
    let base = try model(values.map { _ in 1 }, "base")
    let (still, moved) = (
      try model(values.map { _ in 1 }, "still"), try model(values.map { 1 + $0 }, "moved")
    )
    let pcb = try merge([still, moved], base: base, .pcb, scale: 1, to: "pcb")
    #expect(pcb.outcome.whole.kept[0] == 0 && pcb.outcome.whole.kept[1] > 0.05)
    #expect(pcb.numbers[0] == 1 && pcb.numbers[199] == 1 + Float(197) / 1024)
    let mean = try merge([still, moved], base: nil, .mean, to: "mean")
    #expect(mean.numbers == values.map { 1 + $0 / 2 })
  }

  @Test func `models of half precision stay so, and what is no weight is copied`() throws {
    func half(_ values: [Float]) -> [UInt8] {
      values.flatMap { value in
        let bits = UInt16(value.bitPattern >> 16)
        return [UInt8(bits & 0xFF), UInt8(bits >> 8)]
      }
    }
    func model(_ values: [Float], _ name: String, places: [UInt8] = [1, 0, 0, 0, 0, 0, 0, 0]) throws
      -> String
    {
      try FileManager.default.createDirectory(
        atPath: folder.path(name), withIntermediateDirectories: true)
      _ = try folder.write(
        [
          StoredTensor("ids", [1], type: "I64", bytes: places),
          StoredTensor("w", [2], type: "BF16", bytes: half(values)),
          StoredTensor("odd \\\"name\\\"", [1], [values[0]]),
        ], to: name + "/model.safetensors")
      try folder.write("{\"model_type\":\"other\"}", to: name + "/config.json")
      return folder.path(name)
    }
    let (one, other) = (try model([1, 3], "a"), try model([1.0078125, 5], "b"))
    let plan = try MergePlan(parts: [one, other], base: nil, kind: .mean)
    _ = try plan.write(to: folder.path("merged"), pool: pool)
    let files = try TensorFiles(path: folder.path("merged"))
    #expect(Set(files.entries.map(\.type)) == ["I64", "BF16", "F32"])
    // Halfway between two of BF16 goes to the even one.
    #expect(try numbers(folder.path("merged"), ["w"]) == [1, 4])
    #expect(try numbers(folder.path("merged"), ["odd \"name\""]) == [1.00390625])
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path("merged")).sorted()
    #expect(names == ["config.json", "merge.json", "model.safetensors"])
    let strange = try model([1, 3], "c", places: [2, 0, 0, 0, 0, 0, 0, 0])
    #expect(
      throws: MergeError.notEqual(path: strange, tensor: "ids", first: one)
    ) { _ = try MergePlan(parts: [one, strange], base: nil, kind: .mean) }
  }

  @Test func `what cannot be merged is refused, and nothing is left of it`() throws {
    let values: [Float] = [1, 2, 3, 4]
    let (base, good) = (try model([0, 0, 0, 0], "base"), try model(values, "good"))
    let bad = try model([1, .nan, 3, 4], "bad")
    let shaped = try model(values, "shaped", shape: [2, 2])
    let other = try folder.write([StoredTensor("v", [4], values)], to: "other.safetensors")
    let eighth = try folder.write(
      [StoredTensor("w", [4], type: "F8_E4M3", bytes: [1, 2, 3, 4])], to: "eighth.safetensors")
    let cases: [(parts: [String], base: String?, error: MergeError)] = [
      ([good, good], base, .sameTwice(path: good)),
      (
        [good, shaped], base,
        .otherShape(
          path: shaped, tensor: "w", shape: [2, 2], first: good, expected: [4])
      ),
      ([good, other], base, .missing(path: good, tensor: "v", first: other)),
      ([good, bad], base, .notFinite(path: bad, tensor: "w")),
      ([good, base], bad, .notFinite(path: bad, tensor: "w")),
      ([good, base], other, .missing(path: other, tensor: "w", first: good)),
      ([good, base], nil, .baseNeeded(method: .ties, path: good)),
      ([eighth, good], base, .unreadableNumbers(path: eighth, tensor: "w", type: "F8_E4M3")),
    ]
    for (parts, base, error) in cases {
      #expect(throws: error) { _ = try merge(parts, base: base, .ties) }
      #expect(!error.description.contains("\n"))
    }
    #expect(!folder.files.contains { $0.contains("merged") })
    _ = try merge([good, base], base: base, .mean)
    #expect(throws: MergeError.outputExists(path: folder.path("merged"))) {
      _ = try merge([good, base], base: base, .mean)
    }
  }

  @Test func `ranks are found exactly among numbers of both signs, many of them equal`() throws {
    var stream = CounterNumbers(seed: 5)
    let numbers = (0..<3000).map { index in
      index % 3 == 0 ? -0.0 : index % 7 == 0 ? 0.25 : stream.next() * (index % 2 == 0 ? 1e-30 : 1e3)
    }
    let sorted = numbers.sorted()
    let ranks = [0, 1, 700, 1400, 1500, 2999]
    var statistics = OrderStatistics(ranks: ranks)
    let room = FloatBuffer(count: 1000)
    for walk in 0..<2 {
      for part in 0..<3 {
        for index in 0..<1000 { room[index] = numbers[part * 1000 + index] }
        statistics.count(room, 1000)
      }
      if walk == 0 { statistics.choose() }
    }
    #expect(statistics.values == ranks.map { sorted[$0] })
  }
}

/// Normal-like numbers, the same ones for a seed.
private struct CounterNumbers {
  private var state: UInt64

  init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 1 }

  mutating func next() -> Float {
    var sum: Float = 0
    for _ in 0..<4 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      sum += Float(state >> 40) / Float(1 << 24) - 0.5
    }
    return sum * 0.01
  }
}
