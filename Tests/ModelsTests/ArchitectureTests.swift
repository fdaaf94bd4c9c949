import Kernels
import Models
import Testing

/// Every family of layers: biases, norms, positions, keys that queries share, one table for both ends.
@Suite(.timeLimit(.minutes(15)))
struct ArchitectureTests {
  static func model(_ family: Architecture) -> ModelConfiguration {
    var configuration = SmallModel.dense
    configuration.width = 16
    configuration.heads = 4
    configuration.setArchitecture(family)
    if family == .llama { configuration.keyValueHeads = 2 }
    return configuration
  }

  static let models: [ModelConfiguration] = {
    var oneKey = model(.llama)
    (oneKey.keyValueHeads, oneKey.isTied, oneKey.rotaryBase) = (1, true, 100)
    var untied = model(.gpt2)
    (untied.isTied, untied.feedForwardWidth, untied.normEpsilon) = (false, 20, 1e-2)
    var tied = model(.persimmon)
    tied.isTied = true
    var odd = model(.gpt2)
    (odd.width, odd.heads, odd.feedForwardWidth) = (15, 5, 21)
    var experts = model(.llama)
    experts.experts = ExpertConfiguration(count: 4, width: 8, active: 2)
    experts.experts?.every = 2
    return Architecture.allCases.map(model) + [oneKey, untied, tied, odd, experts]
  }()

  private static let settings = [
    LossSettings(), LossSettings(qkLayerNormWeight: 0.37, zLoss: 0.05, logitSoftCap: 0.7),
    LossSettings(qkLayerNormWeight: 1),
  ]

  @Test(arguments: models)
  func `its gradients agree with finite differences`(configuration: ModelConfiguration) {
    let model = SmallModel(configuration, batch: 4)
    for settings in Self.settings { GradientCheck(model: model, settings: settings).run() }
  }

  @Test(arguments: models)
  func `one worker or two, and the second pass after the first, give the same bits`(
    configuration: ModelConfiguration
  ) {
    let models = [1, 2].map { SmallModel(configuration, batch: 4, workers: $0) }
    let results = models.map { model in
      (0..<2).map { _ in
        let statistics = model.lossAndGradients(LossSettings())
        #expect(model.loss(LossSettings()).loss == statistics.loss)
        return model.engine.layout.tensors.flatMap(model.gradient) + [Float(statistics.loss)]
      }
    }
    #expect(results[0][0] == results[0][1])
    #expect(results[0][0] == results[1][0])
  }

  @Test(arguments: models)
  func `no position sees a later byte`(configuration: ModelConfiguration) {
    var model = SmallModel(configuration, batch: 4)
    let before = model.logits(LossSettings())
    model.tokens[4] = 99
    let after = model.logits(LossSettings())
    #expect(before[..<(4 * 256)] == after[..<(4 * 256)])
    #expect(before[(4 * 256)..<(5 * 256)] != after[(4 * 256)..<(5 * 256)])
  }

  @Test(arguments: Architecture.allCases, AdapterMethod.allCases)
  func `an adapter beside it has the gradients of differences`(
    family: Architecture, method: AdapterMethod
  ) {
    var configuration = Self.model(family)
    configuration.adapter = AdapterConfiguration(method: method)
    configuration.adapter?.rank = method == .rank1 ? 1 : 2
    // A LayerNorm over two channels of a ladder's heads is hardly more than a sign.
    if method == .ladder { configuration.heads = 2 }
    let model = SmallModel(configuration, batch: 4)
    for settings in Self.settings { GradientCheck(model: model, settings: settings).run() }
  }

  @Test(arguments: AdapterMethod.allCases)
  func `an adapter beside heads of an odd width has them too`(method: AdapterMethod) {
    var configuration = Self.model(.gpt2)
    (configuration.width, configuration.feedForwardWidth) = (12, 20)
    configuration.adapter = AdapterConfiguration(method: method)
    // A ladder's heads of two channels would be normalised to hardly more than a sign.
    configuration.adapter?.rank = [.rank1, .ladder].contains(method) ? 1 : 2
    let model = SmallModel(configuration, batch: 4)
    for settings in Self.settings { GradientCheck(model: model, settings: settings).run() }
  }

  @Test func `keys that queries share are keys of their own that are alike`() {
    var configuration = Self.model(.llama)
    configuration.keyValueHeads = nil
    let plain = SmallModel(configuration, batch: 4)
    var shared = configuration
    shared.keyValueHeads = 2
    let narrow = SmallModel(shared, batch: 4)
    for tensor in plain.engine.layout.tensors {
      guard let own = narrow.engine.layout[tensor.name] else { continue }
      let block = 4 * tensor.fanIn
      for index in 0..<tensor.count {
        let source = tensor.count == own.count ? index : index / block / 2 * block + index % block
        plain.parameters[tensor.offset + index] = narrow.parameters[own.offset + source]
      }
    }
    for settings in Self.settings {
      let (one, other) = (plain.logits(settings), narrow.logits(settings))
      #expect(zip(one, other).allSatisfy { abs($0 - $1) < 1e-5 })
    }
  }

  @Test(arguments: models.filter { $0.experts == nil })
  func `a head whose logits pass a threshold is clipped to it, and no other`(
    configuration: ModelConfiguration
  ) throws {
    let model = SmallModel(configuration, batch: 4)
    let before = model.loss(LossSettings())
    let first = Array(before.headLogitMax[..<configuration.heads])
    let sorted = first.sorted()
    let threshold = (sorted[sorted.count - 1] + sorted[sorted.count - 2]) / 2
    let head = try #require(first.firstIndex(of: sorted[sorted.count - 1]))
    let calm = [Float](repeating: 0, count: configuration.heads * (configuration.layers - 1))
    let clipped = QKClip(configuration).apply(
      to: model.parameters, headLogitMax: first + calm, threshold: threshold)
    #expect(clipped == 1)
    let after = model.loss(LossSettings())
    #expect(abs(after.headLogitMax[head] - threshold) < 1e-4)
    for other in 0..<configuration.heads where other != head {
      #expect(after.headLogitMax[other] == first[other])
    }
  }
}
