import Formats

/// The features of a layer that are far beyond the others, which decide what formats activations
/// bear.
///
/// A feature counts where its magnitude is 6 or more in at least 6% of the positions. Features come
/// from a LayerNorm, so that 6 is about six times their RMS.
/// - Source: Dettmers et al. 2022 (2208.07339), who ask for it in a quarter of the layers too.
package struct OutlierFeatures: Sendable {
  /// Their columns, ascending.
  package let columns: [Int]
  /// The largest magnitude of any feature.
  package let absmax: Double

  private static let magnitude: Float = 6
  private static let share = 0.06

  /// - Shapes: `features` [N, D] row-major
  package init(_ features: [Float], width: Int) {
    var counts = [Int](repeating: 0, count: width)
    var peak: Float = 0
    for (index, value) in features.enumerated() {
      peak = max(peak, abs(value))
      if abs(value) >= Self.magnitude { counts[index % width] += 1 }
    }
    let least = Self.share * Double(features.count / width)
    columns = counts.indices.filter { counts[$0] > 0 && Double(counts[$0]) >= least }
    absmax = Double(peak)
  }

  package var json: String {
    JSONLines.object([
      ("columns", "[\(columns.map(String.init).joined(separator: ","))]"),
      ("absmax", JSONLines.number(absmax)),
    ])
  }
}
