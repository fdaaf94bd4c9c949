import Testing

@testable import Telemetry

@Suite(.timeLimit(.minutes(15)))
struct MetricCatalogTests {
  @Test(arguments: [
    ("loss", "loss"), ("loss/eval", "loss/eval"), ("attention_logit_max", "attention_logit_max"),
    ("attention_logit_max/11", "attention_logit_max/L"), ("expert_load/3/7", "expert_load/L/E"),
    ("lr_sensitivity", "lr_sensitivity"), ("lr_sensitivity/loss/0.125", "lr_sensitivity/loss/M"),
    ("lr/multiplier", "lr/multiplier"),
  ])
  func `a name finds its line`(name: String, pattern: String) {
    #expect(MetricCatalog.family(of: MetricName(name))?.pattern == pattern)
  }

  @Test(arguments: [
    "", "los", "loss/other", "expert_load", "expert_load/3", "expert_load/3/7/1", "/loss", "loss/",
    "train/loss",
  ])
  func `a foreign name has no line and no numbers`(name: String) {
    #expect(MetricCatalog.family(of: MetricName(name)) == nil)
    #expect(MetricCatalog.indices(of: MetricName(name)).isEmpty)
  }

  @Test func `the numbers of a name are layer, then expert`() {
    #expect(MetricCatalog.indices(of: MetricCatalog.expertLoad(layer: 3, expert: 12)) == [3, 12])
    #expect(MetricCatalog.indices(of: MetricCatalog.attentionLogitMax(layer: 5)) == [5])
    #expect(MetricCatalog.indices(of: MetricCatalog.loss).isEmpty)
  }

  @Test func `every name that the catalog puts together is in its table`() {
    let fixed = [
      MetricCatalog.loss, MetricCatalog.evalLoss, MetricCatalog.excessLoss,
      MetricCatalog.learningRate, MetricCatalog.learningRateMultiplier,
      MetricCatalog.learningRateSensitivity, MetricCatalog.attentionLogitMax,
      MetricCatalog.gradNorm, MetricCatalog.clipFraction, MetricCatalog.logZ,
      MetricCatalog.outputLogitMean, MetricCatalog.tokensPerSecond,
      MetricCatalog.stepMilliseconds, MetricCatalog.memoryBytes, MetricCatalog.flopsFraction,
    ]
    let numbered = [
      MetricCatalog.attentionLogitMax(layer: 1), MetricCatalog.attentionEntropy(layer: 1),
      MetricCatalog.attentionEntropyShare(layer: 1), MetricCatalog.activationRMS(layer: 1),
      MetricCatalog.expertLoad(layer: 1, expert: 2), MetricCatalog.expertLoadCV(layer: 1),
      MetricCatalog.expertMaxViolation(layer: 1), MetricCatalog.routerEntropy(layer: 1),
    ]
    let tensors = ["model.embed_tokens.weight", "model.layers.3.mlp.experts.7.up.weight"].flatMap {
      [
        MetricCatalog.gradRMS(tensor: $0), MetricCatalog.updateRMS(tensor: $0),
        MetricCatalog.paramNorm(tensor: $0), MetricCatalog.noiseScale,
      ]
    }
    let probes = MetricCatalog.probeMultipliers.map { MetricCatalog.probeLoss(multiplier: $0) }
    let errors = MetricCatalog.probeMultipliers.map { MetricCatalog.probeError(multiplier: $0) }
    for name in fixed + numbered + tensors + probes + errors {
      #expect(MetricCatalog.family(of: name) != nil, "\(name)")
    }
  }

  @Test(arguments: [
    ("model.embed_tokens.weight", "embed"), ("lm_head.weight", "head"),
    ("model.final_layernorm.weight", "norm"),
    ("model.layers.0.self_attn.query_key_value.weight", "L0.qkv"),
    ("model.layers.12.self_attn.dense.weight", "L12.out"),
    ("model.layers.0.self_attn.q_layernorm.weight", "L0.q_norm"),
    ("model.layers.0.input_layernorm.weight", "L0.norm1"),
    ("model.layers.0.mlp.dense_h_to_4h.weight", "L0.up"),
    ("model.layers.0.mlp.dense_4h_to_h.weight", "L0.down"),
    ("model.layers.0.mlp.router.weight", "L0.router"),
    ("model.layers.0.mlp.experts.3.up.weight", "L0.E3.up"),
  ])
  func `a tensor has a short name`(tensor: String, short: String) {
    #expect(MetricCatalog.gradRMS(tensor: tensor).path == "grad_rms/\(short)")
    #expect(
      MetricCatalog.variableWords(of: MetricCatalog.paramNorm(tensor: tensor))
        == short.replacing("_", with: " "))
  }

  @Test func `a probe is named by its multiplier's shortest digits`() {
    let names = MetricCatalog.probeMultipliers.map { MetricCatalog.probeLoss(multiplier: $0).path }
    #expect(names.first == "lr_sensitivity/loss/0")
    #expect(names[1] == "lr_sensitivity/loss/0.125")
    #expect(names.last == "lr_sensitivity/loss/16")
    #expect(MetricCatalog.probeError(multiplier: 0.25).path == "lr_sensitivity/error/0.25")
  }

  @Test func `an accelerator's number stands within its name`() {
    let name = MetricCatalog.accelerator(12, .memoryBytes)
    #expect(name.path == "system/gpu.12.memory_bytes")
    #expect(MetricCatalog.family(of: name)?.pattern == "system/gpu.N.memory_bytes")
    #expect(MetricCatalog.accelerator(of: name)?.number == 12)
    #expect(MetricCatalog.accelerator(of: name)?.metric == .memoryBytes)
    for path in ["system/gpu.x.util", "system/gpu..util", "system/gpu.0", "gpu.0.util", "system/"] {
      #expect(MetricCatalog.accelerator(of: MetricName(path)) == nil, "\(path)")
      #expect(MetricCatalog.family(of: MetricName(path)) == nil, "\(path)")
    }
    #expect(MetricCatalog.family(of: "system/cpu")?.isMeasuredByClock == true)
  }

  @Test func `what a machine says between two steps is one value each`() {
    var readings = MachineReadings()
    for value in [10.0, 20, 60, .nan] {
      readings.add("system/gpu.0.util", value)
      readings.add("system/gpu.0.memory", value)
    }
    #expect(
      readings.take().map { "\($0.name) \($0.value)" } == [
        "system/gpu.0.util 30.0", "system/gpu.0.memory 60.0",
      ])
    #expect(readings.isEmpty && readings.take().isEmpty)
  }

  @Test func `patterns are told apart and every meaning is one line`() {
    let patterns = MetricCatalog.families.map(\.pattern)
    #expect(Set(patterns).count == patterns.count)
    for family in MetricCatalog.families {
      #expect(!family.meaning.isEmpty && !family.meaning.contains("\n"), "\(family.pattern)")
    }
  }
}
