package import Kernels

/// One tensor's place in the flat parameters.
package struct ParameterTensor: Sendable, Hashable {
  package let name: String
  package let shape: [Int]
  package let offset: Int
  package let role: TensorRole
  package let layer: Int?
  /// What it holds in a new model.
  package let initial: InitialValues
  /// Whether it lies among the numbers that are not trained.
  package var isFrozen = false
  /// Whether it is computed from other frozen ones, so that no file has it.
  var isDerived = false
  /// What is trained beside it, by its number in the model; nil for nothing.
  var adapter: Int?

  package var count: Int { shape.reduce(1, *) }
  package var fanIn: Int { shape[shape.count - 1] }

  /// Under which the layout has a matrix's γ if it is trained as γ·W/σ(W).
  package var sigmaGainName: String { name.replacing(".weight", with: ".sigma") }

  var place: TensorPlace {
    TensorPlace(
      offset: offset, rows: count / fanIn, columns: fanIn, isFrozen: isFrozen, adapter: adapter)
  }
}

/// What a tensor is to its layer: all that initialisation, an optimiser, a mitigation or a
/// checkpoint asks of it.
package enum TensorRole: Sendable, Hashable {
  case embedding
  case unembedding
  /// A weight between two hidden layers, [out, in].
  case matrix
  /// Three such weights in one, their rows by head: [H][q|k|v][Dh].
  case queryKeyValue(headWidth: Int)
  /// A weight whose outputs choose experts: logits, or a state that they come from.
  case router
  /// A weight that is trained beside the frozen ones, or between two of its kind.
  case adapter
  case gain
  /// Of qk-layernorm, without effect while that is off.
  case queryKeyGain
  /// γ of a weight trained as γ·W/σ(W); the engine sees the product alone.
  case sigmaGain
  /// What all hidden matrices are read from; the engine sees those alone.
  case sharedArray
  case bias
  /// Of a function or a recurrence: neither a weight nor decayed.
  case coefficients
  /// What weights are computed from in a random subspace of them.
  case subspace
  /// As it was drawn, for good.
  case fixed

  /// Whether it is one matrix or more between two hidden layers; a router's outputs are logits, so
  /// it is none.
  package var isHiddenMatrix: Bool {
    switch self {
    case .matrix, .queryKeyValue: true
    case .embedding, .unembedding, .router, .adapter, .gain, .queryKeyGain, .sigmaGain,
      .sharedArray, .bias, .coefficients, .subspace, .fixed:
      false
    }
  }

  /// Whether inputs are multiplied by it, so that its best rate falls with the fan-in.
  package var isLinear: Bool { isHiddenMatrix || self == .router || self == .unembedding }

  /// Whether weight decay shrinks it.
  package var isDecayed: Bool {
    switch self {
    case .embedding, .adapter, .sharedArray, .subspace: true
    default: isLinear
    }
  }

  /// The hidden matrices in it, each of which has a σ of its own.
  package var matrices: Int {
    if case .queryKeyValue = self { return 3 }
    return isHiddenMatrix ? 1 : 0
  }

  /// Whether a backward pass adds its gradient up piece by piece; a hidden matrix's overwrites.
  package var addsGradients: Bool {
    switch self {
    case .embedding, .router, .gain, .queryKeyGain, .bias, .coefficients: true
    case .unembedding, .matrix, .queryKeyValue, .adapter, .sigmaGain, .sharedArray, .subspace,
      .fixed:
      false
    }
  }

  /// What such a tensor holds in a new model unless its layer says otherwise.
  var initialValues: InitialValues {
    switch self {
    case .gain, .queryKeyGain, .sigmaGain: .repeating([1])
    case .bias, .coefficients, .sharedArray, .subspace: .repeating([0])
    case .embedding: .normal
    case .unembedding, .matrix, .queryKeyValue, .router, .adapter, .fixed: .truncatedNormal
    }
  }
}

/// What a tensor holds in a new model.
package enum InitialValues: Sendable, Hashable {
  /// N(0, 1/fan-in).
  case normal
  /// The same truncated at two sigma, its standard deviation 1/sqrt(fan-in) after truncation.
  case truncatedNormal
  /// Uniform within so much of 0.
  case uniform(Float)
  /// N(0, variance/fan-in).
  case scaledNormal(variance: Float)
  /// These numbers over and over.
  case repeating([Float])
}

/// Where a tensor lies in any buffer of the layout, as a matrix.
package struct TensorPlace: Sendable, Hashable {
  package let offset: Int
  package let rows: Int
  package let columns: Int
  /// Whether it lies among the numbers that are not trained.
  var isFrozen = false
  /// What is trained beside it, by its number in the model; nil for nothing.
  var adapter: Int?
}

/// The parameters, or one slice's gradients, as matrices.
///
/// It does not keep its buffers alive: who calls the engine does.
package struct ParameterView: Sendable {
  private let numbers: Matrix
  private let trunk: Matrix?

  /// - Parameters: `trunk` has what is not trained; nil where all is, and for gradients
  package init(_ buffer: FloatBuffer, trunk: FloatBuffer? = nil) {
    numbers = Matrix(buffer, rows: 1, columns: buffer.count)
    self.trunk = trunk.map { Matrix($0, rows: 1, columns: $0.count) }
  }

  package subscript(place: TensorPlace) -> Matrix {
    guard place.isFrozen else {
      return numbers.part(at: place.offset, rows: place.rows, columns: place.columns)
    }
    guard let trunk else { preconditionFailure("what is frozen, of gradients") }
    return trunk.part(at: place.offset, rows: place.rows, columns: place.columns)
  }
}
