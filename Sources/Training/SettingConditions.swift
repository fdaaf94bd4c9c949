package import Models
import Telemetry

/// What of a run decides which settings change anything in it.
package struct SettingConditions: Sendable {
  /// Nil for a model without experts.
  package var router: ExpertRouter?
  package var optimizer = OptimizerKind.adamW
  package var isSigmaReparametrised = false

  package init(
    router: ExpertRouter? = nil, optimizer: OptimizerKind = .adamW,
    isSigmaReparametrised: Bool = false
  ) {
    self.router = router
    self.optimizer = optimizer
    self.isSigmaReparametrised = isSigmaReparametrised
  }

  package init(_ configuration: TrainingConfiguration) {
    self.init(
      router: configuration.model.experts?.router, optimizer: configuration.optimizer,
      isSigmaReparametrised: configuration.model.sigmaReparam)
  }

  /// What the run lacks that the setting needs, in words; nil where it lacks nothing.
  func lack(for entry: SettingCatalog.Entry) -> String? {
    entry.needs.lazy.compactMap(lack).first
  }

  private func lack(_ need: SettingCatalog.Need) -> String? {
    switch need {
    case .experts: router == nil ? "this model has no experts" : nil
    case .scores: router?.hasScores == false ? "this router has no scores to balance" : nil
    case .softmax: router == .sigmoid ? "the sigmoid router has no softmax to hold" : nil
    case .tokenwise: router == .thor ? "thor sends a whole batch to one expert" : nil
    case .twoPasses:
      router == .thor ? nil : "only the router thor has two passes to hold together"
    case .secondMoments:
      optimizer.hasSecondMoments ? nil : "\(optimizer.rawValue) keeps no second moments"
    case .plainWeights:
      isSigmaReparametrised
        ? "sigma-reparametrisation ignores the weights' scale, which is all it changes" : nil
    }
  }
}
