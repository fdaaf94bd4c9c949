import Models
package import Telemetry

/// The settings of a run that a person may change while it goes on.
///
/// Most are a value and no more: those are kept by name, as ``SettingCatalog`` lists them. What has
/// a state of its own, such as a blend that is under way, is a property here.
package struct LiveSettings: Sendable, Equatable {
  /// A checkpoint from before a setting existed has none of it.
  private var plain: [String: SettingValue]
  package var batch = BatchSize(0)
  package var qkLayerNorm: QKLayerNormBlend
  package var clipping = GradientClipping.Kind.global
  package var adamBeta2 = SecondMomentDecay(0.95)
  package var warmupAgain = LearningRateRamp()
  package var decayNow = LearningRateRamp()

  package init(_ configuration: TrainingConfiguration) {
    plain = configuration.starts.filter { Self.isPlain($0.key) }
    if configuration.model.passes == 1 { plain[SettingCatalog.consistency] = .number(0) }
    batch = BatchSize(configuration.batch, slices: configuration.slices)
    qkLayerNorm = QKLayerNormBlend(
      isOn: configuration.qkLayerNorm, blendSteps: configuration.blendSteps)
    clipping = configuration.clipping
    adamBeta2 = SecondMomentDecay(configuration.adamBeta2)
  }

  /// The number that the setting called `name` is at.
  package func number(_ name: String) -> Double { self[name]?.number ?? .nan }

  /// The count that the setting called `name` is at.
  package func whole(_ name: String) -> Int { self[name]?.whole ?? 0 }

  /// The present value of the setting called `name`.
  package subscript(name: String) -> SettingValue? {
    switch name {
    case SettingCatalog.batch: .number(Double(batch.value))
    case SettingCatalog.warmupAgain: .number(Double(warmupAgain.steps))
    case SettingCatalog.decayNow: .number(Double(decayNow.steps))
    case SettingCatalog.zClip: .flag(clipping == .zclip)
    case SettingCatalog.adaGC: .flag(clipping == .adagc)
    case SettingCatalog.adamBeta2: .number(adamBeta2.value)
    case SettingCatalog.qkLayerNorm: .flag(qkLayerNorm.isOn)
    default: plain[name] ?? SettingCatalog.entry(name)?.start
    }
  }

  package mutating func set(_ name: String, to value: SettingValue, at step: Int) {
    switch name {
    case SettingCatalog.batch: batch.set(value.whole, at: step)
    case SettingCatalog.warmupAgain: warmupAgain.set(value.whole, at: step)
    case SettingCatalog.decayNow: decayNow.set(value.whole, at: step)
    case SettingCatalog.zClip: clipping = value.isOn ? .zclip : .global
    case SettingCatalog.adaGC: clipping = value.isOn ? .adagc : .global
    case SettingCatalog.adamBeta2: adamBeta2.set(value.number, at: step)
    case SettingCatalog.qkLayerNorm: qkLayerNorm.set(value.isOn, at: step)
    default: plain[name] = value
    }
  }

  /// Whether the setting called `name` is its value and no more.
  private static func isPlain(_ name: String) -> Bool { !stateful.contains(name) }

  private static let stateful: Set = [
    SettingCatalog.batch, SettingCatalog.warmupAgain, SettingCatalog.decayNow,
    SettingCatalog.zClip, SettingCatalog.adaGC, SettingCatalog.adamBeta2,
    SettingCatalog.qkLayerNorm,
  ]

  /// Forgets a warm-up that is over, so that the same one can be asked for again.
  package mutating func forgetWhatIsOver(at step: Int) {
    if warmupAgain.steps > 0, warmupAgain.isOver(at: step) { warmupAgain.set(0, at: step) }
  }

  /// What may be changed in this run, with the present values.
  package func declarations(in run: SettingConditions) -> [SettingDeclaration] {
    SettingCatalog.entries.compactMap { entry in
      guard let value = self[entry.name] else { return nil }
      return SettingDeclaration(
        name: entry.name, kind: entry.kind, value: value, purpose: entry.purpose,
        refusal: run.lack(for: entry) ?? exclusion(of: entry))
    }
  }

  /// Why the setting cannot be changed while another one is on, and what to do.
  private func exclusion(of entry: SettingCatalog.Entry) -> String? {
    guard let exclusion = entry.exclusion, self[exclusion.other]?.isOn == true else { return nil }
    return exclusion.reason
  }

  /// Why this value cannot be taken although the setting can be changed, and what to do.
  func refusal(of name: String, value: SettingValue, largestBatch: Int) -> String? {
    guard name == SettingCatalog.batch else { return nil }
    guard value.whole % slices == 0 else {
      return "a step's windows are cut in \(slices) equal slices: give a multiple of \(slices)"
    }
    guard value.whole <= largestBatch else {
      return "more than \(largestBatch) windows do not fit this machine's memory: give fewer"
    }
    return nil
  }

  /// The slices that a batch is cut in, whatever its size becomes.
  var slices: Int { batch.slices }

  /// Takes from the run's options what a checkpoint is too old to have.
  mutating func complete(from options: [String: String], _ configuration: TrainingConfiguration) {
    if batch.first == 0 {
      batch = BatchSize(options["batch"].flatMap(Int.init) ?? configuration.batch)
    }
    batch.chosenSlices = configuration.slices
    for entry in SettingCatalog.entries where Self.isPlain(entry.name) && plain[entry.name] == nil {
      plain[entry.name] = options[entry.option].flatMap { entry.value(words: $0) } ?? entry.start
    }
  }

  package var values: [String: SettingValue] {
    var values: [String: SettingValue] = [:]
    for entry in SettingCatalog.entries { values[entry.name] = self[entry.name] }
    return values
  }
}

extension LiveSettings: Codable {
  /// The keys of what has a state of its own; a plain setting's stands in its declaration.
  private enum Stateful {
    static let batch = Key("batch")
    static let qkLayerNorm = Key("qkLayerNorm")
    static let clipping = Key("clipping")
    static let adamBeta2 = Key("adamBeta2")
    static let warmupAgain = Key("warmupAgain")
    static let decayNow = Key("decayNow")
  }

  private struct Key: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }

    init(_ name: String) { stringValue = name }
    init(_ entry: SettingCatalog.Entry) { stringValue = entry.checkpointKey ?? entry.name }
    init?(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  /// A checkpoint may be older than some of the settings: those wait for
  /// ``complete(from:_:)``.
  package init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: Key.self)
    plain = [:]
    for entry in SettingCatalog.entries where Self.isPlain(entry.name) {
      plain[entry.name] = try values.decodeIfPresent(SettingValue.self, forKey: Key(entry))
    }
    qkLayerNorm = try values.decode(QKLayerNormBlend.self, forKey: Stateful.qkLayerNorm)
    try values.read(Stateful.batch, into: &batch)
    try values.read(Stateful.clipping, into: &clipping)
    try values.read(Stateful.adamBeta2, into: &adamBeta2)
    try values.read(Stateful.warmupAgain, into: &warmupAgain)
    try values.read(Stateful.decayNow, into: &decayNow)
  }

  package func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: Key.self)
    for entry in SettingCatalog.entries where Self.isPlain(entry.name) {
      try values.encodeIfPresent(plain[entry.name], forKey: Key(entry))
    }
    try values.encode(qkLayerNorm, forKey: Stateful.qkLayerNorm)
    try values.encode(batch, forKey: Stateful.batch)
    try values.encode(clipping, forKey: Stateful.clipping)
    try values.encode(adamBeta2, forKey: Stateful.adamBeta2)
    try values.encode(warmupAgain, forKey: Stateful.warmupAgain)
    try values.encode(decayNow, forKey: Stateful.decayNow)
  }
}

extension KeyedDecodingContainer {
  /// Leaves `value` as it is where nothing is stored under `key`.
  fileprivate func read<Value: Decodable>(_ key: Key, into value: inout Value) throws {
    value = try decodeIfPresent(Value.self, forKey: key) ?? value
  }
}

extension SettingValue {
  fileprivate var whole: Int { Int(number.rounded()) }
}
