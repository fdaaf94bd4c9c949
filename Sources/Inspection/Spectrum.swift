import Formats
import Foundation
import Kernels
package import Training

/// The singular values of a matrix, and its features that stand out.
package struct Spectrum: Sendable {
  package let name: String
  /// Descending.
  package let singularValues: [Double]
  /// Columns, the inputs' features, whose RMS is above three times the median one's.
  package let outlierColumns: [Int]

  /// Above it the smaller side's square takes too long.
  package static let widest = 1024
  private static let most = 1 << 24
  private static let outlier = 3.0

  package var largest: Double { singularValues.first ?? 0 }
  package var rank: Int { singularValues.count }

  /// Σ σ²/σ₁²: how many directions carry as much as the first.
  package var stableRank: Double {
    singularValues.reduce(0) { $0 + $1 * $1 } / (largest * largest)
  }

  /// exp of the entropy of σ/Σσ.
  /// - Source: Roy and Vetterli 2007.
  package var effectiveRank: Double {
    let total = singularValues.reduce(0, +)
    return exp(
      -singularValues.reduce(0) { sum, value in
        let share = value / total
        return share > 0 ? sum + share * log(share) : sum
      })
  }

  /// The directions that hold so much of Σ σ².
  package func directions(holding share: Double) -> Int {
    let total = singularValues.reduce(0) { $0 + $1 * $1 }
    var sum = 0.0
    for (index, value) in singularValues.enumerated() {
      sum += value * value
      if sum >= share * total { return index + 1 }
    }
    return singularValues.count
  }

  /// Whether a tensor is a matrix that is small enough.
  package static func isMeasured(_ entry: TensorFiles.Entry) -> Bool {
    entry.number != nil && entry.shape.count == 2 && entry.count > 0 && entry.count <= most
      && entry.shape.min() ?? 0 <= widest
  }

  /// From the eigenvalues of W·Wᵀ or Wᵀ·W, whichever is smaller: below 1e-7 of the largest a
  /// singular value is the rounding's.
  /// - Throws: `CheckpointError`.
  package init(_ entry: TensorFiles.Entry, _ reader: ChunkReader) throws(CheckpointError) {
    guard let type = entry.number else { preconditionFailure("\(entry.name) of \(entry.type)") }
    let (rows, columns) = (entry.shape[0], entry.shape[1])
    try reader.read(entry, as: type, 0..<entry.count)
    self.init(name: entry.name, reader.values, rows: rows, columns: columns)
  }

  /// - Shapes: `values` [rows, columns], from 0 on
  init(name: String, _ values: FloatBuffer, rows: Int, columns: Int) {
    self.name = name
    let turned = FloatBuffer(count: rows * columns)
    for row in 0..<rows {
      for column in 0..<columns { turned[column * rows + row] = values[row * columns + column] }
    }
    var gram = SymmetricMatrix(size: min(rows, columns))
    gram.addProducts(
      ofRowsOf: rows <= columns
        ? Matrix(values, rows: rows, columns: columns)
        : Matrix(turned, rows: columns, columns: rows))
    singularValues = gram.eigen().values.reversed().map { max($0, 0).squareRoot() }
    let squares = (0..<columns).map { column in
      difference(turned, turned, from: column * rows, count: rows).first
    }
    let median = squares.sorted()[columns / 2]
    outlierColumns = squares.indices.filter {
      squares[$0] > Self.outlier * Self.outlier * median
    }
  }

  package var json: String {
    JSONLines.object([
      ("name", JSONLines.quoted(name)), ("largest", JSONLines.number(largest)),
      ("stable_rank", JSONLines.number(stableRank)),
      ("effective_rank", JSONLines.number(effectiveRank)),
      ("rank", "\(rank)"),
      ("outlier_columns", "[\(outlierColumns.map(String.init).joined(separator: ","))]"),
      (
        "singular_values",
        "[\(singularValues.map { JSONLines.number($0) }.joined(separator: ","))]"
      ),
    ])
  }
}
