import Formats
import Foundation
import Kernels
import Models
package import Training

/// How alike features stay when a text is changed, layer by layer, against pairs that have nothing to
/// do with each other.
///
/// Features are the normalised residual stream less its mean over the text, so that what all positions
/// share counts for nothing; likeness is the cosine of a position's features before and after the
/// change. Random pairs are the position and one of another passage.
package struct Invariance: Sendable {
  /// One change at one layer.
  package struct Likeness: Sendable, Equatable {
    /// Mean cosine before and after.
    package let changed: Double
    /// Mean cosine of random pairs.
    package let random: Double

    /// 1 where the change makes no difference, 0 where it makes as much as another text.
    package var invariance: Double { (changed - random) / (1 - random) }
  }

  package struct Change: Sendable {
    package let name: String
    package let meaning: String
    /// Passages with something to change.
    package let passages: Int
    package let pairs: Int
    /// The first of the embeddings.
    package let layers: [Likeness]
  }

  package let passages: Int
  package let changes: [Change]
  /// Changes for which the text has nothing.
  package let absent: [String]

  private static let changes: [any TextChange] = [
    CaseChange(), WhiteSpaceChange(), PositionShift(), WordSwap(),
  ]

  /// Over as many passages of two windows, evenly spread.
  /// - Throws: `DataError`; ``InspectionError/tooFewPassages(data:)``.
  package init(_ trial: ModelTrial, _ source: ConsecutiveWindows, most: Int) throws {
    let passages = try Self.passages(source, most: most)
    guard passages.count > 1 else {
      throw InspectionError.tooFewPassages(data: source.corpus.name)
    }
    let own = LayerFeatures(
      trial.features(of: passages.flatMap(\.window).map { Token($0) }),
      width: trial.configuration.width)
    var (changes, absent): ([Change], [String]) = ([], [])
    for change in Self.changes {
      let texts = passages.compactMap { passage in
        change.apply(to: passage).flatMap { $0.pairs.isEmpty ? nil : (passage, $0) }
      }
      guard !texts.isEmpty else {
        absent.append(change.name)
        continue
      }
      let features = LayerFeatures(
        trial.features(of: texts.flatMap(\.1.bytes).map { Token($0) }),
        width: trial.configuration.width)
      changes.append(
        Change(
          name: change.name, meaning: change.meaning, passages: texts.count,
          pairs: texts.reduce(0) { $0 + $1.1.pairs.count },
          layers: Self.compare(own, features, texts, context: trial.context, of: passages.count)))
    }
    (self.passages, self.changes, self.absent) = (passages.count, changes, absent)
  }

  private static func passages(
    _ source: ConsecutiveWindows, most: Int
  ) throws(DataError) -> [Passage] {
    let pairs = source.count - 1
    let count = min(most, pairs)
    var passages: [Passage] = []
    for number in 0..<max(0, count) {
      let place = number * pairs / count
      var bytes = try source.tokens(of: place..<(place + 2)).map { UInt8($0) }
      // The second window begins with the first one's last byte.
      bytes.remove(at: source.windowCount)
      passages.append(Passage(number: number, bytes: bytes, context: source.context))
    }
    return passages
  }

  private static func compare(
    _ own: LayerFeatures, _ changed: LayerFeatures, _ texts: [(Passage, ChangedText)],
    context: Int, of passages: Int
  ) -> [Likeness] {
    own.layers.indices.map { layer in
      let mean = own.means[layer]
      var random = RandomStream(seed: 0, name: "random pairs")
      var (sum, chance, pairs) = (0.0, 0.0, 0)
      for (row, (passage, text)) in texts.enumerated() {
        for (position, other) in text.pairs {
          let here = own.row(passage.number * context + position, layer, less: mean)
          sum += cosine(here, changed.row(row * context + other, layer, less: mean))
          let place = 1 + Int(random.next() % UInt64(passages - 1))
          let far = (passage.number + place) % passages
          let spot = far * context + Int(random.next() % UInt64(context))
          chance += cosine(here, own.row(spot, layer, less: mean))
          pairs += 1
        }
      }
      return Likeness(changed: sum / Double(pairs), random: chance / Double(pairs))
    }
  }

  private static func cosine(_ a: [Double], _ b: [Double]) -> Double {
    let norms = (dot(a, a) * dot(b, b)).squareRoot()
    return norms > 0 ? dot(a, b) / norms : 0
  }
}

/// Features by layer, [N, D] each, with their means.
private struct LayerFeatures {
  let layers: [[Float]]
  let means: [[Double]]
  private let width: Int

  init(_ layers: [[Float]], width: Int) {
    (self.layers, self.width) = (layers, width)
    means = layers.map { values in
      var mean = [Double](repeating: 0, count: width)
      for (index, value) in values.enumerated() { mean[index % width] += Double(value) }
      let rows = Double(max(1, values.count / width))
      return mean.map { $0 / rows }
    }
  }

  func row(_ number: Int, _ layer: Int, less mean: [Double]) -> [Double] {
    let start = number * width
    return (0..<width).map { Double(layers[layer][start + $0]) - mean[$0] }
  }
}

extension Invariance {
  package var json: String {
    let changes = changes.map { change in
      let layers = change.layers.map { layer in
        JSONLines.object([
          ("changed", JSONLines.number(layer.changed)), ("random", JSONLines.number(layer.random)),
          ("invariance", JSONLines.number(layer.invariance)),
        ])
      }
      return JSONLines.object([
        ("change", JSONLines.quoted(change.name)), ("passages", "\(change.passages)"),
        ("pairs", "\(change.pairs)"), ("layers", "[\(layers.joined(separator: ","))]"),
      ])
    }
    let absent = absent.map(JSONLines.quoted).joined(separator: ",")
    return JSONLines.object([
      ("passages", "\(passages)"), ("changes", "[\(changes.joined(separator: ","))]"),
      ("absent", "[\(absent)]"),
    ])
  }
}
