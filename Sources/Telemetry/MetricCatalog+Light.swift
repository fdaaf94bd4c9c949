extension MetricCatalog {
  /// What the estimating phase of `--light` says, once, with the first step. N is the adapter's module
  /// in layer L: the weights, or the halves, in their order.
  static let lightFamilies: [MetricFamily] = [
    MetricFamily(
      "light_seconds", unit: "s", reduction: .last, precision: .float64, isMeasuredByClock: true,
      meaning: "seconds that the estimating phase of --light took"),
    MetricFamily(
      "light_bytes", unit: "bytes", reduction: .last, precision: .float64, isMeasuredByClock: true,
      meaning: "memory that its masked model, passes and update took"),
    MetricFamily(
      "light_head_mask/L/H", unit: "", reduction: .last, precision: .float64,
      meaning: "mask that head H of layer L ended with, from 1; the least needed go"),
    MetricFamily(
      "light_channel_mask/L", unit: "", reduction: .last, precision: .float64,
      meaning: "mean mask of the hidden channels of layer L"),
    MetricFamily(
      "light_share/L/N", unit: "", reduction: .last, precision: .float64,
      meaning: "norm of what module N adds over that of what it is added to, mean over tokens"),
    MetricFamily(
      "light_score/L/N", unit: "", reduction: .last, precision: .float64,
      meaning: "mean over its ranks of |mean A∘dA| + |mean B∘dB|: what the loss feels of them"),
    MetricFamily(
      "light_heads/L", unit: "", reduction: .last, meaning: "heads left in layer L"),
    MetricFamily(
      "light_channels/L", unit: "", reduction: .last, meaning: "hidden channels left in layer L"),
    MetricFamily(
      "light_ranks/L", unit: "", reduction: .last,
      meaning: "ranks left in the adapter's modules of layer L together"),
  ]

  package static let lightSeconds: MetricName = "light_seconds"
  package static let lightBytes: MetricName = "light_bytes"

  package static func lightHeadMask(layer: Int, head: Int) -> MetricName {
    MetricName("light_head_mask/\(layer)/\(head)")
  }

  package static func lightChannelMask(layer: Int) -> MetricName {
    MetricName("light_channel_mask/\(layer)")
  }

  package static func lightShare(layer: Int, module: Int) -> MetricName {
    MetricName("light_share/\(layer)/\(module)")
  }

  package static func lightScore(layer: Int, module: Int) -> MetricName {
    MetricName("light_score/\(layer)/\(module)")
  }

  package static func lightHeads(layer: Int) -> MetricName { MetricName("light_heads/\(layer)") }

  package static func lightChannels(layer: Int) -> MetricName {
    MetricName("light_channels/\(layer)")
  }

  package static func lightRanks(layer: Int) -> MetricName { MetricName("light_ranks/\(layer)") }
}
