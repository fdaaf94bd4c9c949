package import Models
package import Telemetry

/// The settings of a run that a person may change while it goes on.
package struct LiveSettings: Sendable, Equatable, Codable {
  package var learningRateMultiplier: Double
  package var batch = BatchSize(0)
  /// Nil in a checkpoint from before it could be changed.
  package var evalEvery: Int?
  package var zLoss: Double
  package var gradClip: Double
  package var weightDecay: Double
  package var balanceLoss: Double
  package var routerZLoss = 0.0
  package var biasBalance = 0.0
  package var capacity = 0.0
  /// Nil in a checkpoint from before it could be changed.
  package var consistency: Double?
  package var logitSoftCap: Double
  package var outputSoftCap: Double
  /// The threshold of QK-clip; 0 for none.
  package var qkClip = 0.0
  package var qkLayerNorm: QKLayerNormBlend
  package var clipping = GradientClipping.Kind.global
  package var updateClip = 0.0
  package var adamEpsilon = 1e-8
  package var adamBeta2 = SecondMomentDecay(0.95)
  package var warmupAgain = LearningRateRamp()
  package var decayNow = LearningRateRamp()
  /// Blocks from the embedding on that stay as they are.
  package var frozenBlocks = 0

  package init(_ configuration: TrainingConfiguration) {
    batch = BatchSize(configuration.batch)
    evalEvery = configuration.evalEvery
    learningRateMultiplier = configuration.learningRateMultiplier
    zLoss = configuration.zLoss
    gradClip = configuration.gradClip
    weightDecay = configuration.weightDecay
    balanceLoss = configuration.balanceLoss
    routerZLoss = configuration.routerZLoss
    biasBalance = configuration.biasBalance
    capacity = configuration.capacity
    consistency = configuration.model.passes == 2 ? configuration.consistency : 0
    logitSoftCap = configuration.logitSoftCap
    outputSoftCap = configuration.outputSoftCap
    qkClip = configuration.qkClip
    qkLayerNorm = QKLayerNormBlend(
      isOn: configuration.qkLayerNorm, blendSteps: configuration.blendSteps)
    clipping = configuration.clipping
    updateClip = configuration.updateClip
    adamEpsilon = configuration.adamEpsilon
    adamBeta2 = SecondMomentDecay(configuration.adamBeta2)
    frozenBlocks = configuration.frozenBlocks
  }

  /// The present value of the setting called `name`.
  package subscript(name: String) -> SettingValue? {
    switch name {
    case SettingCatalog.learningRateMultiplier: .number(learningRateMultiplier)
    case SettingCatalog.batch: .number(Double(batch.value))
    case SettingCatalog.evalEvery: .number(Double(evalEvery ?? 0))
    case SettingCatalog.warmupAgain: .number(Double(warmupAgain.steps))
    case SettingCatalog.decayNow: .number(Double(decayNow.steps))
    case SettingCatalog.zLoss: .number(zLoss)
    case SettingCatalog.gradClip: .number(gradClip)
    case SettingCatalog.zClip: .flag(clipping == .zclip)
    case SettingCatalog.adaGC: .flag(clipping == .adagc)
    case SettingCatalog.updateClip: .number(updateClip)
    case SettingCatalog.adamEpsilon: .number(adamEpsilon)
    case SettingCatalog.adamBeta2: .number(adamBeta2.value)
    case SettingCatalog.weightDecay: .number(weightDecay)
    case SettingCatalog.freeze: .number(Double(frozenBlocks))
    case SettingCatalog.balanceLoss: .number(balanceLoss)
    case SettingCatalog.routerZLoss: .number(routerZLoss)
    case SettingCatalog.biasBalance: .number(biasBalance)
    case SettingCatalog.capacity: .number(capacity)
    case SettingCatalog.consistency: .number(consistency ?? 0)
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
    case SettingCatalog.batch: batch.set(value.whole, at: step)
    case SettingCatalog.evalEvery: evalEvery = value.whole
    case SettingCatalog.warmupAgain: warmupAgain.set(value.whole, at: step)
    case SettingCatalog.decayNow: decayNow.set(value.whole, at: step)
    case SettingCatalog.zLoss: zLoss = value.number
    case SettingCatalog.gradClip: gradClip = value.number
    case SettingCatalog.zClip: clipping = value.isOn ? .zclip : .global
    case SettingCatalog.adaGC: clipping = value.isOn ? .adagc : .global
    case SettingCatalog.updateClip: updateClip = value.number
    case SettingCatalog.adamEpsilon: adamEpsilon = value.number
    case SettingCatalog.adamBeta2: adamBeta2.set(value.number, at: step)
    case SettingCatalog.weightDecay: weightDecay = value.number
    case SettingCatalog.freeze: frozenBlocks = value.whole
    case SettingCatalog.balanceLoss: balanceLoss = value.number
    case SettingCatalog.routerZLoss: routerZLoss = value.number
    case SettingCatalog.biasBalance: biasBalance = value.number
    case SettingCatalog.capacity: capacity = value.number
    case SettingCatalog.consistency: consistency = value.number
    case SettingCatalog.logitSoftCap: logitSoftCap = value.number
    case SettingCatalog.outputSoftCap: outputSoftCap = value.number
    case SettingCatalog.qkClip: qkClip = value.number
    case SettingCatalog.qkLayerNorm: qkLayerNorm.set(value.isOn, at: step)
    default: preconditionFailure("no live setting is called \(name)")
    }
  }

  /// Forgets a warm-up that is over, so that the same one can be asked for again.
  package mutating func forgetWhatIsOver(at step: Int) {
    if warmupAgain.steps > 0, warmupAgain.isOver(at: step) { warmupAgain.set(0, at: step) }
  }

  /// What may be changed in this run, with the present values.
  package func declarations(
    router: ExpertRouter?, optimizer: OptimizerKind = .adamW, isSigmaReparametrised: Bool = false
  ) -> [SettingDeclaration] {
    SettingCatalog.entries.compactMap { entry in
      guard let value = self[entry.name] else { return nil }
      let isWithoutEffect = isSigmaReparametrised && entry.name == SettingCatalog.qkClip
      return SettingDeclaration(
        name: entry.name, kind: entry.kind, value: value, purpose: entry.purpose,
        refusal: isWithoutEffect
          ? "sigma-reparametrisation ignores the weights' scale, which is all it changes"
          : refusal(of: entry.name, router: router, optimizer: optimizer))
    }
  }

  /// Why the setting cannot be changed now, and what to do.
  private func refusal(
    of name: String, router: ExpertRouter?, optimizer: OptimizerKind
  ) -> String? {
    if router == nil, SettingCatalog.isForExperts(name) { return "this model has no experts" }
    let kind = router?.conformer
    return switch name {
    case SettingCatalog.routerZLoss where kind?.hasScores == true && kind?.hasSoftmax == false:
      "the \(kind?.name ?? "") router has no softmax to hold"
    case SettingCatalog.balanceLoss, SettingCatalog.routerZLoss, SettingCatalog.biasBalance:
      kind?.hasScores == false ? "this router has no scores to balance" : nil
    case SettingCatalog.capacity:
      kind?.hasCapacity == false ? "\(kind?.name ?? "") sends a whole batch to one expert" : nil
    case SettingCatalog.consistency:
      kind?.passes == 2
        ? nil
        : "only the router \(ExpertRouter.names { $0.passes == 2 }) has two passes to hold together"
    case SettingCatalog.qkClip where qkLayerNorm.isOn:
      "qk-layernorm ignores the weights' scale: switch it off first"
    case SettingCatalog.qkLayerNorm where qkClip > 0:
      "qk_clip has no effect under it: set qk_clip 0 first"
    case SettingCatalog.updateClip, SettingCatalog.adamEpsilon, SettingCatalog.adamBeta2:
      optimizer.hasSecondMoments ? nil : "\(optimizer.rawValue) keeps no second moments"
    case SettingCatalog.zClip:
      clipping == .adagc ? "adagc clips already: switch it off first" : nil
    case SettingCatalog.adaGC:
      clipping == .zclip ? "zclip clips already: switch it off first" : nil
    default: nil
    }
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
  var slices: Int { TransformerEngine.slices(ofBatch: batch.first) }

  /// Takes from the run's options what a checkpoint is too old to have.
  mutating func complete(from options: [String: String], _ configuration: TrainingConfiguration) {
    if batch.first == 0 {
      batch = BatchSize(options["batch"].flatMap(Int.init) ?? configuration.batch)
    }
    evalEvery = evalEvery ?? options["eval-every"].flatMap(Int.init) ?? configuration.evalEvery
    consistency =
      consistency ?? options["moe-consistency"].flatMap(Double.init) ?? configuration.consistency
  }

  package var values: [String: SettingValue] {
    var values: [String: SettingValue] = [:]
    for entry in SettingCatalog.entries { values[entry.name] = self[entry.name] }
    return values
  }
}

extension LiveSettings {
  /// A checkpoint may be older than some of the settings: those are then as if never touched.
  package init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    learningRateMultiplier = try values.decode(Double.self, forKey: .learningRateMultiplier)
    zLoss = try values.decode(Double.self, forKey: .zLoss)
    gradClip = try values.decode(Double.self, forKey: .gradClip)
    weightDecay = try values.decode(Double.self, forKey: .weightDecay)
    balanceLoss = try values.decode(Double.self, forKey: .balanceLoss)
    logitSoftCap = try values.decodeIfPresent(Double.self, forKey: .logitSoftCap) ?? 0
    outputSoftCap = try values.decodeIfPresent(Double.self, forKey: .outputSoftCap) ?? 0
    qkLayerNorm = try values.decode(QKLayerNormBlend.self, forKey: .qkLayerNorm)
    try values.read(.batch, into: &batch)
    evalEvery = try values.decodeIfPresent(Int.self, forKey: .evalEvery)
    consistency = try values.decodeIfPresent(Double.self, forKey: .consistency)
    try values.read(.routerZLoss, into: &routerZLoss)
    try values.read(.biasBalance, into: &biasBalance)
    try values.read(.capacity, into: &capacity)
    try values.read(.qkClip, into: &qkClip)
    try values.read(.clipping, into: &clipping)
    try values.read(.updateClip, into: &updateClip)
    try values.read(.adamEpsilon, into: &adamEpsilon)
    try values.read(.adamBeta2, into: &adamBeta2)
    try values.read(.warmupAgain, into: &warmupAgain)
    try values.read(.decayNow, into: &decayNow)
    try values.read(.frozenBlocks, into: &frozenBlocks)
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
