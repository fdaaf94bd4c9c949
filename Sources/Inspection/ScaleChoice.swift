import Foundation
package import Kernels

/// The format and scale that a tensor bears: the widest scale that keeps most of the signal and of the
/// numbers.
///
/// Outliers decide between INT8 and E4M3. A bell is rounded better in even steps; a peak far beyond
/// the rest takes those steps for itself, where an E4M3 loses the same share of every number, some
/// 31.6 dB, whatever the peak. They meet where the peak is some 12 times the RMS. An outlier that
/// sits in few rows is cured by scales of rows sooner than by E4M3.
/// - Source: van Baalen et al. 2023 (2303.17951) for INT8 against FP8; the levels are our own.
package struct ScaleChoice: Sendable, Hashable {
  package let format: NumberFormat
  package let scale: ScaleGroup
  package let decibels: Double

  /// What must be kept, dB: all but a thousandth of the power in eight bits, in four about what a bell
  /// keeps in NF4 with blocks of 64.
  package static func level(bits: Int) -> Double { bits == 8 ? 30 : 18 }

  /// The share of numbers that may become 0. An outlier alone can hold nearly all of the power, which
  /// says nothing of the others then.
  package static func mostFlushed(bits: Int) -> Double { bits == 8 ? 0.05 : 0.2 }
}

extension TensorReport {
  /// Of the formats with so many bits the one that bears the widest scale; of two, the one that keeps
  /// more. Nil where none keeps enough, and for what is no matrix.
  package func choice(bits: Int) -> ScaleChoice? {
    guard isMatrix else { return nil }
    for scale in ScaleGroup.allCases {
      let able = formats.filter {
        $0.format.bits == bits && $0.scale == scale
          && $0.decibels >= ScaleChoice.level(bits: bits)
          && $0.flushed <= ScaleChoice.mostFlushed(bits: bits)
      }
      guard let best = able.max(by: { $0.decibels < $1.decibels }) else { continue }
      return ScaleChoice(format: best.format, scale: scale, decibels: best.decibels)
    }
    return nil
  }
}

extension [TensorReport] {
  /// What a format at one scale costs all matrices together: Σ x² over Σ (x − q)².
  package func cost(_ format: NumberFormat, _ scale: ScaleGroup) -> FormatCost? {
    var (signal, noise, flushed, count) = (0.0, 0.0, 0.0, 0.0)
    for report in self where report.isMatrix {
      guard let cost = report.cost(format, scale), !cost.decibels.isNaN else { continue }
      let numbers = Double(report.count)
      let own = report.rms * report.rms * numbers
      signal += own
      noise += own * pow(10, -cost.decibels / 10)
      flushed += cost.flushed * numbers
      count += numbers
    }
    guard count > 0 else { return nil }
    return FormatCost(
      format: format, scale: scale, decibels: decibels(signal: signal, noise: noise),
      flushed: flushed / count)
  }
}
