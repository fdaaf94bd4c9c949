package import Models
package import Telemetry

/// The settings of a run that a person may change while it goes on.
package struct LiveSettings: Sendable, Equatable, Codable {
  package var learningRateMultiplier: Double
  package var zLoss: Double
  package var gradClip: Double
  package var weightDecay: Double
  package var balanceLoss: Double
  package var routerZLoss: Double
  package var biasBalance: Double
  package var capacity: Double
  package var logitSoftCap: Double
  package var outputSoftCap: Double
  /// The threshold of QK-clip; 0 for none.
  package var qkClip: Double
  package var qkLayerNorm: QKLayerNormBlend

  package init(_ configuration: TrainingConfiguration) {
    learningRateMultiplier = configuration.learningRateMultiplier
    zLoss = configuration.zLoss
    gradClip = configuration.gradClip
    weightDecay = configuration.weightDecay
    balanceLoss = configuration.balanceLoss
    routerZLoss = configuration.routerZLoss
    biasBalance = configuration.biasBalance
    capacity = configuration.capacity
    logitSoftCap = configuration.logitSoftCap
    outputSoftCap = configuration.outputSoftCap
    qkClip = configuration.qkClip
    qkLayerNorm = QKLayerNormBlend(
      isOn: configuration.qkLayerNorm, blendSteps: configuration.blendSteps)
  }

  /// The present value of the setting called `name`.
  package subscript(name: String) -> SettingValue? {
    switch name {
    case SettingCatalog.learningRateMultiplier: .number(learningRateMultiplier)
    case SettingCatalog.zLoss: .number(zLoss)
    case SettingCatalog.gradClip: .number(gradClip)
    case SettingCatalog.weightDecay: .number(weightDecay)
    case SettingCatalog.balanceLoss: .number(balanceLoss)
    case SettingCatalog.routerZLoss: .number(routerZLoss)
    case SettingCatalog.biasBalance: .number(biasBalance)
    case SettingCatalog.capacity: .number(capacity)
    case SettingCatalog.logitSoftCap: .number(logitSoftCap)
    case SettingCatalog.outputSoftCap: .number(outputSoftCap)
    case SettingCatalog.qkClip: .number(qkClip)
    case SettingCatalog.qkLayerNorm: .flag(qkLayerNorm.isOn)
    default: nil
    }
  }

  package mutating func set(_ name: String, to value: SettingValue, at step: Int) {
    switch name {
    case SettingCatalog.learningRateMultiplier: learningRateMultiplier = value.number
    case SettingCatalog.zLoss: zLoss = value.number
    case SettingCatalog.gradClip: gradClip = value.number
    case SettingCatalog.weightDecay: weightDecay = value.number
    case SettingCatalog.balanceLoss: balanceLoss = value.number
    case SettingCatalog.routerZLoss: routerZLoss = value.number
    case SettingCatalog.biasBalance: biasBalance = value.number
    case SettingCatalog.capacity: capacity = value.number
    case SettingCatalog.logitSoftCap: logitSoftCap = value.number
    case SettingCatalog.outputSoftCap: outputSoftCap = value.number
    case SettingCatalog.qkClip: qkClip = value.number
    case SettingCatalog.qkLayerNorm: qkLayerNorm.set(value.isOn, at: step)
    default: preconditionFailure("no live setting is called \(name)")
    }
  }

  /// What may be changed in this run, with the present values.
  package func declarations(router: ExpertRouter?) -> [SettingDeclaration] {
    SettingCatalog.entries.compactMap { entry in
      guard let value = self[entry.name] else { return nil }
      return SettingDeclaration(
        name: entry.name, kind: entry.kind, value: value, purpose: entry.purpose,
        refusal: refusal(of: entry.name, router: router))
    }
  }

  /// Why the setting cannot be changed now, and what to do.
  private func refusal(of name: String, router: ExpertRouter?) -> String? {
    if router == nil, SettingCatalog.isForExperts(name) { return "this model has no experts" }
    return switch name {
    case SettingCatalog.routerZLoss where router == .sigmoid:
      "the sigmoid router has no softmax to hold"
    case SettingCatalog.qkClip where qkLayerNorm.isOn:
      "qk-layernorm ignores the weights' scale: switch it off first"
    case SettingCatalog.qkLayerNorm where qkClip > 0:
      "qk_clip has no effect under it: set qk_clip 0 first"
    default: nil
    }
  }

  package var values: [String: SettingValue] {
    var values: [String: SettingValue] = [:]
    for entry in SettingCatalog.entries { values[entry.name] = self[entry.name] }
    return values
  }
}
