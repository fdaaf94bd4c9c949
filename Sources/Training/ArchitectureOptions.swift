package import Models

/// The options that make a model one of another family.
extension RunOptionCatalog {
  static let architecture: [RunOption] = [
    RunOption(
      name: "architecture", kind: .choice(Architecture.allCases.map(\.rawValue)),
      help: "the family of layers, by Hugging Face's word for it; gpt2 has biases and learned"
        + " positions, llama RMSNorm and SwiGLU"
    ) { words, _, configuration in
      if let family = Architecture(rawValue: words) { configuration.model.setArchitecture(family) }
    } words: {
      $0.model.architecture == .persimmon ? nil : $0.model.architecture.rawValue
    },
    RunOption(
      name: "kv-heads", kind: .count(1...256),
      help: "with llama: heads of keys and values, each shared by as many queries; they divide the"
        + " heads"
    ) { words, _, configuration in
      let count = Int(words)
      let isOwn = count == configuration.model.heads && configuration.model.architecture == .llama
      configuration.model.keyValueHeads = isOwn ? nil : count
    } words: {
      $0.model.keyValueHeads.map(String.init)
    },
    .count(
      "ffn-width", 1...65536, \.model.feedForwardWidth,
      help: "hidden width of feed-forward layers; 4 times the width, with llama 8/3, if not given"
    ) { $0.model.hasFeedForwardWidth },
    .flag(
      "tie-embeddings", \.model.isTied,
      help: "take the embedding's table for the unembedding too; on with gpt2"
    ) { $0.model.isTied != $0.model.architecture.isTied },
    .count(
      "vocabulary", 1...Corpus.largestVocabulary, \.model.vocabulary,
      help:
        "tokens of the model; with another number than 256 the data are a tokenizer's ids, unsigned"
        + " and of 16 bits each"
    ) { $0.model.vocabulary != Corpus.byteVocabulary },
    .number(
      "rope-theta", 1...1e9, \.model.rotaryBase,
      help: "base of the angles that rotary positions turn by"
    ) { $0.model.hasAttention && $0.model.rotaryBase != ModelConfiguration.usualRotaryBase },
    .number(
      "norm-eps", 1e-12...1, \.model.normEpsilon,
      help: "what norms add to the variance; 1e-5, with llama 1e-6, if not given"
    ) { $0.model.normEpsilon != $0.model.architecture.normEpsilon },
  ]
}

extension ModelConfiguration {
  static let usualRotaryBase = 10_000.0

  /// A model of these sizes, of the layers that options of ``RunOptionCatalog/family`` say.
  /// - Throws: ``ConfigurationError`` for a value that is not allowed, and for layers that make no model.
  package func shaped(
    by options: [String: String]
  ) throws(ConfigurationError) -> ModelConfiguration {
    try TrainingConfiguration.check(options)
    var configuration = TrainingConfiguration(preset: .tiny)
    configuration.model = self
    for option in RunOptionCatalog.family {
      if let words = options[option.name] { option.read(words, options, &configuration) }
    }
    try configuration.checkMixers(options)
    try configuration.validateArchitecture()
    try configuration.validateMixers()
    let told = ["feed-forward", "ffn-width"].first { options[$0] != nil }
    guard isAllExperts, let told else { return configuration.model }
    throw .impossible(
      reason: "every layer of these sizes has experts, and none a feed-forward layer: choose a"
        + " dense preset, or leave --\(told) out")
  }

  /// Whether every layer has experts in the place of the feed-forward layer.
  var isAllExperts: Bool { mixtureCount == layers }

  /// Whether it has feed-forward layers of another width than usual.
  fileprivate var hasFeedForwardWidth: Bool {
    !isAllExperts && feedForwardWidth != architecture.feedForwardWidth(width)
  }
}

extension TrainingConfiguration {
  /// What it learns from, opened.
  /// - Throws: what `Corpus.open` throws.
  package func openCorpus() throws(DataError) -> Corpus {
    guard let dataPath else { return .synthetic() }
    return try .open(path: dataPath, vocabulary: model.vocabulary)
  }

  /// Refuses what is about text where tokens are ids.
  func validateVocabulary() throws(ConfigurationError) {
    guard model.vocabulary != Corpus.byteVocabulary else { return }
    guard dataPath != nil else {
      throw .impossible(
        reason:
          "the built-in language is bytes, not \(model.vocabulary) tokens: give ids with --data,"
          + " or leave --vocabulary out")
    }
    let faults = [
      ("corrupt", corrupt > 0), ("sample-every", sampleEvery > 0), ("reward", reward != nil),
      ("anchor without anchor-data", anchor > 0 && anchorPath == nil),
    ]
    guard let fault = faults.first(where: \.1) else { return }
    throw .impossible(
      reason:
        "\(fault.0) is about bytes, and this model has \(model.vocabulary) tokens: leave it out")
  }

  /// Refuses what the family has no place for.
  func validateArchitecture() throws(ConfigurationError) {
    let family = model.architecture
    if let shared = model.keyValueHeads {
      guard !family.joinsProjections else {
        throw .idle(
          option: "kv-heads",
          reason: "kv-heads has no place in \(family.rawValue), where each query has a key of its"
            + " own: add --architecture llama, or leave it out")
      }
      guard model.heads % shared == 0 else {
        throw .impossible(
          reason: "\(shared) kv-heads do not divide the \(model.heads) heads: choose a divisor")
      }
    }
    guard family == .persimmon || model.mixers.allSatisfy({ $0 == .attention }) else {
      throw .impossible(
        reason: "the mixer ssm has norms of its own, and none of \(family.rawValue)'s: leave"
          + " --architecture out")
    }
    guard !family.learnsPositions || model.rotaryBase == ModelConfiguration.usualRotaryBase else {
      throw .idle(
        option: "rope-theta",
        reason: "rope-theta has no place in \(family.rawValue), whose positions are learned: leave"
          + " it out")
    }
  }
}
