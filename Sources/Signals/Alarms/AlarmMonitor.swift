package import Telemetry

/// Watches a run's samples and says when a rule raises, and when it is quiet again.
///
/// Each alarm comes once, stays until its trouble has been over for a while, and cannot come again
/// at once. The monitor depends on nothing but what it is fed, and all its memory is in its coded
/// form, so that a run resumed from a checkpoint alarms as one that was never stopped.
/// - Cost: some thousand operations a step; attention logits are forecast every ten steps.
package struct AlarmMonitor: Sendable, Codable {
  private var latches: [String: AlarmLatch] = [:]
  private var lastStep: Int?
  private var lossSpike = LossSpikeRule()
  private var attentionLogits = AttentionLogitRule()
  private var logZ = LogZRule()
  private var heldOutLoss = HeldOutLossRule()
  private var lossLevels = LossLevels()
  private var progress = ProgressRule()
  private var trouble = Trouble()
  private var ownRules = MetricRuleWatch()
  /// A run measures more on some steps than on others; a few lists of names are all there are.
  private var layouts: [SampleLayout] = []

  private static let layoutLimit = 8

  private enum CodingKeys: String, CodingKey {
    case latches, lastStep, lossSpike, attentionLogits, logZ, heldOutLoss
    case lossLevels, progress, trouble, ownRules
  }

  package init() {}

  package init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    latches = try container.decode([String: AlarmLatch].self, forKey: .latches)
    lastStep = try container.decodeIfPresent(Int.self, forKey: .lastStep)
    lossSpike = try container.decode(LossSpikeRule.self, forKey: .lossSpike)
    attentionLogits = try container.decode(AttentionLogitRule.self, forKey: .attentionLogits)
    logZ = try container.decode(LogZRule.self, forKey: .logZ)
    heldOutLoss = try container.decode(HeldOutLossRule.self, forKey: .heldOutLoss)
    // Checkpoints from before there were these rules have none of them.
    lossLevels = try container.decodeIfPresent(LossLevels.self, forKey: .lossLevels) ?? lossLevels
    progress = try container.decodeIfPresent(ProgressRule.self, forKey: .progress) ?? progress
    trouble = try container.decodeIfPresent(Trouble.self, forKey: .trouble) ?? trouble
    ownRules = try container.decodeIfPresent(MetricRuleWatch.self, forKey: .ownRules) ?? ownRules
  }

  /// The step at which the present trouble began; nil where no alarm is raised.
  package var troubleSince: Int? { trouble.since }

  /// The rules that are raised now.
  package var raised: Set<AlarmRule> {
    Set(latches.filter(\.value.isRaised).compactMap { Self.rule(key: $0.key) })
  }

  /// The median of the last losses; nil before there are some.
  package var lossLevel: Double? { lossLevels.lastBlock }

  /// Takes one step in.
  /// - Parameters:
  ///   - samples: all that the step measured.
  ///   - settings: the settings in force, by name; they choose the hints.
  ///   - remainingSteps: those the run still has after this one, where known.
  ///   - watchesExperts: whether a router is to blame for the experts' load.
  ///   - thresholds: what raises each rule, and which are off.
  /// - Returns: the alarms that this step raised or ended, as events of it.
  package mutating func observe(
    _ samples: StepSamples, settings: [String: SettingValue] = [:], remainingSteps: Int? = nil,
    watchesExperts: Bool = true, thresholds: AlarmThresholds = AlarmThresholds()
  ) -> [RunEvent] {
    // A step that goes backwards begins another stretch of the run: windows would mix the two.
    if let lastStep, samples.step < lastStep { forget() }
    lastStep = samples.step
    let context = AlarmContext(
      samples: samples, layout: layout(samples.names), settings: settings,
      remainingSteps: remainingSteps, thresholds: thresholds)
    let findings =
      NotFiniteRule().findings(context) + attentionLogits.findings(context)
      + lossFindings(context) + logZ.findings(context)
      + GradientEpsilonRule().findings(context)
      + (watchesExperts ? ExpertRule().findings(context) : [])
      + FunctionRule().findings(context) + heldOutLoss.findings(context)
    let events = findings.filter { thresholds.isOn($0.rule) }.compactMap { latch($0, samples) }
    for event in events { trouble.note(event) }
    return events + ownRules.take(samples, thresholds.rules)
  }

  private mutating func lossFindings(_ context: AlarmContext) -> [AlarmFinding] {
    guard let value = context.value(context.layout.loss), value.isFinite else { return [] }
    lossLevels.add(value, step: context.step)
    return lossSpike.findings(context, levels: lossLevels)
      + LossLevelRule(levels: lossLevels).findings(context)
      + progress.findings(context, levels: lossLevels)
  }

  private mutating func latch(_ finding: AlarmFinding, _ samples: StepSamples) -> RunEvent? {
    let key = finding.rule.name + ":" + finding.subject
    var latch = latches[key] ?? AlarmLatch()
    let isHeld = finding.reading == .quiet && isRaised(anyOf: finding.rule.endsAfter)
    let reading = isHeld || isCovered(finding.rule) ? .between : finding.reading
    let change = latch.read(reading, step: samples.step, patience: finding.rule.patience)
    latches[key] = latch
    switch change {
    case .raised:
      var text = finding.alarm()
      if finding.rule.isAcute {
        let since = [finding.onset, latch.troubleSince].compactMap { $0 }.min()
        text.values[Trouble.sinceName] = Double(since ?? samples.step)
      }
      return Self.event(finding, samples, kind: .alarm, text: text)
    case .calmed:
      return Self.event(
        finding, samples, kind: .calm, text: AlarmText(sentence: finding.calm()))
    case nil: return nil
    }
  }

  /// What is said already, and more, is no news.
  private func isCovered(_ rule: AlarmRule) -> Bool {
    !rule.coveredBy.isEmpty && !isRaised(anyOf: [rule]) && isRaised(anyOf: rule.coveredBy)
  }

  private func isRaised(anyOf rules: [AlarmRule]) -> Bool {
    rules.contains { latches[$0.name + ":"]?.isRaised == true }
  }

  private static func event(
    _ finding: AlarmFinding, _ samples: StepSamples, kind: RunEvent.Kind, text: AlarmText
  ) -> RunEvent {
    RunEvent(
      step: samples.step, wallTime: samples.wallTime, kind: kind, by: "alarm",
      name: finding.rule.name, text: text.sentence, hint: text.hint?.text, values: text.values)
  }

  private static func rule(key: String) -> AlarmRule? {
    key.split(separator: ":").first.flatMap { AlarmRule(rawValue: String($0)) }
  }

  private mutating func layout(_ names: [MetricName]) -> SampleLayout {
    if let known = layouts.first(where: { $0.names == names }) { return known }
    let layout = SampleLayout(names: names)
    if layouts.count == Self.layoutLimit { layouts.removeFirst() }
    layouts.append(layout)
    return layout
  }

  private mutating func forget() {
    let (layouts, ownRules) = (layouts, ownRules)
    self = AlarmMonitor()
    (self.layouts, self.ownRules) = (layouts, ownRules)
  }
}
