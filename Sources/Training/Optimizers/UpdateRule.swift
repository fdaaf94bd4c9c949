import Models

/// What a run's gradients become updates by.
public enum OptimizerKind: String, CaseIterable, Sendable, Codable {
  /// Adam with decoupled decay.
  case adamW = "adamw"
  /// AdamW whose update is clipped where its second moment is stale, instead of the gradient.
  case stableAdamW = "stable-adamw"
  /// Muon for the hidden matrices, AdamW for the rest.
  case muon
  /// Stochastic gradient descent with momentum.
  case sgd
  /// Signs of a momentum and the gradient, so that each weight moves by the rate.
  case lion
  /// Losses on both sides along a random direction over the small weights, in place of gradients.
  case mezo

  /// Whether any tensor has a second moment.
  package var hasSecondMoments: Bool { isAdam || self == .muon }

  /// The numbers that it keeps of each weight from step to step.
  var moments: Int { takesGradients ? hasSecondMoments ? 2 : 1 : 0 }

  /// Whether it needs a backward pass.
  package var takesGradients: Bool { self != .mezo }

  /// Whether a step is a gradient over numbers that do not follow from it, as sharpness is measured by.
  package var hasPreconditioner: Bool { isAdam || self == .sgd }

  /// What its usual rate is of AdamW's, which presets name, in a new run.
  ///
  /// - Source: runs of `tiny`, `small` and `moe-tiny`; Lion's lies where its paper has it, three to ten times
  ///   lower
  var newRateFactor: Double {
    switch self {
    case .adamW, .stableAdamW, .muon, .mezo: 1
    case .sgd: 10
    case .lion: 0.1
    }
  }

  /// The same where a checkpoint is trained on, whose rates of AdamW methods of fine-tuning name.
  ///
  /// A prefix has gradients so small that what others bear is no change of it.
  /// - Source: runs of `tiny`, in `studies/finetuning.md`
  func tuningRateFactor(of method: AdapterMethod?) -> Double {
    switch self {
    case .adamW, .stableAdamW, .muon, .mezo: 1
    case .sgd: method == .prefix ? 300 : 30
    case .lion: 0.3
    }
  }

  /// Whether every tensor has Adam's moments.
  var isAdam: Bool { self == .adamW || self == .stableAdamW }

  /// Nil where no gradient updates the tensor.
  func rule(of tensor: ParameterTensor) -> UpdateRule? {
    switch self {
    case .adamW, .stableAdamW: .adam
    case .muon: tensor.role.isHiddenMatrix ? .muon : .adam
    case .sgd: .momentum
    case .lion: .lion
    case .mezo: nil
    }
  }
}

/// How one tensor is updated.
enum UpdateRule: Sendable {
  case adam
  case momentum
  case lion
  case muon
}
