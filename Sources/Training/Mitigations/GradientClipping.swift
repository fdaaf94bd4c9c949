/// Which gradients are scaled down before the moments see them, and what that must remember.
package struct GradientClipping: Sendable, Equatable, Codable {
  package enum Kind: String, CaseIterable, Sendable, Codable {
    /// By a bound of the norm of all gradients together.
    case global
    /// Where that norm stands out from its recent past.
    case zclip
    /// Each tensor by its own recent past.
    case adagc
  }

  private var kind = Kind.global
  private var zClip = ZClip()
  private var adaGC = AdaGC()

  package init() {}

  /// - Parameters: `bound` is the largest norm of all gradients together, 0 for any
  mutating func scales(
    norm: Double, tensorNorms: [Double], kind: Kind, bound: Double
  ) -> GradientScales {
    if kind != self.kind { self = GradientClipping() }
    self.kind = kind
    guard norm.isFinite else { return .bounding(norm, to: bound) }
    switch kind {
    case .global: return .bounding(norm, to: bound)
    case .zclip:
      let limit = zClip.limit(norm)
      return .bounding(norm, to: bound > 0 ? min(bound, limit) : limit)
    case .adagc: return adaGC.scales(norm: norm, tensorNorms: tensorNorms, bound: bound)
    }
  }
}

/// What the tensors' gradients are multiplied by.
struct GradientScales: Equatable {
  var all: Float = 1
  /// By tensor; empty where all have the same.
  var each: [Float] = []
  var isClipped = false

  subscript(tensor: Int) -> Float { each.isEmpty ? all : each[tensor] }

  /// A bound of 0 bounds nothing.
  static func bounding(_ norm: Double, to bound: Double) -> GradientScales {
    guard bound > 0, norm > bound else { return GradientScales() }
    // PyTorch's clip_grad_norm_ divides by the norm and a millionth.
    return GradientScales(all: Float(bound / (norm + 1e-6)), isClipped: true)
  }
}
