import Foundation

extension Double {
  /// A rate in up to three digits: `0.01`, `0.000949`, `1e-05`.
  package var rateText: String { String(format: "%.3g", self) }
}
