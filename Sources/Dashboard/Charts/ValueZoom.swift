/// Which values the vertical axis of a pane shows.
package enum ValueZoom: Sendable, Hashable {
  /// What the pane takes for right.
  case automatic
  /// All that is there, spikes and the start of a run too.
  case everything
  /// Without the outliers on both sides, as other programs leave them out.
  case robust
  /// These values, whatever the lines do.
  case range(low: Double, high: Double)

  /// The share of columns that an axis without outliers may leave out at each end.
  private static let outlierShare = 0.05

  /// The range that holds most columns: their lows and highs without a twentieth at each end.
  static func usualRange(lows: [Double], highs: [Double]) -> (Double, Double) {
    guard !lows.isEmpty, !highs.isEmpty else { return (.infinity, -.infinity) }
    let (lows, highs) = (lows.sorted(), highs.sorted())
    let left = Int(Double(lows.count) * outlierShare)
    return (lows[left], highs[highs.count - 1 - left])
  }
}
