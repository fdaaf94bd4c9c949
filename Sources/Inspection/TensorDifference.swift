import Formats
import Foundation
package import Kernels
package import Training

/// How one tensor differs between two models.
package struct TensorDifference: Sendable {
  package let name: String
  /// ‖b − a‖/‖a‖: infinite where only the first is zeros, NaN where both are.
  package let relative: Double
  /// Of the angle between them; NaN where one is zeros.
  package let cosine: Double
  /// The largest |b − a|.
  package let peak: Double
  /// The root mean square of b − a.
  package let rms: Double
}

/// Two models side by side, tensor by tensor.
package struct ModelDifference: Sendable {
  package let tensors: [TensorDifference]
  /// Tensors that one alone has, or that have another shape or no floating-point numbers, with why.
  package let others: [(name: String, reason: String)]
  /// Of all compared tensors together.
  package let whole: TensorDifference

  /// - Throws: `CheckpointError`.
  package init(
    _ first: TensorFiles, _ second: TensorFiles, pool: WorkerPool, chunk: Int = 1 << 21
  ) throws(CheckpointError) {
    let readers = [ChunkReader(first, pool: pool), ChunkReader(second, pool: pool)]
    let counterparts = Dictionary(uniqueKeysWithValues: second.entries.map { ($0.name, $0) })
    let known = Set(first.entries.map(\.name))
    var tensors: [TensorDifference] = []
    var others: [(name: String, reason: String)] = []
    var (sums, count) = (DifferenceSums(), 0)
    for entry in first.entries {
      guard let other = counterparts[entry.name] else {
        others.append((entry.name, "in the first alone"))
        continue
      }
      guard entry.shape == other.shape else {
        others.append((entry.name, "\(entry.shape) and \(other.shape)"))
        continue
      }
      guard let types = entry.number.flatMap({ one in other.number.map { (one, $0) } }),
        entry.count > 0
      else {
        others.append((entry.name, "no floating-point numbers"))
        continue
      }
      var own = DifferenceSums()
      for range in chunks(of: entry.count, length: chunk) {
        try readers[0].read(entry, as: types.0, range)
        try readers[1].read(other, as: types.1, range)
        own += Self.sums(readers[0].values, readers[1].values, range.count, pool)
      }
      tensors.append(TensorDifference(entry.name, own, count: entry.count))
      sums += own
      count += entry.count
    }
    for entry in second.entries where !known.contains(entry.name) {
      others.append((entry.name, "in the second alone"))
    }
    (self.tensors, self.others) = (tensors, others)
    whole = TensorDifference("all", sums, count: count)
  }

  private static func sums(
    _ a: FloatBuffer, _ b: FloatBuffer, _ count: Int, _ pool: WorkerPool
  ) -> DifferenceSums {
    let parts = chunks(of: count, length: 1 << 16)
    let found = Buffer(repeating: DifferenceSums(), count: parts.count)
    pool.run(jobs: parts.count) { job, _ in
      found[job] = difference(a, b, from: parts[job].lowerBound, count: parts[job].count)
    }
    return (0..<parts.count).reduce(into: DifferenceSums()) { $0 += found[$1] }
  }
}

extension TensorDifference {
  fileprivate init(_ name: String, _ sums: DifferenceSums, count: Int) {
    self.name = name
    relative = (sums.squares / sums.first).squareRoot()
    cosine = sums.product / (sums.first * sums.second).squareRoot()
    peak = Double(sums.peak)
    rms = count > 0 ? (sums.squares / Double(count)).squareRoot() : .nan
  }

  package var json: String {
    JSONLines.object([
      ("name", JSONLines.quoted(name)), ("relative", JSONLines.number(relative)),
      ("cosine", JSONLines.number(cosine)), ("absmax", JSONLines.number(peak)),
      ("rms", JSONLines.number(rms)),
    ])
  }
}

extension ModelDifference {
  /// The comparison as one JSON object.
  package var json: String {
    let others = others.map {
      JSONLines.object([
        ("name", JSONLines.quoted($0.name)), ("reason", JSONLines.quoted($0.reason)),
      ])
    }
    return JSONLines.object([
      ("all", whole.json), ("tensors", "[\(tensors.map(\.json).joined(separator: ","))]"),
      ("others", "[\(others.joined(separator: ","))]"),
    ])
  }
}
