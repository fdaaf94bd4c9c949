extension MetricCatalog {
  /// What a look into the model finds: told with --inspect-every.
  static let inspectionFamilies: [MetricFamily] = [
    MetricFamily(
      "rounding_rise/FORMAT", unit: "nats/token", reduction: .last, precision: .float64,
      meaning: "held-out loss with all matrices in that format, less the one with the weights as"
        + " they are"),
    MetricFamily(
      "rounding_db/TENSOR", unit: "dB", reduction: .last, precision: .float64,
      meaning: "signal over noise of the tensor in int8 with one scale: 6 dB are a bit"),
    MetricFamily(
      "stable_rank/TENSOR", unit: "", reduction: .last, precision: .float64,
      meaning: "sum of the matrix's squared singular values over the largest one"),
    MetricFamily(
      "outlier_features/L", unit: "", reduction: .last, precision: .float64,
      meaning: "features of at least 6 in 6% of the positions, as layer L reads the stream; as the"
        + " output does for the last L"),
    MetricFamily(
      "feature_max/L", unit: "", reduction: .last, precision: .float64,
      meaning: "largest magnitude of any of those features"),
    MetricFamily(
      "neural_collapse/MEASURE", unit: "", reduction: .last, precision: .float64,
      meaning: "nc1, cdnv, nc2, nc3: 0 where the last features have collapsed onto the next byte;"
        + " nc4: 1 then"),
  ]

  /// - Parameters: `format` is the format's own word
  package static func roundingRise(_ format: String) -> MetricName {
    MetricName("rounding_rise/\(format)")
  }

  package static func roundingDecibels(tensor: String) -> MetricName {
    MetricName("rounding_db/\(shortName(ofTensor: tensor))")
  }

  package static func stableRank(tensor: String) -> MetricName {
    MetricName("stable_rank/\(shortName(ofTensor: tensor))")
  }

  package static func outlierFeatures(layer: Int) -> MetricName {
    MetricName("outlier_features/\(layer)")
  }

  package static func featureMax(layer: Int) -> MetricName { MetricName("feature_max/\(layer)") }

  package static func neuralCollapse(_ measure: String) -> MetricName {
    MetricName("neural_collapse/\(measure)")
  }
}
