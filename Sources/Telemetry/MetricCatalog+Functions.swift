extension MetricCatalog {
  /// What the trained functions of the feed-forward layer `kat` say of themselves. F is 1 for the one
  /// before the first matrix and 2 for the one before the second, G the group of columns.
  static let functionFamilies: [MetricFamily] = [
    MetricFamily(
      "kat_beyond_first/L", unit: "", reduction: .mean, precision: .float64,
      meaning: "share of the inputs of layer L's first functions beyond ±3, where they are fitted"),
    MetricFamily(
      "kat_beyond_second/L", unit: "", reduction: .mean, precision: .float64,
      meaning: "the same of the functions before the second matrix"),
    MetricFamily(
      "kat_reciprocal_max/L", unit: "", reduction: .maximum, precision: .float64,
      meaning: "largest 1/Q of layer L's functions P/Q over their inputs; never above 1 while sound"
    ),
    MetricFamily(
      "kat_range/L/F/G", unit: "", reduction: .maximum,
      meaning: "largest less smallest value within ±3 of group G's function F in layer L"),
    MetricFamily(
      "kat_drift/L/F/G", unit: "", reduction: .maximum,
      meaning: "that function's distance from its start within ±3, as a share of the start's size"),
  ]

  package static func functionRange(layer: Int, place: Int, group: Int) -> MetricName {
    MetricName("kat_range/\(layer)/\(place)/\(group)")
  }

  package static func functionDrift(layer: Int, place: Int, group: Int) -> MetricName {
    MetricName("kat_drift/\(layer)/\(place)/\(group)")
  }
}
