internal import Kernels

/// Prefix tuning: p keys and values a layer that stand before every text, seen by all its positions.
///
/// The keys are not rotated. With qk-layernorm of weight w a query meets them as (1−w)·q + w·LN(q).
/// The values are 0 at first; the keys take their share of the attention, so that a new one is not
/// without effect.
/// - Source: Li and Liang 2021 (2101.00190), without the network that made theirs while training
struct PrefixAdapter: Sendable {
  /// [p, D], or narrower where queries share keys
  private let keys: TensorPlace
  private let values: TensorPlace

  /// Nil where another adapter is trained, or none.
  init?(_ configuration: ModelConfiguration, plan: inout TensorPlan) {
    guard let adapter = configuration.adapter, adapter.method == .prefix else { return nil }
    let shape = [adapter.rank, configuration.keyWidth]
    keys = plan.addTrained(
      "self_attn.prefix_key.weight", shape, .coefficients, initial: .normal)
    values = plan.addTrained("self_attn.prefix_value.weight", shape, .coefficients)
  }

  func heads(_ parameters: ParameterView, gradients: PassGradients? = nil) -> PrefixHeads {
    PrefixHeads(
      keys: parameters[keys], values: parameters[values], dKeys: gradients?.tensors[keys],
      dValues: gradients?.tensors[values])
  }
}

/// A layer's prefix, and in a backward pass where its gradients go: [p, H·Dh] each, H heads of keys.
struct PrefixHeads {
  let keys: Matrix
  let values: Matrix
  let dKeys: Matrix?
  let dValues: Matrix?
}
