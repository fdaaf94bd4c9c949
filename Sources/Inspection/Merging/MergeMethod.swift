import Kernels

/// How the updates of several parts become one.
///
/// The merged model is θ₀ + Σᵢ λᵢ·sᵢ, where sᵢ is what a method makes of part i's update.
protocol MergeMethod: Sendable {
  /// Learns what must be known of all updates before the first of them can be merged.
  /// - Throws: what the walk throws.
  mutating func survey(_ walk: UpdateWalk) throws

  /// Writes what each part adds for the numbers of `chunk` in `range`, at their places.
  func share(_ chunk: UpdateChunk, _ range: Range<Int>, into shares: MergeShares)
}

/// Room for what is made of a chunk's updates, by part.
struct MergeShares: Sendable {
  /// sᵢ.
  let added: [FloatBuffer]
  /// How much of τᵢ is heeded: 0 where nothing is.
  let weights: [FloatBuffer]

  init(parts: Int, length: Int) {
    added = (0..<parts).map { _ in FloatBuffer(count: length) }
    weights = (0..<parts).map { _ in FloatBuffer(count: length) }
  }
}

/// The methods by name.
package enum MergeKind: String, Sendable, CaseIterable {
  case mean, arithmetic, ties, pcb

  /// λ where none is given: the mean has none, the others' are their papers'.
  package var usualScale: Double {
    switch self {
    case .mean, .ties: 1
    case .arithmetic: 0.3
    case .pcb: 1.2
    }
  }

  package var takesScale: Bool { self != .mean }

  /// The share of the numbers that is kept where none is given; nil where all are.
  package var usualKeep: Double? {
    switch self {
    case .mean, .arithmetic: nil
    case .ties: 0.2
    case .pcb: 0.1
    }
  }

  func method(parts: Int, keep: Double) -> any MergeMethod {
    switch self {
    case .mean: SumMerge(factor: 1 / Double(parts))
    case .arithmetic: SumMerge(factor: 1)
    case .ties: TIESMerge(keep: keep)
    case .pcb: PCBMerge(keep: keep)
    }
  }
}
