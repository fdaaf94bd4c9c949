import Kernels
import Models

/// One matrix that Muon orthogonalises on its own.
struct MuonPart: Sendable {
  let tensor: Int
  let place: MatrixPlace

  /// The matrices of `layout` that `kind` gives to Muon, the costly ones first so that workers end
  /// together. Queries, keys and values are three matrices, each of all heads.
  static func parts(of layout: ParameterLayout, kind: OptimizerKind) -> [MuonPart] {
    let parts = layout.tensors.enumerated().flatMap { index, tensor -> [MuonPart] in
      guard kind.rule(of: tensor) == .muon else { return [] }
      return places(of: tensor).map { MuonPart(tensor: index, place: $0) }
    }
    let sorted = parts.enumerated().sorted { left, right in
      (right.element.cost, left.offset) < (left.element.cost, right.offset)
    }
    return sorted.map(\.element)
  }

  private var cost: Int {
    let (rows, columns) = (place.rows, place.columns)
    return rows * columns * min(rows, columns)
  }

  /// The matrices in a hidden tensor.
  static func places(of tensor: ParameterTensor) -> [MatrixPlace] {
    let (rows, columns) = (tensor.shape[0], tensor.shape[1])
    guard case .queryKeyValue(let headWidth) = tensor.role else {
      return [
        MatrixPlace(
          offset: tensor.offset, rows: rows, columns: columns, blockRows: rows, blockStride: rows)
      ]
    }
    return (0..<3).map { part in
      MatrixPlace(
        offset: tensor.offset + part * headWidth * columns, rows: rows / 3, columns: columns,
        blockRows: headWidth, blockStride: 3 * headWidth)
    }
  }
}
