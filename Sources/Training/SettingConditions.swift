package import Models
import Telemetry

/// What of a run decides which settings change anything in it.
package struct SettingConditions: Sendable {
  /// Nil for a model without experts.
  package var router: ExpertRouter?
  package var optimizer = OptimizerKind.adamW
  package var isSigmaReparametrised = false
  /// Whether the model's own weights stay as they are.
  package var isAdapted = false
  package var hasAttention = true
  package var sharesWeights = false
  package var isSubspace = false
  /// The most blocks that may stay as they are; nil for any number.
  package var mostFrozenBlocks: Int?

  package init(
    router: ExpertRouter? = nil, optimizer: OptimizerKind = .adamW,
    isSigmaReparametrised: Bool = false, hasAttention: Bool = true,
    sharesWeights: Bool = false, isSubspace: Bool = false
  ) {
    self.router = router
    self.optimizer = optimizer
    self.isSigmaReparametrised = isSigmaReparametrised
    self.hasAttention = hasAttention
    self.sharesWeights = sharesWeights
    self.isSubspace = isSubspace
  }

  package init(_ configuration: TrainingConfiguration) {
    self.init(
      router: configuration.model.experts?.router, optimizer: configuration.optimizer,
      isSigmaReparametrised: configuration.model.sigmaReparam,
      hasAttention: configuration.model.hasAttention,
      sharesWeights: configuration.model.sharing > 0, isSubspace: configuration.subspace > 0)
    isAdapted = configuration.model.adapter != nil
    mostFrozenBlocks = ParameterLayout(configuration.model).mostFrozenBlocks
  }

  /// What the run lacks that the setting needs, in words; nil where it lacks nothing.
  func lack(for entry: SettingCatalog.Entry) -> String? {
    entry.needs.lazy.compactMap(lack).first
  }

  /// Why this value cannot be taken in this run although the setting can be changed, and what to do.
  func refusal(of name: String, value: SettingValue) -> String? {
    guard name == SettingCatalog.freeze, let most = mostFrozenBlocks,
      value.number.rounded() > Double(most)
    else { return nil }
    return "nothing but norms would be left to train: give at most \(most)"
  }

  private func lack(_ need: SettingCatalog.Need) -> String? {
    let kind = router?.conformer
    switch need {
    case .attention: return hasAttention ? nil : "no layer of this model has attention"
    case .experts: return router == nil ? "this model has no experts" : nil
    case .scores: return kind?.hasScores == false ? "this router has no scores to balance" : nil
    case .softmax:
      // One without scores is told of them instead.
      guard let kind, kind.hasScores, !kind.hasSoftmax else { return nil }
      return "the \(kind.name) router has no softmax to hold"
    case .tokenwise:
      guard let kind, !kind.hasCapacity else { return nil }
      return "\(kind.name) sends a whole batch to one expert"
    case .twoPasses:
      return kind?.passes == 2
        ? nil
        : "only the router \(ExpertRouter.names { $0.passes == 2 }) has two passes to hold together"
    case .secondMoments:
      return optimizer.hasSecondMoments ? nil : "\(optimizer.rawValue) keeps no second moments"
    case .ownWeights:
      return sharesWeights ? "all matrices are read from one array, and none has its own" : nil
    case .singleWeights:
      return isSubspace ? "in a subspace all weights move together" : nil
    case .plainWeights:
      if isAdapted { return "an adapter is trained, and the weights that it changes are not" }
      return isSigmaReparametrised
        ? "sigma-reparametrisation ignores the weights' scale, which is all it changes" : nil
    }
  }
}

extension TrainingConfiguration {
  /// Refuses settings that would change nothing, but for what every run starts with.
  func validateSettings() throws(ConfigurationError) {
    let conditions = SettingConditions(self)
    for entry in SettingCatalog.entries {
      guard let value = starts[entry.name], value.isOn, value != entry.start,
        let lack = conditions.lack(for: entry)
      else { continue }
      throw .idle(
        option: entry.option, reason: "\(entry.option) changes nothing, as \(lack): leave it out")
    }
    for entry in SettingCatalog.entries {
      guard let value = starts[entry.name],
        let refusal = conditions.refusal(of: entry.name, value: value)
      else { continue }
      throw .impossible(reason: "\(entry.option) \(value) cannot be, as \(refusal)")
    }
  }
}

extension ParameterLayout {
  /// The most blocks that can stay as they are while more than norms is trained; nil for any number.
  fileprivate var mostFrozenBlocks: Int? {
    let weights = tensors.filter { ![.gain, .queryKeyGain, .bias, .fixed].contains($0.role) }
    let isOutside = weights.contains { $0.layer == nil && $0.role != .embedding }
    return isOutside ? nil : weights.compactMap(\.layer).max() ?? 0
  }
}
