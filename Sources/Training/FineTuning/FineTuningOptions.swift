import Models
import Telemetry

/// The options of a run that begins with a checkpoint.
extension RunOptionCatalog {
  static let fineTuning = begun + light

  private static let begun: [RunOption] = [
    base, method, adapter, rank, alpha,
    .number(
      "anchor", 0...1e6, \.anchor,
      help:
        "with base: weight of the divergence from the base on other text, which half of a step's"
        + " windows are then of; if not given 0, with method rank1 1 unless tokens are ids without"
        + " anchor-data, or corrupt, distil or a batch of 1 is given"
    ) { $0.base != nil },
    anchorData, reward,
    .number(
      "reward-divergence", 0...1e6, \.rewardDivergence,
      help: "with reward: weight of the divergence from the base; 0.05 if not given"
    ) { $0.reward != nil },
    .number(
      "reward-clip", 0...1e6, \.rewardClip,
      help:
        "with reward: bounds how far a text's reward is above or below the greedy text's; 0 is no bound"
    ) { $0.reward != nil },
    rewardEnd,
    .count(
      "prompt-bytes", 1...16384, \.promptBytes,
      help:
        "with reward: bytes of the data that a text is written after; a quarter of the context if"
        + " not given"),
  ]

  /// The word for training all of the model.
  package static let fullMethod = "full"

  /// All there is to choose from.
  package static let methods = [fullMethod] + AdapterMethod.allCases.map(\.rawValue)

  private static let base = RunOption(
    name: "base", kind: .text,
    help: "a checkpoint whose weights the run begins with: a folder of Seismo's, or of a Persimmon,"
      + " GPT-2 or Llama as transformers writes it"
  ) { words, given, configuration in
    configuration.base = words
    configuration.setUsual(of: configuration.model.adapter?.method, besides: given)
  } words: {
    $0.base
  }

  private static let method = RunOption(
    name: "method",
    kind: .choice(methods),
    help: "with base: what is trained, all of the model or an adapter beside its weights"
  ) { words, given, configuration in
    let method = AdapterMethod(rawValue: words)
    configuration.model.adapter = method.map {
      AdapterConfiguration(method: $0, of: configuration.model)
    }
    configuration.setUsual(of: method, besides: given)
  } words: { configuration in
    guard configuration.base != nil else { return nil }
    return configuration.model.adapter?.method.rawValue ?? fullMethod
  }

  private static let adapter = RunOption(
    name: "adapter", kind: .text,
    help: "with base: a folder of PEFT's whose adapter the run begins with"
  ) { words, _, configuration in
    configuration.startingAdapter = words
  } words: {
    $0.startingAdapter
  }

  private static let reward = RunOption(
    name: "reward", kind: .text,
    help:
      "with base: train for texts that are judged well: words or facts, the share of those right in"
      + " the built-in language; regex:PATTERN; command:PROGRAM, given {\"prompt\":…,\"text\":…} a line,"
      + " answers with a number a line"
  ) { words, given, configuration in
    configuration.reward = words
    // A gradient from drawn texts is a noisy one.
    if given["lr"] == nil { configuration.learningRate /= 10 }
    if given["anchor"] == nil { configuration.anchor = 0 }
  } words: {
    $0.reward
  }

  private static let rewardEnd = RunOption(
    name: "reward-end", kind: .text,
    help:
      "with reward: what ends an answer, such as '.'; without it an answer is the rest of its window"
  ) { words, _, configuration in
    configuration.rewardEnd = words
  } words: {
    $0.rewardEnd
  }

  private static let anchorData = RunOption(
    name: "anchor-data", kind: .text,
    help: "with anchor: a file or folder with that text; without it the built-in language"
  ) { words, _, configuration in
    configuration.anchorPath = words
  } words: {
    $0.anchorPath
  }

  private static let rank = RunOption(
    name: "rank", kind: .count(1...65536),
    help:
      "an adapter's size: rank of lora, singular values, width of bottlenecks, length of a prefix,"
      + " what a ladder's width is the model's divided by; 8 for lora and ladder, 1 for rank1, else 16, if not"
      + " given"
  ) { words, _, configuration in
    if let rank = Int(words) { configuration.model.adapter?.rank = rank }
  } words: { configuration in
    configuration.model.adapter.map { "\($0.rank)" }
  }

  private static let alpha = RunOption(
    name: "alpha", kind: .number(0...1e6),
    help: "with methods lora and rank1: what it adds counts alpha/rank; 8, and 1, if not given"
  ) { words, _, configuration in
    if let alpha = Double(words) { configuration.model.adapter?.alpha = alpha }
  } words: { configuration in
    guard let adapter = configuration.model.adapter, adapter.method.hasAlpha else { return nil }
    return "\(adapter.alpha)"
  }
}

extension TrainingConfiguration {
  /// The rate and the length of a run that begins with a checkpoint, wherever `options` say nothing
  /// else.
  fileprivate mutating func setUsual(of method: AdapterMethod?, besides options: [String: String]) {
    if options["lr"] == nil { learningRate = method?.usualLearningRate ?? 3e-3 }
    if options["steps"] == nil { steps = 1000 }
    if options["anchor"] == nil { anchor = method == .rank1 && hasPlaceForAnchors(options) ? 1 : 0 }
  }

  /// Whether anchors that nobody asked for go with what is given.
  private func hasPlaceForAnchors(_ options: [String: String]) -> Bool {
    if options["anchor-data"] != nil { return true }
    return model.vocabulary == Corpus.byteVocabulary && corrupt == 0 && batch > 1
      && options["distil"] == nil
  }

  /// Refuses what has no place in a run that begins with a checkpoint, or that begins with none.
  func checkFineTuning(_ options: [String: String]) throws(ConfigurationError) {
    let isAdapted = model.adapter != nil
    for name in ["rank", "alpha", "adapter"] where options[name] != nil && !isAdapted {
      throw .impossible(reason: "\(name) is an adapter's: give --method lora, or leave it out")
    }
    try checkAnchors(options)
    try checkReward(options)
    try checkLight(options)
    if base == nil, let given = options["method"] {
      throw .impossible(
        reason: "method \(given) trains a model that is there: give its checkpoint with --base")
    }
    guard let adapter = model.adapter else { return }
    let name = adapter.method.rawValue
    guard model.isPlain else {
      let what = model.experts == nil ? "layers of other kinds" : "a mixture of experts"
      throw .impossible(
        reason: "\(name) has no place in \(what): give --method \(RunOptionCatalog.fullMethod)")
    }
    if let allowed = adapter.method.refusal(ofRank: adapter.rank, in: model) {
      throw .impossible(
        reason:
          "rank \(adapter.rank) is none that \(name) has room for in this model: give \(allowed)")
    }
    guard options["alpha"] == nil || adapter.method.hasAlpha else {
      throw .impossible(
        reason: "alpha is a factor of lora and rank1, and \(name) has none: leave it out")
    }
    try checkFrozen(name)
    try checkDecay(adapter.method)
  }

  private func checkDecay(_ method: AdapterMethod) throws(ConfigurationError) {
    let usual = SettingCatalog.entry(SettingCatalog.weightDecay)?.start.number
    let told = [
      ("decay", decayIsCoupled), ("weight-decay", weightDecay > 0 && weightDecay != usual),
    ]
    guard !method.isDecayed, let option = told.first(where: \.1)?.0 else { return }
    throw .idle(
      option: option,
      reason: "\(option) shrinks matrices, and \(method.rawValue) trains none: leave it out")
  }

  private func checkReward(_ options: [String: String]) throws(ConfigurationError) {
    guard let reward else {
      let names = ["reward-divergence", "reward-clip", "reward-end", "prompt-bytes"]
      for name in names where options[name] != nil {
        throw .impossible(reason: "\(name) belongs to --reward: give one, or leave it out")
      }
      return
    }
    let isKnown =
      ["words", "facts"].contains(reward)
      || ["regex:", "command:"].contains { reward.hasPrefix($0) && reward != $0 }
    guard isKnown else {
      throw .wrongValue(
        name: "reward", value: reward, allowed: "words, facts, regex:PATTERN or command:PROGRAM")
    }
    guard base != nil else {
      throw .impossible(
        reason: "reward trains a model that is there: give its checkpoint with --base")
    }
    guard sharpnessEvery == 0 else { throw .sharpness(besides: "reward") }
    guard anchor == 0, corrupt == 0, model.passes == 1 else {
      throw .impossible(reason: "reward has no place beside anchor, corrupt or the router thor")
    }
    guard rewardDivergence == 0 || model.adapter?.method.beginsAtTrunk != false else {
      throw .impossible(
        reason: "reward has no reference to stay near under prefix: give --reward-divergence 0")
    }
    guard promptBytes ?? 1 < model.context else {
      throw .impossible(
        reason: "\(promptBytes ?? 0) prompt-bytes leave nothing to write in a context of"
          + " \(model.context): give fewer")
    }
  }

  private func checkAnchors(_ options: [String: String]) throws(ConfigurationError) {
    guard anchor > 0 else {
      guard options["anchor-data"] == nil else {
        throw .impossible(reason: "anchor-data is text to hold the model on: give --anchor 1 too")
      }
      return
    }
    guard base != nil else {
      throw .impossible(
        reason: "anchor holds a model to what it was: give its checkpoint with --base")
    }
    guard batch > 1 else {
      throw .impossible(reason: "anchor takes half of a step's windows: give --batch 2 or more")
    }
    guard model.passes == 1, model.adapter?.method.beginsAtTrunk != false else {
      throw .impossible(
        reason: "anchor has no reference under \(model.adapter?.method.rawValue ?? "two passes"):"
          + " leave it out")
    }
    guard sharpnessEvery == 0 else { throw .sharpness(besides: "anchor") }
    guard corrupt == 0 else {
      throw .impossible(reason: "anchor and corrupt: give one of them")
    }
  }

  /// What changes the model's own weights has none to change.
  private func checkFrozen(_ name: String) throws(ConfigurationError) {
    let changes: [(String, Bool)] = [
      ("sigma-reparam", model.sigmaReparam), ("mu-param", muParam), ("qk-clip", qkClip > 0),
      ("optimizer muon", optimizer == .muon), ("inspect-every", inspectEvery > 0),
      ("share-parameters", model.sharing > 0), ("sparsity", sparsity > 0),
      ("subspace", subspace > 0), ("optimizer mezo", optimizer == .mezo),
    ]
    guard let change = changes.first(where: { $0.1 }) else { return }
    throw .impossible(
      reason: "\(change.0) is for a model's own weights, which \(name) leaves as they are: leave it"
        + " out, or give --method \(RunOptionCatalog.fullMethod)")
  }
}

extension ConfigurationError {
  static func sharpness(besides objective: String) -> ConfigurationError {
    .impossible(
      reason: "sharpness-every measures the data's loss alone, and \(objective) trains by another:"
        + " leave one of them out")
  }
}

extension AdapterMethod {
  /// Whether weight decay shrinks what it trains: neither singular values nor a prefix's positions.
  package var isDecayed: Bool { self != .svfit && self != .prefix }

  /// The peak learning rate that suits it at these sizes: `studies/finetuning.md` has what others come to.
  fileprivate var usualLearningRate: Double {
    switch self {
    case .lora, .bottleneck: 1e-2
    case .ladder, .rank1: 3e-2
    case .svfit: 1e-1
    // What a prefix adds is a sum over few positions, far from the outputs.
    case .prefix: 1
    }
  }
}
