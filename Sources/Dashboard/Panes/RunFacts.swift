import Signals
import Telemetry

/// What is known of a run, in groups, each value once.
struct RunFacts: Sendable {
  enum Standing: Sendable, Equatable {
    /// Changed by a command while the run went on.
    case changed
    /// Unlike the preset's, or nothing that a preset has.
    case own
    /// As the preset has it.
    case usual
  }

  struct Fact: Sendable, Equatable {
    var name: String
    var value: String
    var standing = Standing.own
  }

  struct Group: Sendable, Equatable {
    var title: String
    var facts: [Fact]
  }

  private(set) var groups: [Group] = []
  private let context: PaneContext
  private let options: [String: String]

  init(_ context: PaneContext) {
    self.context = context
    options = context.description?.options ?? [:]
    let changed = changed
    let settings = settings.filter { setting in !changed.contains { $0.name == setting.key } }
    let all = settings.merging(unsettable) { own, _ in own }
    let listed = Set(Self.topics.flatMap(\.names))
    func facts(_ names: [String]) -> [Fact] { names.compactMap { all[$0] } }
    let rest = all.filter { !listed.contains($0.key) }.sorted { $0.key < $1.key }.map(\.value)
    groups = [Group(title: "changed", facts: changed)]
    groups += Self.topics.map { topic in
      Group(title: topic.title, facts: facts(topic.names) + measured(topic.title))
    }
    groups.append(Group(title: "more", facts: rest))
    groups.append(Group(title: "machine", facts: machine))
    groups.removeAll(where: \.facts.isEmpty)
  }
}

extension RunFacts {
  /// How many options the preset has otherwise.
  var unlikePreset: Int {
    groups.flatMap(\.facts).count { fact in
      let option = SettingCatalog.entry(fact.name)?.option ?? fact.name
      return fact.standing != .usual && context.defaults[option] != nil
    }
  }

  private struct Topic {
    var title: String
    /// Of options, and of settings where there is one.
    var names: [String]
  }

  private static let topics = [
    Topic(
      title: "model",
      names: [
        "preset", "architecture", "width", "layers", "heads", "kv-heads", "ffn-width", "context",
        "vocabulary", "tie-embeddings", "rope-theta", "norm-eps", "mixer", "ssm-layers", "experts",
        "expert-width",
        "expert-active", "expert-every", "shared-expert-width", "router", "router-width",
        "feed-forward",
        "mu-param", "sigma-reparam",
      ]),
    Topic(
      title: "data", names: ["data", "order", "eval-fraction", "seed", SettingCatalog.batch]),
    Topic(
      title: "fine-tuning",
      names: [
        "base", "method", "adapter", "rank", "alpha", "anchor", "anchor-data", "reward",
        "reward-divergence", "reward-clip", "reward-end", "prompt-bytes", "light", "light-trunk",
        "light-modules", "light-ranks",
      ]),
    Topic(title: "teacher", names: ["distil", "distil-weight", "distil-temperature"]),
    Topic(
      title: "optimiser",
      names: [
        "optimizer", "mezo-eps", "mezo-sparsity", "mezo-mask", "subspace", "steps", "lr",
        SettingCatalog.learningRateMultiplier, "min-lr", "warmup",
        "schedule", "decay-steps", SettingCatalog.weightDecay, "decay", SettingCatalog.adamBeta2,
        SettingCatalog.adamEpsilon, "clip", SettingCatalog.gradClip, SettingCatalog.zClip,
        SettingCatalog.adaGC, SettingCatalog.updateClip, SettingCatalog.updateCap,
        SettingCatalog.warmupAgain, SettingCatalog.decayNow, SettingCatalog.freeze,
      ]),
    Topic(
      title: "mitigations",
      names: [
        SettingCatalog.qkLayerNorm, "blend-steps", SettingCatalog.logitSoftCap,
        SettingCatalog.qkClip, SettingCatalog.zLoss, SettingCatalog.outputSoftCap,
        SettingCatalog.balanceLoss, SettingCatalog.routerZLoss, SettingCatalog.biasBalance,
        SettingCatalog.capacity, SettingCatalog.consistency,
      ]),
    Topic(
      title: "measuring",
      names: [
        SettingCatalog.evalEvery, "eval-windows", "sharpness-every", "inspect-every",
        "per-head-logits", "checkpoint-every",
      ]),
  ]

  /// The values in force, by the settings' names.
  private var settings: [String: Fact] {
    var found: [String: Fact] = [:]
    for setting in context.history.settings {
      let value = context.setting(setting.name) ?? setting.value
      let option = SettingCatalog.entry(setting.name)?.option ?? setting.name
      let usual = context.defaults[option].flatMap { SettingValue(words: $0) }
      // What no option sets is off unless it was switched on.
      let isUsual = usual.map { $0 == value } ?? (options[option] == nil && !value.isOn)
      let standing: Standing = isUsual || setting.refusal != nil ? .usual : .own
      found[setting.name] = Fact(name: setting.name, value: "\(value)", standing: standing)
    }
    return found
  }

  /// The options that no setting stands for.
  private var unsettable: [String: Fact] {
    let settable = Set(
      context.history.settings.map { SettingCatalog.entry($0.name)?.option ?? $0.name })
    var found: [String: Fact] = [:]
    for (name, value) in options where !settable.contains(name) {
      let setting = SettingCatalog.entries.first { $0.option == name }?.name ?? name
      let isUsual = context.defaults[name].map { Self.isSame($0, value) } ?? false
      found[setting] = Fact(
        name: setting, value: Self.plain(value), standing: isUsual ? .usual : .own)
    }
    // What no option names is the built-in language, as the presets have it.
    if options["data"] == nil, let source = context.description?.environment[.data] {
      found["data"] = Fact(
        name: "data", value: source, standing: context.defaults.isEmpty ? .own : .usual)
    }
    return found
  }

  /// What commands changed, from what to what and when, in the order of the last changes.
  private var changed: [Fact] {
    let changes = context.events.filter { $0.kind == .set }
    let names = changes.compactMap(\.name)
    let last = Dictionary(names.enumerated().map { ($1, $0) }, uniquingKeysWith: max)
    return last.sorted { $0.value < $1.value }.compactMap { name, _ in
      let own = changes.filter { $0.name == name }
      guard let first = own.first, let latest = own.last,
        let value = context.setting(name) ?? latest.after
      else { return nil }
      let before = first.before.map { "\($0) → " } ?? ""
      let step = "at step \(NumberText.grouped(latest.step))"
      return Fact(name: name, value: "\(before)\(value) \(step)", standing: .changed)
    }
  }

  private func measured(_ topic: String) -> [Fact] {
    guard let description = context.description else { return [] }
    switch topic {
    case "model": return description.model.map(shape) ?? []
    case "data": return data(description)
    default: return []
    }
  }

  /// What no option says: an imported run has none.
  private func shape(_ model: RunDescription.Model) -> [Fact] {
    let known: [(String, String?)] = [
      ("preset", model.preset), ("width", "\(model.width)"), ("layers", "\(model.layers)"),
      ("heads", "\(model.heads)"), ("context", "\(model.context)"),
      ("experts", model.experts > 0 ? "\(model.experts)" : nil),
    ]
    let missing = known.compactMap { name, value in
      options[name] == nil ? value.map { Fact(name: name, value: $0) } : nil
    }
    return missing + [Fact(name: "parameters", value: NumberText.grouped(model.parameters))]
  }

  private func data(_ description: RunDescription) -> [Fact] {
    var facts: [Fact] = []
    if let model = description.model {
      let batch = context.setting(SettingCatalog.batch)?.number ?? 0
      let windows = batch >= 1 && batch < 1e9 ? Int(batch) : model.batch
      let tokens = NumberText.grouped(windows * model.context)
      facts.append(
        Fact(name: "a step", value: "\(windows) × \(model.context) = \(tokens) tokens"))
    }
    if let entropy = description.entropyPerByte {
      facts.append(Fact(name: "entropy", value: "\(NumberText.compact(entropy)) nats/byte"))
    }
    if let loss = description.initialLoss {
      facts.append(Fact(name: "initial loss", value: "\(NumberText.compact(loss)) nats/token"))
    }
    return facts
  }

  private var machine: [Fact] {
    (context.description?.environment ?? [:]).sorted { $0.key < $1.key }
      .filter { $0.key != "data" }
      .map {
        Fact(name: $0.key.replacing("_", with: " "), value: $0.value, standing: .usual)
      }
  }

  /// Numbers are the same whatever their digits.
  private static func isSame(_ one: String, _ other: String) -> Bool {
    one == other || (Double(one).map { $0 == Double(other) } ?? false)
  }

  /// A number as settings write theirs.
  private static func plain(_ value: String) -> String {
    guard Int(value) == nil, let number = Double(value), number.isFinite else { return value }
    return "\(SettingValue.number(number))"
  }
}
