package import Kernels

/// How many numbers share a scale.
package enum ScaleGroup: String, Sendable, CaseIterable {
  /// All of a tensor's.
  case tensor
  /// A row's: what one output is made of.
  case row
  /// 64 neighbours in the order of the file, whatever row they are in; a last block may be shorter.
  case block64
}

/// What a format at one scale would cost a tensor.
package struct FormatCost: Sendable, Hashable {
  package let format: NumberFormat
  package let scale: ScaleGroup
  /// 10·log₁₀(Σ x² / Σ (x − q)²), infinite where nothing is lost; NaN for a tensor of zeros.
  package let decibels: Double
  /// The share of numbers other than 0 that become 0.
  package let flushed: Double
}

/// What one tensor is like.
package struct TensorReport: Sendable {
  package let name: String
  package let shape: [Int]
  /// As the file spells it.
  package let type: String
  package let rms: Double
  package let absmax: Double
  /// 3 for a normal distribution; NaN where all numbers are equal.
  package let kurtosis: Double
  /// Values that are NaN or infinite: then nothing else is told.
  package let nonFinite: Int
  /// By format, then by scale; empty where there are values that are not finite.
  package let formats: [FormatCost]

  package var count: Int { shape.reduce(1, *) }
  /// Absmax over RMS: how far outliers reach.
  package var crest: Double { rms > 0 ? absmax / rms : .nan }
  package var isMatrix: Bool { shape.count > 1 }

  package func cost(_ format: NumberFormat, _ scale: ScaleGroup) -> FormatCost? {
    formats.first { $0.format == format && $0.scale == scale }
  }
}
