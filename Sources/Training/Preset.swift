public import Models

/// The sizes that every benchmark and every default refers to.
public enum Preset: String, CaseIterable, Sendable {
  case tiny
  case small
  case base
  case moeTiny = "moe-tiny"
  case moeSmall = "moe-small"

  /// The model's shape.
  public var model: ModelConfiguration {
    switch self {
    case .tiny: ModelConfiguration(width: 64, layers: 2, heads: 2, context: 64)
    case .small: ModelConfiguration(width: 256, layers: 6, heads: 4, context: 256)
    case .base: ModelConfiguration(width: 512, layers: 8, heads: 8, context: 512)
    case .moeTiny:
      ModelConfiguration(
        width: 64, layers: 4, heads: 2, context: 64,
        experts: ExpertConfiguration(count: 8, width: 128, active: 2))
    case .moeSmall:
      ModelConfiguration(
        width: 256, layers: 6, heads: 4, context: 256,
        experts: ExpertConfiguration(count: 8, width: 512, active: 2))
    }
  }

  /// Sequences in a batch.
  public var batch: Int {
    switch self {
    case .tiny, .moeTiny: 16
    case .small, .moeSmall: 8
    case .base: 4
    }
  }

  /// The peak learning rate that suits this size without qk-layernorm.
  public var learningRate: Double {
    switch self {
    case .tiny, .moeTiny: 1e-2
    case .small, .moeSmall: 3e-3
    case .base: 1e-3
    }
  }

  /// Steps of a run of which nothing else is said.
  public var steps: Int {
    switch self {
    case .tiny: 4000
    case .moeTiny: 2500
    case .small: 1000
    case .base, .moeSmall: 500
    }
  }
}
