extension MetricCatalog {
  /// What a step of the optimiser mezo, or one in a random subspace, says beside its loss.
  static let searchFamilies: [MetricFamily] = [
    MetricFamily(
      "mezo_loss/plus", unit: "nats/token", reduction: .mean, precision: .float64,
      meaning: "all that is minimised, ahead of the weights along mezo's direction"),
    MetricFamily(
      "mezo_loss/minus", unit: "nats/token", reduction: .mean, precision: .float64,
      meaning: "the same behind them; loss is the mean of both sides' cross-entropies"),
    MetricFamily(
      "mezo_projected_gradient", unit: "", reduction: .last, precision: .float64,
      meaning: "slope of the loss along mezo's direction: the difference of both over 2ε"),
    MetricFamily(
      "mezo_masked", unit: "", reduction: .last, precision: .float64,
      meaning: "share of the weights that mezo leaves as they are in this step"),
    MetricFamily(
      "subspace_norm", unit: "", reduction: .last, precision: .float64,
      meaning: "distance of the weights from their start, as a run in a subspace has moved them"),
    MetricFamily(
      "subspace_drop", unit: "nats/token", reduction: .mean, precision: .float64,
      meaning: "loss of the model before the first update less this one's, in a subspace"),
  ]

  package static let mezoLossPlus: MetricName = "mezo_loss/plus"
  package static let mezoLossMinus: MetricName = "mezo_loss/minus"
  package static let mezoProjectedGradient: MetricName = "mezo_projected_gradient"
  package static let mezoMasked: MetricName = "mezo_masked"
  package static let subspaceNorm: MetricName = "subspace_norm"
  package static let subspaceDrop: MetricName = "subspace_drop"
}
