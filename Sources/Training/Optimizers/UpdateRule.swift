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

  /// Whether any tensor has a second moment.
  package var hasSecondMoments: Bool { self != .sgd }

  /// Whether every tensor has Adam's moments.
  var isAdam: Bool { self == .adamW || self == .stableAdamW }

  func rule(of tensor: ParameterTensor) -> UpdateRule {
    switch self {
    case .adamW, .stableAdamW: .adam
    case .muon: tensor.role.isHiddenMatrix ? .muon : .adam
    case .sgd: .momentum
    }
  }
}

/// How one tensor is updated.
enum UpdateRule: Sendable {
  case adam
  case momentum
  case muon
}
