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
  }

  /// What the run lacks that the setting needs, in words; nil where it lacks nothing.
  func lack(for entry: SettingCatalog.Entry) -> String? {
    entry.needs.lazy.compactMap(lack).first
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
  }
}
