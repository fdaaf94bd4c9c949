import Foundation
import Signals
import Telemetry

/// A deterministic run for the screens of the tests: logits grow until a person switches
/// qk-layernorm on at step 1,000 of 4,000; the records end after step 1,400.
struct SampleRun {
  var experts = 0
  var steps = 1_401
  /// The step at which the loss stops being finite.
  var divergesAt: Int?
  /// Runs of other seeds differ in their noise alone.
  var seed = 0
  /// The step that holds a one-step spike of the loss.
  var spikesAt: Int?
  /// Whether all is measured that a run can measure: tensors, sharpness, what a step's time goes
  /// into.
  var measuresAll = false
  /// What else happens.
  var extraEvents: [RunEvent] = []

  static let created = 1_700_000_000.0
  static let totalSteps = 4_000
  static let switchStep = 1_000
  static let secondsPerStep = 0.012
  static let layers = 4

  static let rescue = SampleRun().history
  static let mixture = SampleRun(experts: 8).history
  static let full = SampleRun(experts: 8, measuresAll: true).history

  var history: RunHistory {
    var history = RunHistory()
    for record in records { history.append(record) }
    return history
  }

  var records: [RunRecord] {
    var records: [RunRecord] = [.description(description), .settings(settings), .state(.running)]
    var pending = events.filter { $0.step < steps }[...]
    for step in 0..<steps {
      while let event = pending.first, event.step <= step {
        records.append(.event(event))
        pending.removeFirst()
      }
      records.append(.samples(samples(at: step)))
    }
    for line in ["reading corpus.txt: 1,115,394 bytes", "2 workers, OpenBLAS Haswell"] {
      records.append(.console(wallTime: Self.created, line: line))
    }
    if divergesAt != nil { records.append(.state(.diverged)) }
    return records
  }

  static func time(of step: Int) -> Double {
    created + Double(step) * secondsPerStep
  }
}

extension SampleRun {
  private var description: RunDescription {
    RunDescription(
      name: "rescue", created: Self.created,
      model: RunDescription.Model(
        preset: experts > 0 ? "moe-tiny" : "tiny", width: 64, layers: Self.layers, heads: 2,
        context: 64, batch: 16, experts: experts, parameters: 229_000),
      totalSteps: Self.totalSteps, warmup: 100, peakLearningRate: 4e-2,
      minimumLearningRate: 1e-5, entropyPerByte: 1.41, initialLoss: 5.55,
      options: ["lr": "0.04", "steps": "4000", "seed": "1", "data": "corpus.txt", "warmup": "100"],
      environment: ["processor": "x86-64, 2 cores", "blas": "OpenBLAS Haswell"])
  }

  private var settings: [SettingDeclaration] {
    SettingCatalog.entries.map { entry in
      let values: [String: SettingValue] = [
        SettingCatalog.qkLayerNorm: .flag(true), SettingCatalog.learningRateMultiplier: .number(1),
        SettingCatalog.gradClip: .number(1), SettingCatalog.weightDecay: .number(1e-4),
        SettingCatalog.adamEpsilon: .number(1e-8), SettingCatalog.adamBeta2: .number(0.999),
      ]
      let off: SettingValue = entry.kind == .flag ? .flag(false) : .number(0)
      let isForExperts = entry.name == SettingCatalog.balanceLoss && experts == 0
      return SettingDeclaration(
        name: entry.name, kind: entry.kind, value: values[entry.name] ?? off,
        purpose: entry.purpose, refusal: isForExperts ? "this model has no experts" : nil)
    }
  }

  private var events: [RunEvent] {
    var events = [
      event(100, .run, by: "run", "warm-up ended at lr 4.0e-2"),
      event(
        610, .alarm, by: "alarm", name: "attention-logits-diverging",
        "attention logits pass 1e4 in ~400 steps (L3, doubling every 96)",
        hint: "m: switch qk-layernorm on",
        values: ["level": 1e4, "steps_until_level": 400, "doubling_steps": 96, "layer": 3]),
      event(
        900, .checkpoint, by: "you", name: "step-000000900", "checkpoint step-000000900",
        hint: "1.2 MB in 3 ms"),
      event(
        Self.switchStep, .set, by: "you", name: SettingCatalog.qkLayerNorm, before: .flag(false),
        after: .flag(true), "set qk_layernorm off → on, blended over 100 steps", hint: "u undoes"),
      event(
        1_200, .effect, by: "run", name: SettingCatalog.qkLayerNorm,
        before: .flag(false), after: .flag(true),
        "attention logits 9,278 → 12, loss 2.37 → 2.18 over 100 steps (−0.19), "
          + "at most 2.44 on the way",
        values: [
          "attention_logit_max.before": 9_278, "attention_logit_max.after": 12,
          "loss.change": -0.19, "loss.largest_jump": 0.07,
        ]),
    ]
    if let step = divergesAt {
      events.append(
        event(step, .diverged, by: "run", "the loss is NaN", hint: "resume from step-000000900"))
    }
    return (events + extraEvents).sorted { $0.step < $1.step }
  }

  private func event(
    _ step: Int, _ kind: RunEvent.Kind, by: String, name: String? = nil,
    before: SettingValue? = nil, after: SettingValue? = nil, _ text: String, hint: String? = nil,
    values: [String: Double] = [:]
  ) -> RunEvent {
    RunEvent(
      step: step, wallTime: Self.time(of: step), kind: kind, by: by, name: name, before: before,
      after: after, text: text, hint: hint, values: values)
  }
}

extension SampleRun {
  private func samples(at step: Int) -> StepSamples {
    var names: [MetricName] = []
    var values: [Double] = []
    func put(_ name: MetricName, _ value: Double) {
      names.append(name)
      values.append(value)
    }
    let loss = loss(at: step)
    put(MetricCatalog.loss, loss)
    put(MetricCatalog.excessLoss, loss - 1.41)
    if step % 100 == 0 {
      let isLost = divergesAt.map { step >= $0 } ?? false
      put(MetricCatalog.evalLoss, isLost ? .nan : trend(at: Double(step)) + 0.03)
    }
    put(MetricCatalog.learningRate, learningRate(at: step))
    put(MetricCatalog.learningRateMultiplier, 1)
    if step % 20 == 0 { probe(at: step, put) }
    let logits = (0..<Self.layers).map { logit(layer: $0, step: step) }
    put(MetricCatalog.attentionLogitMax, logits.max() ?? .nan)
    for layer in 0..<Self.layers {
      put(MetricCatalog.attentionLogitMax(layer: layer), logits[layer])
      put(MetricCatalog.attentionEntropyShare(layer: layer), 0.6 + 0.05 * noise(step, layer + 40))
      put(MetricCatalog.activationRMS(layer: layer), activation(layer: layer, step: step))
    }
    put(MetricCatalog.gradNorm, gradNorm(at: step))
    put(MetricCatalog.clipFraction, step < 1_000 ? 0.12 : 0.03)
    put(MetricCatalog.logZ, 4.5 * exp(-Double(step) / 300) + 0.4 + 0.1 * noise(step, 7))
    put(MetricCatalog.outputLogitMean, -0.002 * Double(step) + 0.05 * noise(step, 8))
    put(MetricCatalog.tokensPerSecond, 104_220 + 3_000 * noise(step, 9))
    put(MetricCatalog.stepMilliseconds, 9.8 + 0.3 * noise(step, 9))
    put(MetricCatalog.memoryBytes, 58_000_000)
    put(MetricCatalog.flopsFraction, 0.78 + 0.01 * noise(step, 9))
    for layer in 0..<Self.layers where experts > 0 { balance(layer: layer, step: step, put) }
    if measuresAll { more(at: step, put) }
    return StepSamples(
      step: step, wallTime: Self.time(of: step), names: names, values: values)
  }

  private func more(at step: Int, _ put: (MetricName, Double) -> Void) {
    let shares = ["forward": 0.31, "backward": 0.56, "optimizer": 0.08, "recording": 0.05]
    for (phase, share) in shares.sorted(by: { $0.key < $1.key }) {
      put(MetricCatalog.stepShare(phase: phase), share)
    }
    if step > 0, step % 50 == 0 {
      put(MetricCatalog.sharpness, 900 * (1 - exp(-Double(step) / 300)) + 40 * noise(step, 12))
      put(MetricCatalog.sharpnessLimit, 38 / learningRate(at: step))
      put(MetricCatalog.updateCosine, 0.2 - 0.3 * Double(step) / 1_400)
    }
    guard step % 10 == 0 else { return }
    put(MetricCatalog.noiseScale, 40 + Double(step) / 10)
    for (index, tensor) in Self.tensors.enumerated() {
      // One fades until Adam's ε outweighs it.
      let fade = tensor == Self.fadingTensor ? exp(-Double(step) / 90) : 1
      let size = 1e-3 / Double(1 + index % 5) * exp(0.3 * noise(step, 200 + index)) * fade
      put(MetricName("grad_rms/\(tensor)"), size)
      put(MetricName("update_rms/\(tensor)"), learningRate(at: step) * 0.01)
    }
  }

  static let fadingTensor = "L2.qkv"
  private static let tensors =
    ["embed", "norm", "head"]
    + (0..<layers).flatMap { layer in
      let own = ["norm1", "qkv", "out", "norm2", "router"]
      let experts = (0..<8).flatMap { ["E\($0).up", "E\($0).down"] }
      return (own + experts).map { "L\(layer).\($0)" }
    }

  private func trend(at step: Double) -> Double {
    let disease = 0.16 / (1 + exp(-(step - 850) / 60)) / (1 + exp((step - 1_060) / 25))
    return 1.9 + 2.6 * exp(-step / 28) + 1.05 * exp(-step / 420) + disease
  }

  private func loss(at step: Int) -> Double {
    if let last = divergesAt, step >= last { return .nan }
    if step == spikesAt { return 6.5 }
    return trend(at: Double(step)) + 0.07 * noise(step, 1)
  }

  private func learningRate(at step: Int) -> Double {
    guard step >= 100 else { return 4e-2 * Double(step + 1) / 100 }
    let share = Double(step - 100) / Double(Self.totalSteps - 100)
    return 1e-5 + (4e-2 - 1e-5) * 0.5 * (1 + cos(.pi * share))
  }

  private func probe(at step: Int, _ put: (MetricName, Double) -> Void) {
    let base = trend(at: Double(step))
    for multiplier in MetricCatalog.probeMultipliers {
      let distance = log2(max(multiplier, 1.0 / 16))
      let overshoot = max(0, multiplier - 1)
      put(
        MetricCatalog.probeLoss(multiplier: multiplier),
        base + 0.008 * abs(min(distance, 0)) + 0.02 * pow(overshoot, 1.4))
    }
    put(MetricCatalog.learningRateSensitivity, 0.08 + 0.01 * noise(step, 3))
  }

  private func logit(layer: Int, step: Int) -> Double {
    let start = log(3.0)
    let top = log([5_000.0, 900, 7_000, 9_278][layer])
    let old = start + (top - start) * (1 - exp(-Double(step) / 300)) / (1 - exp(-1_000.0 / 300))
    let new = log([11.0, 8, 12, 12][layer]) + 0.0013 * Double(max(0, step - 1_100))
    let blend = min(max(Double(step - Self.switchStep) / 100, 0), 1)
    return exp(old * (1 - blend) + new * blend + 0.04 * noise(step, 20 + layer))
  }

  private func activation(layer: Int, step: Int) -> Double {
    (0.9 + 0.5 * Double(layer)) * (1 + Double(step) / 4_000) + 0.01 * noise(step, 60 + layer)
  }

  private func gradNorm(at step: Int) -> Double {
    let isSpike = hash(step, 5) % 23 == 0
    let calm = 0.12 + 2.5 * exp(-Double(step) / 40) + 0.35 * exp(-Double(step) / 500)
    let rough = step < 1_050 ? (isSpike ? 6.0 : 1.5) : 1
    return calm * rough * exp(0.25 * noise(step, 4))
  }

  private func balance(layer: Int, step: Int, _ put: (MetricName, Double) -> Void) {
    var shares = (0..<experts).map { expert in
      1 + 0.25 * noise(layer * 31 + expert, 11) + 0.05 * noise(step, 100 + layer * 16 + expert)
    }
    if layer == 2 { shares[5] *= exp(-Double(step) / 220) }
    let total = shares.reduce(0, +)
    let loads = shares.map { $0 / total }
    for (expert, load) in loads.enumerated() {
      put(MetricCatalog.expertLoad(layer: layer, expert: expert), load)
    }
    let uniform = 1 / Double(experts)
    let variance = loads.reduce(0) { $0 + ($1 - uniform) * ($1 - uniform) } / Double(experts)
    put(MetricCatalog.expertLoadCV(layer: layer), variance.squareRoot() / uniform)
    put(MetricCatalog.expertMaxViolation(layer: layer), (loads.max() ?? 0) / uniform - 1)
    put(MetricCatalog.routerEntropy(layer: layer), 1.9 + 0.02 * noise(step, 70 + layer))
  }

  /// A number from -1 to 1, much the shape of a bell, that depends on its two arguments alone.
  private func noise(_ step: Int, _ salt: Int) -> Double {
    let salt = salt + 1_000 * seed
    let sum = (0..<3).reduce(0.0) { sum, part in
      sum + Double(hash(step, salt &* 8 &+ part) % 10_000) / 10_000
    }
    return (sum - 1.5) / 1.5 * 1.8
  }

  private func hash(_ step: Int, _ salt: Int) -> UInt64 {
    var word = UInt64(bitPattern: Int64(step &* 1_000_003 &+ salt &* 7_919 &+ 12_345))
    word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
    word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
    return word ^ (word >> 31)
  }
}
