/// How the parts agreed, and what was kept of them.
package struct MergeOutcome: Sendable {
  /// In the order of the first part.
  package let tensors: [UpdateAgreement]
  /// The layers, and behind them what belongs to none.
  package let layers: [UpdateAgreement]
  package let whole: UpdateAgreement
  /// The layers of the tensors, nil where one belongs to none.
  package let layerNumbers: [Int?]

  init(_ tensors: [MergedTensor], _ sums: [AgreementSums], parts: Int) {
    self.tensors = zip(tensors, sums).map { $1.agreement(named: $0.name) }
    var total = AgreementSums(parts: parts)
    var outside = AgreementSums(parts: parts)
    var byLayer: [Int: AgreementSums] = [:]
    for (tensor, own) in zip(tensors, sums) {
      total += own
      if let layer = tensor.layer {
        byLayer[layer, default: AgreementSums(parts: parts)] += own
      } else {
        outside += own
      }
    }
    whole = total.agreement(named: "all")
    let ordered = byLayer.sorted { $0.key < $1.key }
    layers =
      ordered.map { $1.agreement(named: "\($0)") }
      + (tensors.contains { $0.layer == nil } ? [outside.agreement(named: "outside")] : [])
    layerNumbers = tensors.map(\.layer)
  }
}
