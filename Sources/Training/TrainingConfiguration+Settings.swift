import Telemetry

/// The settings that can be changed later, as Swift spells them; a run starts with what they are.
extension TrainingConfiguration {
  /// Weight of the mean (log Z)².
  public var zLoss: Double {
    get { starts[SettingCatalog.zLoss]?.number ?? 0 }
    set { starts[SettingCatalog.zLoss] = .number(newValue) }
  }

  /// Bound of the global gradient norm; 0 is off.
  public var gradClip: Double {
    get { starts[SettingCatalog.gradClip]?.number ?? 0 }
    set { starts[SettingCatalog.gradClip] = .number(newValue) }
  }

  /// How far g²/v̂ may rise above 1 before a tensor's rate is cut; 0 is off.
  public var updateClip: Double {
    get { starts[SettingCatalog.updateClip]?.number ?? 0 }
    set { starts[SettingCatalog.updateClip] = .number(newValue) }
  }

  /// The largest change of a tensor in a step as a share of its norm; 0 is off.
  public var updateCap: Double {
    get { starts[SettingCatalog.updateCap]?.number ?? 0 }
    set { starts[SettingCatalog.updateCap] = .number(newValue) }
  }

  /// Adam's ε.
  public var adamEpsilon: Double {
    get { starts[SettingCatalog.adamEpsilon]?.number ?? 0 }
    set { starts[SettingCatalog.adamEpsilon] = .number(newValue) }
  }

  /// Adam's β₂.
  public var adamBeta2: Double {
    get { starts[SettingCatalog.adamBeta2]?.number ?? 0 }
    set { starts[SettingCatalog.adamBeta2] = .number(newValue) }
  }

  /// Weight decay of the matrices.
  public var weightDecay: Double {
    get { starts[SettingCatalog.weightDecay]?.number ?? 0 }
    set { starts[SettingCatalog.weightDecay] = .number(newValue) }
  }

  /// Blocks that stay as they are, counted from the embedding, which stays with the first.
  public var frozenBlocks: Int {
    get { Int(starts[SettingCatalog.freeze]?.number ?? 0) }
    set { starts[SettingCatalog.freeze] = .number(Double(newValue)) }
  }

  /// Weight of the experts' balance loss.
  public var balanceLoss: Double {
    get { starts[SettingCatalog.balanceLoss]?.number ?? 0 }
    set { starts[SettingCatalog.balanceLoss] = .number(newValue) }
  }

  /// Weight of the router's (ln Σ exp)².
  public var routerZLoss: Double {
    get { starts[SettingCatalog.routerZLoss]?.number ?? 0 }
    set { starts[SettingCatalog.routerZLoss] = .number(newValue) }
  }

  /// Rate of the experts' balancing biases; 0 is off.
  public var biasBalance: Double {
    get { starts[SettingCatalog.biasBalance]?.number ?? 0 }
    set { starts[SettingCatalog.biasBalance] = .number(newValue) }
  }

  /// Even shares of a window an expert takes; 0 is all.
  public var capacity: Double {
    get { starts[SettingCatalog.capacity]?.number ?? 0 }
    set { starts[SettingCatalog.capacity] = .number(newValue) }
  }

  /// Weight of the divergence between the two passes of the router thor.
  public var consistency: Double {
    get { starts[SettingCatalog.consistency]?.number ?? 0 }
    set { starts[SettingCatalog.consistency] = .number(newValue) }
  }

  /// Soft bound of the attention logits; 0 is off.
  public var logitSoftCap: Double {
    get { starts[SettingCatalog.logitSoftCap]?.number ?? 0 }
    set { starts[SettingCatalog.logitSoftCap] = .number(newValue) }
  }

  /// Attention logit above which a head's query and key weights shrink; 0 is off.
  public var qkClip: Double {
    get { starts[SettingCatalog.qkClip]?.number ?? 0 }
    set { starts[SettingCatalog.qkClip] = .number(newValue) }
  }

  /// Soft bound of the output logits; 0 is off.
  public var outputSoftCap: Double {
    get { starts[SettingCatalog.outputSoftCap]?.number ?? 0 }
    set { starts[SettingCatalog.outputSoftCap] = .number(newValue) }
  }

  /// Factor on top of the schedule.
  public var learningRateMultiplier: Double {
    get { starts[SettingCatalog.learningRateMultiplier]?.number ?? 0 }
    set { starts[SettingCatalog.learningRateMultiplier] = .number(newValue) }
  }

  /// Steps between held-out evaluations; 0 is never.
  public var evalEvery: Int {
    get { Int(starts[SettingCatalog.evalEvery]?.number ?? 0) }
    set { starts[SettingCatalog.evalEvery] = .number(Double(newValue)) }
  }

  /// Whether queries and keys are layer-normalised from the start.
  public var qkLayerNorm: Bool {
    get { starts[SettingCatalog.qkLayerNorm]?.isOn ?? false }
    set { starts[SettingCatalog.qkLayerNorm] = .flag(newValue) }
  }
}
