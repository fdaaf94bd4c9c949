import Telemetry

/// Attention logits that are high, and those that will be too high.
struct AttentionLogitRule: Sendable, Equatable, Codable {
  /// Logits below this share of the level are a healthy start's growth, whatever its pace.
  private static let leastForForecast = 0.01
  private static let stepsBetweenForecasts = 10
  /// Steps after which a qk-layernorm that was switched on should long have helped.
  private static let stepsToHelp = 200
  /// The factor in 100 steps above which logits grow.
  private static let growth = 1.1

  private struct Layer: Sendable, Equatable, Codable {
    var steps: [Int] = []
    var values: [Double] = []

    mutating func append(step: Int, value: Double) {
      steps.append(step)
      values.append(value)
      let stale = steps.firstIndex { $0 > step - LogitGrowth.window } ?? 0
      guard stale > LogitGrowth.window / 4 else { return }
      steps.removeFirst(stale)
      values.removeFirst(stale)
    }

    /// The median of the last 20 steps, and that of 20 steps 100 steps ago.
    func growth(at step: Int) -> (now: Double, before: Double)? {
      func median(_ range: Range<Int>) -> Double? {
        let inside = zip(steps, values).filter { range.contains($0.0) }.map(\.1)
        return inside.isEmpty ? nil : inside.median
      }
      guard let now = median(step - 19..<step + 1), let before = median(step - 119..<step - 99)
      else { return nil }
      return (now, before)
    }
  }

  private struct Forecast: Sendable, Equatable, Codable {
    var layer: Int
    var madeAt: Int
    var doublingSteps: Double
    var stepsUntilLevel: Double
  }

  /// A rate that rises for longer than this within the window is a warm-up, whose growth says
  /// nothing of what comes after; a person's change of the rate is a single rise.
  private static let longestRise = 10

  private var layers: [Int: Layer] = [:]
  private var learningRate: Double?
  private var rises: [Int] = []
  private var forecast: Forecast?
  private var nextForecast = Int.min
  private var normalizedSince: Int?
  /// Whether some layer's logits, large enough for a forecast, grew in the last 100 steps.
  private var isGrowing: Bool?

  mutating func findings(_ context: AlarmContext) -> [AlarmFinding] {
    let present = context.layout.attentionLogits.map {
      (layer: $0.layer, value: context.samples.values[$0.index])
    }.filter(\.value.isFinite)
    guard let worst = present.max(by: { $0.value < $1.value }) else { return [] }
    for (layer, value) in present {
      layers[layer, default: Layer()].append(step: context.step, value: value)
    }
    noteNormalization(context)
    noteLearningRate(context)
    if context.step >= nextForecast {
      nextForecast = context.step + Self.stepsBetweenForecasts
      makeForecast(context)
    }
    return [diverging(worst, context), high(worst, context)]
  }

  /// Whether qk-layernorm is on and has not had its time yet.
  private func isBeingHelped(_ context: AlarmContext) -> Bool {
    normalizedSince.map { context.step - $0 < Self.stepsToHelp } ?? false
  }

  private mutating func noteNormalization(_ context: AlarmContext) {
    let isOn = context.isOn(SettingCatalog.qkLayerNorm)
    normalizedSince = isOn ? (normalizedSince ?? context.step) : nil
  }

  private mutating func noteLearningRate(_ context: AlarmContext) {
    guard let rate = context.value(context.layout.learningRate), rate.isFinite else { return }
    if let learningRate, rate > learningRate { rises.append(context.step) }
    learningRate = rate
    rises.removeAll { $0 <= context.step - LogitGrowth.window }
  }

  private mutating func makeForecast(_ context: AlarmContext) {
    forecast = nil
    let level = context.level(.attentionLogitsDiverging)
    isGrowing = layers.values.contains { layer in
      layer.growth(at: context.step).map {
        $0.now >= Self.leastForForecast * level && $0.now > Self.growth * $0.before
      } ?? false
    }
    guard normalizedSince == nil, rises.count <= Self.longestRise else { return }
    for (layer, window) in layers.sorted(by: { $0.key < $1.key }) {
      let start = window.steps.firstIndex { $0 > context.step - LogitGrowth.window } ?? 0
      guard
        let growth = LogitGrowth(
          steps: window.steps[start...], values: window.values[start...], level: level,
          remainingSteps: context.remainingSteps),
        growth.present >= Self.leastForForecast * level,
        growth.stepsUntilLevel < forecast?.stepsUntilLevel ?? .infinity
      else { continue }
      forecast = Forecast(
        layer: layer, madeAt: context.step, doublingSteps: growth.doublingSteps,
        stepsUntilLevel: growth.stepsUntilLevel)
    }
  }

  private func diverging(
    _ worst: (layer: Int, value: Double), _ context: AlarmContext
  ) -> AlarmFinding {
    let level = context.level(.attentionLogitsDiverging)
    let isAbove = worst.value > level
    let reading: AlarmLatch.Reading =
      if isAbove || forecast != nil {
        isBeingHelped(context) ? .between : .trouble
      } else {
        // A forecast that is not made any more says nothing while they grow on or are high.
        worst.value < min(level / 2, context.level(.attentionLogitsHigh)) && isGrowing != true
          ? .quiet : .between
      }
    return AlarmFinding(
      rule: .attentionLogitsDiverging, reading: reading,
      alarm: { [forecast] in
        Self.text(worst, forecast: isAbove ? nil : forecast, context)
      },
      calm: {
        "attention logits no longer on the way to \(Self.words(level: level)): "
          + "largest \(Self.word(worst.value))"
      })
  }

  private func high(_ worst: (layer: Int, value: Double), _ context: AlarmContext) -> AlarmFinding {
    let level = context.level(.attentionLogitsHigh)
    let isHigh = worst.value > level && !isBeingHelped(context)
    return AlarmFinding(
      rule: .attentionLogitsHigh,
      reading: isHigh ? .trouble : (worst.value < level / 2 ? .quiet : .between),
      alarm: {
        AlarmText(
          sentence: "attention logits above \(Self.words(level: level)) (L\(worst.layer), "
            + "\(Self.word(worst.value))): queries and keys grow, the loss begins to suffer",
          hint: Self.hint(context),
          values: [
            "attention_logit_max": worst.value, "layer": Double(worst.layer), "level": level,
          ])
      },
      calm: { "attention logits back at \(Self.word(worst.value))" })
  }

  private static func text(
    _ worst: (layer: Int, value: Double), forecast: Forecast?, _ context: AlarmContext
  ) -> AlarmText {
    let level = context.level(.attentionLogitsDiverging)
    guard let forecast else {
      return AlarmText(
        sentence: "attention logits above \(Self.words(level: level)) (L\(worst.layer), "
          + "\(word(worst.value))): runs this far up diverge", hint: hint(context),
        values: ["attention_logit_max": worst.value, "layer": Double(worst.layer), "level": level])
    }
    let steps = forecast.stepsUntilLevel - Double(context.step - forecast.madeAt)
    return AlarmText(
      sentence: "attention logits pass \(Self.words(level: level)) in "
        + "~\(roughly(max(0, steps))) steps (L\(forecast.layer), doubling every \(word(forecast.doublingSteps)))",
      hint: hint(context),
      values: [
        "attention_logit_max": worst.value, "layer": Double(forecast.layer), "level": level,
        "steps_until_level": max(0, steps), "doubling_steps": forecast.doublingSteps,
      ])
  }

  private static func hint(_ context: AlarmContext) -> AlarmHint {
    context.isOn(SettingCatalog.qkLayerNorm)
      ? .halveRate : .change("switch qk-layernorm on")
  }

  private static func words(level: Double) -> String { AlarmThreshold.words(level: level) }

  private static func word(_ value: Double) -> String { NumberText.grouped(value) }

  /// Two digits: a forecast knows no more.
  private static func roughly(_ steps: Double) -> String {
    let unit = steps >= 1000 ? 100.0 : 10.0
    return NumberText.grouped((steps / unit).rounded() * unit)
  }
}
