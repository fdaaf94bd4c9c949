package import Kernels

/// The matrices of a model of which only some blocks are there; in a pass over them products skip the
/// others.
package struct SparseMatrices: Sendable {
  /// By the tensors' offsets.
  private let patterns: [Int: BlockPattern]
  /// Whether the gradients of what is not there are taken too, as an exchange of blocks needs them.
  package var takesWholeGradients = false

  package init(_ patterns: [(ParameterTensor, BlockPattern)]) {
    self.patterns = Dictionary(uniqueKeysWithValues: patterns.map { ($0.0.offset, $0.1) })
  }

  subscript(place: TensorPlace) -> BlockPattern? {
    place.isFrozen ? nil : patterns[place.offset]
  }
}
