internal import Foundation
internal import Kernels

/// Four selective state spaces side by side, each over a quarter of the channels, and a gate by
/// channel: a mixer whose memory of a text does not grow with it.
///
/// Of a group's channels u: (x, z) = W_in·u, x = silu(convolution of x over three positions),
/// (r, B, C) = W_x·x, y the scan of x, and the group's output W_out·(LN(y)·silu(z)). All groups'
/// outputs are weighed by k, by the layer's input and by σ(W_2·relu(W_1·m)), m the mean of the input
/// so far, then normalised with the gain that the layer's input was, and projected.
/// - Source: GroupMamba (Shaker et al. 2024, 2407.13772) on a causal stream: all scans go from left to
///   right, the groups differ in the time scales that they begin with instead, which are those of
///   Mamba's sixteen states, and the mean is that of the positions so far. Rates of decay, Δ's biases
///   and the first weights are spread evenly over the ranges that the paper draws from; W_out is not
///   divided by the depth.
package struct GroupedStateSpace: Layer {
  package static let name = "ssm"
  package static let groups = 4

  let width: Int
  let context: Int
  let layer: Int
  /// The block's own: [1, D]
  let entryGain: TensorPlace
  let parts: [Group]
  let convolution: TensorPlace
  let convolutionBias: TensorPlace
  let deltaWeight: TensorPlace
  let deltaBias: TensorPlace
  let logRate: TensorPlace
  let skip: TensorPlace
  let gain: TensorPlace
  let scale: TensorPlace
  /// [D/16, D] and [D, D/16]
  let squeeze: TensorPlace
  let excite: TensorPlace
  let output: TensorPlace

  /// The products of one group: [2D/4, D/4], [R+2, D/4] and [D/4, D/4].
  struct Group: Sendable {
    let input: TensorPlace
    let selection: TensorPlace
    let output: TensorPlace
  }

  package init(_ configuration: ModelConfiguration, layer: Int, plan: inout TensorPlan) {
    let width = configuration.width
    precondition(width % Self.groups == 0, "width \(width) in \(Self.groups) groups")
    self.width = width
    context = configuration.context
    self.layer = layer
    let (channels, factors) = (width / Self.groups, Self.factors(width))
    entryGain = plan.add("input_layernorm.weight", [width], .gain)
    parts = (0..<Self.groups).map { group in
      let name = "mixer.groups.\(group)."
      return Group(
        input: plan.add(name + "in_proj.weight", [2 * channels, channels], .matrix),
        selection: plan.add(name + "x_proj.weight", [factors + 2, channels], .matrix),
        output: plan.add(name + "out_proj.weight", [channels, channels], .matrix))
    }
    let taps = CausalConvolution.width
    convolution = plan.add(
      "mixer.conv.weight", [taps, width], .coefficients,
      initial: .uniform(1 / Float(taps).squareRoot()))
    convolutionBias = plan.add("mixer.conv.bias", [width], .bias)
    deltaWeight = plan.add(
      "mixer.dt_proj.weight", [factors, width], .coefficients,
      initial: .uniform(1 / Float(factors).squareRoot()))
    deltaBias = plan.add(
      "mixer.dt_proj.bias", [width], .bias, initial: .repeating(Self.firstBiases(channels)))
    logRate = plan.add(
      "mixer.A_log", [width], .coefficients, initial: .repeating(Self.firstRates(channels)))
    skip = plan.add("mixer.D", [width], .coefficients, initial: .repeating([1]))
    gain = plan.add("mixer.norm.weight", [width], .gain)
    scale = plan.add("mixer.scale", [1], .coefficients, initial: .repeating([1]))
    let squeezed = Self.squeezed(width)
    squeeze = plan.add("mixer.squeeze.weight", [squeezed, width], .matrix)
    excite = plan.add("mixer.excite.weight", [width, squeezed], .matrix)
    output = plan.add("mixer.out_proj.weight", [width, width], .matrix)
  }

  /// R, the numbers that a group's Δ is made of.
  private static func factors(_ width: Int) -> Int { (width / groups + 15) / 16 }

  /// The channels between the two products of the gate; four at least, since one that is shut for all
  /// bytes learns nothing.
  private static func squeezed(_ width: Int) -> Int { max(4, width / 16) }

  /// softplus⁻¹ of steps Δ from 0.001 to 0.1, evenly in their logarithms.
  private static func firstBiases(_ channels: Int) -> [Float] {
    (0..<channels).map { channel in
      let delta = 0.001 * pow(100, (Double(channel) + 0.5) / Double(channels))
      return Float(delta + log(-expm1(-delta)))
    }
  }

  /// ln of the rates 1 to 16 of S4D-real's states, one a group.
  private static func firstRates(_ channels: Int) -> [Float] {
    (0..<groups).flatMap { group in
      let rate = log(16) * Double(group) / Double(groups - 1)
      return Array(repeating: Float(rate), count: channels)
    }
  }

  package static func weightsPerToken(_ configuration: ModelConfiguration) -> Int {
    let width = configuration.width
    let (channels, factors) = (width / groups, factors(width))
    return width * (3 * channels + factors + 2 + 2 * squeezed(width) + width)
  }

  package static func keptPerToken(_ configuration: ModelConfiguration) -> Int {
    12 * configuration.width
  }

  package static func signals(_ configuration: ModelConfiguration) -> [LayerSignal] {
    [
      LayerSignal(name: "ssm_delta_min", reduction: .smallest),
      LayerSignal(name: "ssm_delta_max", reduction: .largest),
      LayerSignal(name: "ssm_state", reduction: .mean),
      LayerSignal(name: "ssm_state_max", reduction: .largest),
    ]
      + ["ssm_decay", "ssm_modulation"].flatMap { name in
        (0..<groups).map { LayerSignal(name: name, reduction: .mean, part: $0) }
      }
  }

  package func memory(_ plan: inout MemoryPlan) -> any LayerPass {
    StateSpacePass(self, &plan)
  }

  package func inference(_ plan: inout InferencePlan) -> any LayerInference {
    StateSpaceInference(self, &plan)
  }
}

extension LayerKind {
  /// Selective state spaces in four groups of channels.
  public static let ssm = LayerKind(GroupedStateSpace.self)
}

extension GroupedStateSpace {
  /// The channels of a group in matrices of all, or of two runs a group.
  struct Channels {
    let start: Int
    let count: Int

    func of(_ matrix: Matrix) -> Matrix { matrix.columns(from: start, count: count) }
    func both(_ matrix: Matrix) -> Matrix { matrix.columns(from: 2 * start, count: 2 * count) }
    func first(_ matrix: Matrix) -> Matrix { matrix.columns(from: 2 * start, count: count) }
    func second(_ matrix: Matrix) -> Matrix {
      matrix.columns(from: 2 * start + count, count: count)
    }
  }

  func channels(_ group: Int) -> Channels {
    Channels(start: group * width / Self.groups, count: width / Self.groups)
  }

  /// R+2
  var selectionWidth: Int { deltaWeight.rows + 2 }

  func scan(_ tensors: ParameterView, _ channels: Channels) -> SelectiveScan {
    SelectiveScan(
      deltaWeight: channels.of(tensors[deltaWeight]), deltaBias: channels.of(tensors[deltaBias]),
      logRate: channels.of(tensors[logRate]), skip: channels.of(tensors[skip]))
  }

  func convolution(_ tensors: ParameterView, _ channels: Channels) -> CausalConvolution {
    CausalConvolution(
      weight: channels.of(tensors[convolution]), bias: channels.of(tensors[convolutionBias]))
  }
}
