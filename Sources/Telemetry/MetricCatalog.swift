/// The one table of metrics: names, units, meanings, reductions.
package enum MetricCatalog {
  package static let families: [MetricFamily] =
    runFamilies + inspectionFamilies + functionFamilies + lightFamilies + searchFamilies
    + rankFamilies + machineFamilies

  private static let runFamilies: [MetricFamily] = [
    MetricFamily(
      "loss", unit: "nats/token", reduction: .mean, precision: .float64,
      meaning: "cross-entropy of the training batch, without z-loss and balance loss"),
    MetricFamily(
      "loss/eval", unit: "nats/token", reduction: .mean, precision: .float64,
      meaning: "cross-entropy on held-out windows"),
    MetricFamily(
      "loss/excess", unit: "nats/token", reduction: .mean, precision: .float64,
      meaning: "loss above the source's exact entropy; not 0 even for a perfect model"),
    MetricFamily(
      "loss/teacher", unit: "nats/token", reduction: .mean, precision: .float64,
      meaning: "cross-entropy of the teacher on the training batch"),
    MetricFamily(
      "loss/distil", unit: "nats/token", reduction: .mean, precision: .float64,
      meaning: "τ²·KL(teacher‖model) on the training batch, both at the temperature τ"),
    MetricFamily(
      "lr", unit: "", reduction: .last, precision: .float64,
      meaning: "learning rate in force, multiplier included"),
    MetricFamily(
      "lr/multiplier", unit: "×", reduction: .last, precision: .float64,
      meaning: "factor a person set on top of the schedule"),
    MetricFamily(
      "lr_sensitivity", unit: "nats/token", reduction: .last, precision: .float64,
      meaning: "mean over m of the loss lost by scaling the update by m; capped at the initial loss"
    ),
    MetricFamily(
      "lr_sensitivity/loss/M", unit: "nats/token", reduction: .last, precision: .float64,
      meaning: "probe loss, that of the data alone, after the present update scaled by M"),
    MetricFamily(
      "lr_sensitivity/error/M", unit: "nats/token", reduction: .last,
      meaning: "standard error of that loss less the one at 0, over parts of the probe's windows"),
    MetricFamily(
      "attention_logit_max", unit: "", reduction: .maximum,
      meaning: "largest attention logit over all layers"),
    MetricFamily(
      "attention_logit_max/L", unit: "", reduction: .maximum,
      meaning: "largest unmasked pre-softmax attention logit in layer L"),
    MetricFamily(
      "attention_logit_max/L/H", unit: "", reduction: .maximum,
      meaning: "the same of head H alone; told with --per-head-logits"),
    MetricFamily(
      "attention_entropy/L", unit: "nats", reduction: .mean,
      meaning: "mean entropy of the attention rows of layer L"),
    MetricFamily(
      "attention_entropy_share/L", unit: "", reduction: .mean,
      meaning: "attention entropy as a share of its bound ln(i+1), mean over rows"),
    MetricFamily(
      "grad_norm", unit: "", reduction: .maximum, precision: .float64,
      meaning: "global gradient norm before clipping"),
    MetricFamily(
      "clip_fraction", unit: "", reduction: .mean, precision: .float64,
      meaning: "share of the last 100 steps whose gradient was clipped"),
    MetricFamily(
      "update_capped", unit: "", reduction: .mean, precision: .float64,
      meaning: "share of the tensors whose change in this step update_cap scaled down"),
    MetricFamily(
      "grad_rms/TENSOR", unit: "", reduction: .maximum,
      meaning: "root mean square of the tensor's gradient before clipping; near Adam's ε it fades"),
    MetricFamily(
      "update_rms/TENSOR", unit: "", reduction: .maximum,
      meaning: "root mean square of the tensor's update, rate included, decay left out"),
    MetricFamily(
      "param_norm/TENSOR", unit: "", reduction: .last,
      meaning: "norm of the tensor after the update"),
    MetricFamily(
      "sparsity/TENSOR", unit: "", reduction: .last,
      meaning: "share of the matrix's blocks that are not there"),
    MetricFamily(
      "sparsity_churn/TENSOR", unit: "", reduction: .last,
      meaning: "share of the blocks there that came with the last exchange; falls to 0"),
    MetricFamily(
      "share_collisions", unit: "", reduction: .last,
      meaning: "share of the shared array's numbers that several weights read"),
    MetricFamily(
      "share_gradient_scale", unit: "", reduction: .last,
      meaning: "RMS of the array's gradient over that of its readers'; 1 where all pull alike"),
    MetricFamily(
      "noise_scale", unit: "sequences", reduction: .last, precision: .float64,
      meaning: "batch beyond which a larger one pays less and less; rises as the loss falls"),
    MetricFamily(
      "update_cosine", unit: "", reduction: .last, precision: .float64,
      meaning: "cosine of two successive updates; below 0 the weights swing across a valley"),
    MetricFamily(
      "sharpness", unit: "", reduction: .last, precision: .float64,
      meaning: "largest eigenvalue of the loss's Hessian in the optimizer's own scale"),
    MetricFamily(
      "sharpness_limit", unit: "", reduction: .last, precision: .float64,
      meaning: "38/lr, with SGD 3.8/lr: a sharpness above it makes steps swing wider and wider"),
    MetricFamily(
      "activation_rms/L", unit: "", reduction: .mean,
      meaning: "root mean square of the residual stream after block L"),
    MetricFamily(
      "log_z", unit: "nats", reduction: .mean, precision: .float64,
      meaning: "mean log of the softmax normaliser; z-loss holds it near 0"),
    MetricFamily(
      "output_logit_mean", unit: "", reduction: .mean, precision: .float64,
      meaning: "mean output logit; drifts to very negative values without z-loss or decay"),
    MetricFamily(
      "expert_load/L/E", unit: "", reduction: .mean,
      meaning: "share of layer L's assignments sent to expert E; sums to 1 over E"),
    MetricFamily(
      "expert_load_cv/L", unit: "", reduction: .mean,
      meaning: "standard deviation over mean of layer L's expert loads; 0 is perfect balance"),
    MetricFamily(
      "expert_max_violation/L", unit: "", reduction: .maximum,
      meaning: "largest load over the mean load, less 1, in this batch (MaxVio); 0 is perfect"),
    MetricFamily(
      "expert_max_violation/eval/L", unit: "", reduction: .last,
      meaning: "the same over all held-out windows, where a batch's own unevenness evens out"),
    MetricFamily(
      "expert_similarity/L", unit: "", reduction: .last, precision: .float64,
      meaning: "mean cosine between the weights of layer L's experts; 0 is as different as can be"),
    MetricFamily(
      "router_entropy/L", unit: "nats", reduction: .mean,
      meaning: "mean entropy of the router's probabilities in layer L"),
    MetricFamily(
      "gate_inner_balance/L", unit: "", reduction: .mean,
      meaning: "median ratio of a token's first two router scores in layer L; 1 is even"),
    MetricFamily(
      "gate_outer_balance/L", unit: "", reduction: .mean,
      meaning: "median share of layer L's router scores that the chosen experts have"),
    MetricFamily(
      "router_z/L", unit: "", reduction: .mean,
      meaning: "mean ln Σ exp of the router's logits in layer L; its z-loss holds it near 0"),
    MetricFamily(
      "tokens_dropped/L", unit: "", reduction: .mean,
      meaning: "share of layer L's assignments beyond its experts' capacity"),
    MetricFamily(
      "router_mutual_information/L", unit: "nats", reduction: .last, precision: .float64,
      meaning: "what a token's first expert in the layer with experts before L says of that in L"),
    MetricFamily(
      "pass_divergence", unit: "nats/token", reduction: .mean, precision: .float64,
      meaning: "mean of both KL divergences between the outputs of the router thor's two passes"),
    MetricFamily(
      "anchor_divergence", unit: "nats/token", reduction: .mean, precision: .float64,
      meaning: "KL divergence of the outputs on other text from those of the base"),
    MetricFamily(
      "reward", unit: "", reduction: .mean, precision: .float64,
      meaning: "mean reward of the texts that a step drew"),
    MetricFamily(
      "reward/baseline", unit: "", reduction: .mean, precision: .float64,
      meaning: "mean reward of what the same weights write greedily after the same prompts"),
    MetricFamily(
      "reward/objective", unit: "", reduction: .mean, precision: .float64,
      meaning: "what is minimised beside the divergence: mean of −(r − r')·ln π over the answers"),
    MetricFamily(
      "reward/length", unit: "bytes", reduction: .mean, precision: .float64,
      meaning: "mean length of the texts that a step drew"),
    MetricFamily(
      "reward/variance", unit: "", reduction: .mean, precision: .float64,
      meaning: "variance of the rewards in a step"),
    MetricFamily(
      "reward/advantage_variance", unit: "", reduction: .mean, precision: .float64,
      meaning: "variance of r − r', the reward less the greedy text's, over the texts of a step"),
    MetricFamily(
      "reward/divergence", unit: "nats/token", reduction: .mean, precision: .float64,
      meaning: "KL divergence of the outputs from those of the base, mean over the answers' bytes"),
    MetricFamily(
      "ssm_delta_min/L", unit: "", reduction: .last,
      meaning: "smallest step Δ of layer L's state space: near 0 a byte passes without a trace"),
    MetricFamily(
      "ssm_delta_max/L", unit: "", reduction: .maximum,
      meaning: "largest step Δ of layer L's state space: a large one forgets what was before"),
    MetricFamily(
      "ssm_decay/L/G", unit: "", reduction: .mean,
      meaning: "mean share of its state that group G of layer L keeps from byte to byte"),
    MetricFamily(
      "ssm_state/L", unit: "", reduction: .mean,
      meaning: "mean size of the states of layer L"),
    MetricFamily(
      "ssm_state_max/L", unit: "", reduction: .maximum,
      meaning: "largest size of a state of layer L: a scan that runs off shows here first"),
    MetricFamily(
      "ssm_modulation/L/G", unit: "", reduction: .mean,
      meaning: "mean gate of group G's channels in layer L; 0 shuts the group off"),
    MetricFamily(
      "tokens_per_s", unit: "tokens/s", reduction: .mean, precision: .float64,
      isMeasuredByClock: true, meaning: "training speed of this step"),
    MetricFamily(
      "step_ms", unit: "ms", reduction: .maximum, precision: .float64, isMeasuredByClock: true,
      meaning: "time of this step"),
    MetricFamily(
      "memory_bytes", unit: "bytes", reduction: .last, precision: .float64,
      isMeasuredByClock: true, meaning: "resident memory of the process"),
    MetricFamily(
      "step_share/PHASE", unit: "", reduction: .mean, precision: .float64,
      isMeasuredByClock: true,
      meaning: "share of the time since the last step: passes, optimizer, recording, waiting, …"),
    MetricFamily(
      "flops_fraction", unit: "", reduction: .mean, precision: .float64, isMeasuredByClock: true,
      meaning: "share of this machine's measured sgemm peak"),
  ]

  private static let familyByStem: [Substring: [MetricFamily]] =
    Dictionary(grouping: families, by: { $0.stem[...] })

  /// The line of the table that describes `name`, if the table knows it.
  /// - Cost: a screen asks for each of some hundred names; nothing is allocated.
  package static func family(of name: MetricName) -> MetricFamily? {
    let path = isMachine(name) ? withoutNumber(name) : name.path
    let slash = UInt8(ascii: "/")
    let count = path.utf8.reduce(1) { $1 == slash ? $0 + 1 : $0 }
    var end = path.endIndex
    while true {
      if let family = familyByStem[path[..<end]]?.first(where: { $0.partCount == count }) {
        return family
      }
      guard let last = path.utf8[..<end].lastIndex(of: slash) else { return nil }
      end = last
    }
  }

  /// The line's place in the table, from above.
  package static func place(ofPattern pattern: String) -> Int? { places[pattern] }

  private static let places = Dictionary(
    uniqueKeysWithValues: families.enumerated().map { ($1.pattern, $0) })

  /// What stands for the variable parts of `name`, as a person reads it: `L0 qkv` of
  /// `grad_rms/L0/qkv`; empty for a name the table does not know.
  package static func variableWords(of name: MetricName) -> String {
    guard let family = family(of: name), family.partCount > family.stemPartCount else { return "" }
    return String(
      name.path.dropFirst(family.stem.count + 1).map { $0 == "_" || $0 == "/" ? " " : $0 })
  }

  /// The numbers in `name`: layer, then expert; empty for a name the table does not know.
  package static func indices(of name: MetricName) -> [Int] {
    guard let family = family(of: name), family.partCount > family.stemPartCount else { return [] }
    return name.path.dropFirst(family.stem.count + 1).split(separator: "/").compactMap { Int($0) }
  }
}

extension MetricCatalog {
  package static let loss: MetricName = "loss"
  package static let evalLoss: MetricName = "loss/eval"
  package static let excessLoss: MetricName = "loss/excess"
  package static let teacherLoss: MetricName = "loss/teacher"
  package static let distilLoss: MetricName = "loss/distil"
  package static let learningRate: MetricName = "lr"
  package static let learningRateMultiplier: MetricName = "lr/multiplier"
  package static let learningRateSensitivity: MetricName = "lr_sensitivity"
  package static let attentionLogitMax: MetricName = "attention_logit_max"
  package static let gradNorm: MetricName = "grad_norm"
  package static let clipFraction: MetricName = "clip_fraction"
  package static let updateCapped: MetricName = "update_capped"
  package static let logZ: MetricName = "log_z"
  package static let outputLogitMean: MetricName = "output_logit_mean"
  package static let passDivergence: MetricName = "pass_divergence"
  package static let anchorDivergence: MetricName = "anchor_divergence"
  package static let reward: MetricName = "reward"
  package static let rewardBaseline: MetricName = "reward/baseline"
  package static let rewardObjective: MetricName = "reward/objective"
  package static let rewardLength: MetricName = "reward/length"
  package static let rewardVariance: MetricName = "reward/variance"
  package static let advantageVariance: MetricName = "reward/advantage_variance"
  package static let rewardDivergence: MetricName = "reward/divergence"
  package static let tokensPerSecond: MetricName = "tokens_per_s"
  package static let stepMilliseconds: MetricName = "step_ms"
  package static let memoryBytes: MetricName = "memory_bytes"
  package static let flopsFraction: MetricName = "flops_fraction"
  package static let shareCollisions: MetricName = "share_collisions"
  package static let shareGradientScale: MetricName = "share_gradient_scale"

  /// The factors by which the live probe scales the present update.
  package static let probeMultipliers: [Double] = [0, 0.125, 0.25, 0.5, 1, 2, 4, 8, 16]

  package static func probeLoss(multiplier: Double) -> MetricName {
    MetricName("lr_sensitivity/loss/\(shortest(multiplier))")
  }

  package static func probeError(multiplier: Double) -> MetricName {
    MetricName("lr_sensitivity/error/\(shortest(multiplier))")
  }

  private static func shortest(_ multiplier: Double) -> String {
    multiplier == multiplier.rounded() ? "\(Int(multiplier))" : "\(multiplier)"
  }

  package static func attentionLogitMax(layer: Int) -> MetricName {
    MetricName("attention_logit_max/\(layer)")
  }

  package static func attentionLogitMax(layer: Int, head: Int) -> MetricName {
    MetricName("attention_logit_max/\(layer)/\(head)")
  }

  package static func stepShare(phase: String) -> MetricName { MetricName("step_share/\(phase)") }

  package static func attentionEntropy(layer: Int) -> MetricName {
    MetricName("attention_entropy/\(layer)")
  }

  package static func attentionEntropyShare(layer: Int) -> MetricName {
    MetricName("attention_entropy_share/\(layer)")
  }

  package static func activationRMS(layer: Int) -> MetricName {
    MetricName("activation_rms/\(layer)")
  }

  package static func expertLoad(layer: Int, expert: Int) -> MetricName {
    MetricName("expert_load/\(layer)/\(expert)")
  }

  package static func expertLoadCV(layer: Int) -> MetricName {
    MetricName("expert_load_cv/\(layer)")
  }

  package static func expertMaxViolation(layer: Int) -> MetricName {
    MetricName("expert_max_violation/\(layer)")
  }

  package static func routerEntropy(layer: Int) -> MetricName {
    MetricName("router_entropy/\(layer)")
  }

  package static func gateInnerBalance(layer: Int) -> MetricName {
    MetricName("gate_inner_balance/\(layer)")
  }

  package static func gateOuterBalance(layer: Int) -> MetricName {
    MetricName("gate_outer_balance/\(layer)")
  }

  package static func routerZ(layer: Int) -> MetricName { MetricName("router_z/\(layer)") }

  package static func tokensDropped(layer: Int) -> MetricName {
    MetricName("tokens_dropped/\(layer)")
  }
}
