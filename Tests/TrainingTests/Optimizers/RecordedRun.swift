import Foundation
import Kernels
import Models
import Training

/// What PyTorch computed for a small model; made by Tests/ModelsTests/Recorded/make_recorded.py.
struct RecordedRun {
  struct Tensor: Decodable {
    let name: String
    let count: Int
    let finalNorm: Double
  }

  struct Frozen: Decodable {
    let name: String
    let count: Int
  }

  struct Description: Decodable {
    let width: Int
    let layers: Int
    let heads: Int
    let context: Int
    let batch: Int
    let experts: Int?
    let expertWidth: Int?
    let active: Int?
    let qkLayernorm: Float?
    let zLoss: Float?
    let balanceLoss: Float?
    let adapter: AdapterConfiguration?
    let mixers: [String]?
    let tensors: [Tensor]
    let trunk: [Frozen]?
    let batches: [[Token]]
    let loss: Double
    let attentionLogitMax: [Float]
    let losses: [Double]
    let gradNorms: [Double]
    let peak: Float
    let warmup: Int
    let weightDecay: Float
    let updateCap: Float?
    let optimizer: OptimizerKind?
    let kat: Bool?
  }

  static let names =
    [
      "dense", "dense-qk-layernorm-z-loss", "dense-blend", "mixture", "dense-capped", "dense-lion",
      "kat", "ssm", "ssm-mixed",
    ] + AdapterMethod.allCases.map(\.rawValue)

  let description: Description
  let parameters: [[Float]]
  let gradients: [[Float]]
  /// The frozen tensors, where an adapter is trained.
  let frozen: [[Float]]
  let logits: [Float]

  init(_ name: String) throws {
    let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    let file = tests.appendingPathComponent("ModelsTests/Recorded/\(name)")
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    description = try decoder.decode(
      Description.self, from: Data(contentsOf: file.appendingPathExtension("json")))
    let bytes = try [UInt8](Data(contentsOf: file.appendingPathExtension("bin")))
    var numbers = bytes.withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }[...]
    let tensors = description.tensors
    parameters = tensors.map { Self.take($0.count, from: &numbers) }
    gradients = tensors.map { Self.take($0.count, from: &numbers) }
    frozen = (description.trunk ?? []).map { Self.take($0.count, from: &numbers) }
    logits = Array(numbers)
  }

  var configuration: ModelConfiguration {
    var experts: ExpertConfiguration?
    if let count = description.experts, let width = description.expertWidth {
      experts = ExpertConfiguration(count: count, width: width, active: description.active ?? 2)
    }
    var configuration = ModelConfiguration(
      width: description.width, layers: description.layers, heads: description.heads,
      context: description.context, experts: experts)
    if let mixers = description.mixers {
      configuration.mixers = mixers.compactMap(LayerKind.init)
    }
    if description.kat == true { configuration.feedForward = .kat }
    configuration.adapter = description.adapter
    return configuration
  }

  /// An engine for it, with the frozen tensors where they belong.
  func engine(_ pool: WorkerPool) -> TransformerEngine {
    let layout = ParameterLayout(configuration)
    var trunk: FloatBuffer?
    if description.adapter != nil {
      let buffer = FloatBuffer(count: layout.trunkCount)
      Self.fill(buffer, layout.trunk, frozen)
      deriveAdapters(configuration, trunk: buffer)
      trunk = buffer
    }
    return TransformerEngine(
      configuration: configuration, batch: description.batch, pool: pool, trunk: trunk)
  }

  var settings: LossSettings {
    LossSettings(
      qkLayerNormWeight: description.qkLayernorm ?? 0, zLoss: description.zLoss ?? 0,
      balanceLoss: description.balanceLoss ?? 0)
  }

  func rates(step: Int) -> Optimizer.Rates {
    let warmth = min(1, Float(step + 1) / Float(description.warmup))
    var rates = Optimizer.Rates(
      learningRate: description.peak * warmth, peakLearningRate: description.peak)
    rates.weightDecay = description.weightDecay
    rates.updateCap = description.updateCap ?? 0
    return rates
  }

  /// The recorded parameters in the engine's layout.
  func flatParameters(_ layout: ParameterLayout) -> FloatBuffer {
    let buffer = FloatBuffer(count: layout.count)
    Self.fill(buffer, layout.tensors, parameters)
    return buffer
  }

  private static func fill(
    _ buffer: FloatBuffer, _ tensors: [ParameterTensor], _ values: [[Float]]
  ) {
    for (tensor, values) in zip(tensors, values) {
      for (index, value) in values.enumerated() { buffer[tensor.offset + index] = value }
    }
  }

  private static func take(_ count: Int, from numbers: inout ArraySlice<Float>) -> [Float] {
    defer { numbers = numbers.dropFirst(count) }
    return Array(numbers.prefix(count))
  }
}
