/// What is trained in the place of a model's own tensors, which stay as they are.
public struct AdapterConfiguration: Sendable, Hashable, Codable {
  /// What it is and where it stands.
  public var method: AdapterMethod
  /// r, its size beside each weight.
  public var rank: Int
  /// α: what LoRA adds counts α/r.
  public var alpha: Double

  /// One of the size and the strength that are usual.
  public init(method: AdapterMethod) {
    self.method = method
    rank = method.usualRank
    alpha = method == .rank1 ? 1 : 8
  }

  /// The same, no larger than a model of this shape has room for.
  package init(method: AdapterMethod, of model: ModelConfiguration) {
    self.init(method: method)
    rank = (1...rank).last { method.refusal(ofRank: $0, in: model) == nil } ?? 1
  }

  /// Whether its numbers are ones that a model of this shape has room for.
  package func fits(_ model: ModelConfiguration) -> Bool {
    method.refusal(ofRank: rank, in: model) == nil && alpha.isFinite && alpha >= 0
  }
}

/// The adapters there are.
public enum AdapterMethod: String, CaseIterable, Sendable, Hashable, Codable {
  /// Two thin matrices beside each weight between hidden layers.
  case lora
  /// The largest singular values of each such weight.
  case svfit
  /// A narrow network behind each half of a block.
  case bottleneck
  /// Keys and values before every text.
  case prefix
  /// A narrow network beside the model, through which alone gradients pass.
  case ladder
  /// LoRA of rank 1, a membrane, whose α says how permeable it is.
  case rank1

  /// r where none is given.
  public var usualRank: Int {
    switch self {
    case .lora, .ladder: 8
    case .svfit, .bottleneck, .prefix: 16
    case .rank1: 1
    }
  }

  /// Whether α is a factor of what it adds.
  package var hasAlpha: Bool { besideWeights is LowRankAdapter.Type }

  /// Whether a new one changes nothing of what the model computes.
  package var beginsAtTrunk: Bool { self != .prefix }

  /// Whether weights of the model's own shape can do what it does.
  package var isMergeable: Bool { besideWeights != nil }

  /// What r may be in a model of this shape, in words; nil where it may be `rank`.
  package func refusal(ofRank rank: Int, in model: ModelConfiguration) -> String? {
    guard (1...largestRank(model)).contains(rank) else { return "1 to \(largestRank(model))" }
    guard self == .ladder, model.width % (2 * rank) != 0 else { return nil }
    guard model.width % 2 == 0 else {
      return "another method, as its width of \(model.width) is odd"
    }
    return "a number that divides half the width of \(model.width)"
  }

  private func largestRank(_ model: ModelConfiguration) -> Int {
    switch self {
    // The smallest weight's smaller side.
    case .lora, .svfit:
      min(model.headWidth * (model.keyValueHeads ?? model.heads), model.feedForwardWidth)
    case .bottleneck: min(model.width, model.feedForwardWidth)
    case .prefix: model.context
    case .ladder: model.width / 2
    case .rank1: 1
    }
  }

  /// What stands beside each weight between hidden layers; nil where nothing does.
  var besideWeights: (any LinearAdapter.Type)? {
    switch self {
    case .lora, .rank1: LowRankAdapter.self
    case .svfit: SingularAdapter.self
    case .bottleneck, .prefix, .ladder: nil
    }
  }
}
