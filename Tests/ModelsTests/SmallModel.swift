import Foundation
import Kernels
import Models

/// A model small enough for finite differences, with windows to train on.
struct SmallModel {
  let configuration: ModelConfiguration
  let batch: Int
  let engine: TransformerEngine
  let parameters: FloatBuffer
  var tokens: [Token]
  /// Of each window's channel; empty for none.
  var noise: [Float] = []

  init(_ configuration: ModelConfiguration, batch: Int = 2, workers: Int = 1, seed: UInt64 = 1) {
    self.configuration = configuration
    self.batch = batch
    engine = TransformerEngine(
      configuration: configuration, batch: batch, pool: WorkerPool(workers: workers),
      trunk: Self.trunk(configuration, seed: seed))
    parameters = FloatBuffer(count: engine.layout.count)
    initialise(parameters: parameters, layout: engine.layout, seed: seed)
    var random = RandomStream(seed: seed)
    // Gains away from 1, biases away from 0, and gradients of every gain away from 0.
    // What is trained beside frozen weights is away from where it begins, which has no effect.
    for tensor in engine.layout.tensors
    where !tensor.role.isDecayed && tensor.role != .fixed || tensor.role == .adapter {
      for index in 0..<tensor.count {
        parameters[tensor.offset + index] += Float(0.2 * random.normal())
        guard tensor.role == .coefficients else { continue }
        // Where a function takes a coefficient's magnitude it has a kink at 0.
        let value = parameters[tensor.offset + index]
        parameters[tensor.offset + index] = Float(
          signOf: value, magnitudeOf: max(abs(value), 0.1))
      }
    }
    tokens = (0..<batch * (configuration.context + 1)).map { _ in Token(random.next() % 11) }
  }

  /// A plain model's parameters as the trunk of an adapted one; nil for a plain model.
  static func trunk(_ configuration: ModelConfiguration, seed: UInt64) -> FloatBuffer? {
    guard configuration.adapter != nil else { return nil }
    var plain = configuration
    (plain.adapter, plain.isMasked) = (nil, false)
    plain.pruned?.ranks = []
    let model = SmallModel(plain, seed: seed)
    let layout = ParameterLayout(configuration)
    let trunk = FloatBuffer(count: layout.trunkCount)
    for (tensor, own) in zip(layout.trunk, model.engine.layout.tensors) {
      for index in 0..<tensor.count {
        trunk[tensor.offset + index] = model.parameters[own.offset + index]
      }
    }
    deriveAdapters(configuration, trunk: trunk)
    return trunk
  }

  static func adapted(by method: AdapterMethod, rank: Int = 3) -> ModelConfiguration {
    var configuration = dense
    configuration.adapter = AdapterConfiguration(method: method)
    // A ladder's heads have more than two channels, over which a LayerNorm is hardly more than a sign.
    configuration.adapter?.rank = method == .ladder ? 2 : rank
    return configuration
  }

  /// With masks on heads and hidden channels.
  static func masked(by method: AdapterMethod) -> ModelConfiguration {
    var configuration = adapted(by: method)
    configuration.isMasked = true
    return configuration
  }

  /// Of which a head, some channels and most of the adapter are gone.
  static func pruned(by method: AdapterMethod) -> ModelConfiguration {
    var configuration = adapted(by: method)
    configuration.pruned = PrunedShape(
      heads: 1, channels: [31, 48],
      ranks: method == .lora ? [0, 2, 0, 3, 1, 0, 0, 0] : [2, 0, 0, 3])
    return configuration
  }

  static let dense = ModelConfiguration(width: 12, layers: 2, heads: 2, context: 5)
  static let mixture = ModelConfiguration(
    width: 8, layers: 2, heads: 2, context: 5,
    experts: ExpertConfiguration(count: 4, width: 8, active: 2))

  static func routed(by router: ExpertRouter) -> ModelConfiguration {
    var configuration = mixture
    configuration.experts?.router = router
    if router.conformer.sendsToOne { configuration.experts?.active = 1 }
    configuration.experts?.routerWidth = 5
    return configuration
  }

  /// Four layers, every second one with experts and a state that the dense ones pass on.
  static let recurrent: ModelConfiguration = {
    var configuration = routed(by: .rmoe)
    configuration.layers = 4
    configuration.experts?.every = 2
    return configuration
  }()

  static let sharing: ModelConfiguration = {
    var configuration = mixture
    configuration.experts?.every = 2
    configuration.experts?.sharedWidth = 6
    return configuration
  }()

  func lossAndGradients(_ settings: LossSettings) -> StepStatistics {
    tokens.withUnsafeBufferPointer {
      engine.lossAndGradients(
        parameters: parameters, tokens: $0, settings: settings, noise: noise)
    }
  }

  func loss(_ settings: LossSettings) -> StepStatistics {
    tokens.withUnsafeBufferPointer {
      engine.loss(parameters: parameters, tokens: $0, rows: batch, settings: settings)
    }
  }

  func logits(_ settings: LossSettings) -> [Float] {
    tokens.withUnsafeBufferPointer {
      engine.logits(parameters: parameters, tokens: $0, rows: batch, settings: settings)
    }
  }

  func meanSquaredLogZ(_ settings: LossSettings) -> Double {
    let logits = logits(settings)
    let rows = batch * configuration.context
    let squares = (0..<rows).map { row -> Double in
      let values = logits[row * 256..<(row + 1) * 256]
      let logZ = log(values.reduce(0) { $0 + exp(Double($1)) })
      return logZ * logZ
    }
    return squares.reduce(0, +) / Double(rows)
  }

  /// One tensor of the batch's gradient.
  func gradient(_ tensor: ParameterTensor) -> [Float] {
    (tensor.offset..<tensor.offset + tensor.count).map { index in
      engine.sliceGradients.reduce(0) { $0 + $1[index] }
    }
  }
}
