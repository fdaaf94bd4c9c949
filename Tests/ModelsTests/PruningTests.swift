import Foundation
import Kernels
import Models
import Testing

/// What of a model and of its adapter is needed, and what is left once the rest is cut out.
@Suite(.timeLimit(.minutes(15)))
struct PruningTests {
  private static let methods = AdapterMethod.allCases.filter(\.isPrunable)
  private static let settings = [
    LossSettings(), LossSettings(qkLayerNormWeight: 0.37, zLoss: 0.05, logitSoftCap: 2),
    LossSettings(qkLayerNormWeight: 1),
  ]

  /// What PyTorch makes of the same equations.
  private struct Recorded: Decodable {
    struct Kept: Decodable {
      let heads: [[Int]]
      let channels: [[Int]]
      let ranks: [[Int]]
    }

    let method: AdapterMethod
    let loss: Double
    let modules: [Double]
    let ranks: [[Double]]
    let headGradients: [[Double]]
    let channelGradients: [[Double]]
    let kept: Kept

    static func read() throws -> [Recorded] {
      let file = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "Recorded/light.json")
      let decoder = JSONDecoder()
      decoder.keyDecodingStrategy = .convertFromSnakeCase
      return try decoder.decode([Recorded].self, from: Data(contentsOf: file))
    }

    /// The model whose numbers are as the script makes them.
    var model: SmallModel {
      var shape = ModelConfiguration(width: 8, layers: 2, heads: 2, context: 4)
      var adapter = AdapterConfiguration(method: method)
      (adapter.rank, adapter.alpha) = (3, 5)
      (shape.adapter, shape.isMasked) = (adapter, true)
      var model = SmallModel(shape)
      let layout = model.engine.layout
      for (number, tensor) in (layout.tensors + layout.trunk).enumerated() {
        let buffer = tensor.isFrozen ? model.engine.trunk : model.parameters
        let isVector = tensor.shape.count == 1
        let scale = tensor.role == .adapter ? 0.5 : 1 / Double(tensor.fanIn).squareRoot()
        for index in 0..<tensor.count {
          let wave: Double = sin(1.3 * Double(index) + 0.7 * Double(number))
          let value: Double = isVector ? 1 + 0.3 * wave : scale * wave
          buffer?[tensor.offset + index] = Float(value)
        }
      }
      model.tokens = (0..<10).map { (index: Int) -> Token in
        let token = 7 * index + 3 * index * index
        return Token(token % 256)
      }
      return model
    }
  }

  @Test(arguments: methods)
  func `masks, and what is trained beside them, have the gradients of differences`(
    method: AdapterMethod
  ) {
    let model = SmallModel(SmallModel.masked(by: method), batch: 4)
    for settings in Self.settings { GradientCheck(model: model, settings: settings).run() }
  }

  @Test(arguments: methods)
  func `what is left has the gradients of differences`(method: AdapterMethod) {
    let model = SmallModel(SmallModel.pruned(by: method), batch: 4)
    for settings in Self.settings { GradientCheck(model: model, settings: settings).run() }
  }

  @Test func `importances and what they leave are PyTorch's`() throws {
    let cases = try Recorded.read()
    #expect(cases.map(\.method) == [.lora, .bottleneck])
    for recorded in cases {
      let model = recorded.model
      let statistics = model.lossAndGradients(LossSettings())
      #expect(abs(statistics.loss - recorded.loss) < 1e-5)
      #expect(near([statistics.adapterShares], [recorded.modules], 1e-5))
      for (suffix, expected) in [
        ("head_mask", recorded.headGradients), ("channel_mask", recorded.channelGradients),
      ] {
        let masks = model.engine.layout.tensors.filter { $0.name.hasSuffix(suffix) }
        #expect(near(masks.map { model.gradient($0).map { Double($0) } }, expected, 1e-4))
      }
      let gradient = FloatBuffer(count: model.parameters.count)
      for slice in model.engine.sliceGradients {
        for index in 0..<gradient.count { gradient[index] += slice[index] }
      }
      let scores = model.engine.rankScores(parameters: model.parameters, gradient: gradient)
      #expect(near(scores, recorded.ranks, 1e-4))
      let masks = model.engine.masks(model.parameters)
      let kept = PartImportances(
        heads: masks.heads, channels: masks.channels, modules: statistics.adapterShares,
        ranks: scores
      ).kept(leavingOut: PruningShares())
      #expect(
        kept
          == KeptParts(
            heads: recorded.kept.heads, channels: recorded.kept.channels,
            ranks: recorded.kept.ranks))
    }
  }

  /// To a share of the largest of each list.
  private func near(_ found: [[Double]], _ expected: [[Double]], _ share: Double) -> Bool {
    found.count == expected.count
      && zip(found, expected).allSatisfy { found, expected in
        let largest = expected.map(abs).max() ?? 0
        return found.count == expected.count
          && zip(found, expected).allSatisfy { abs($0 - $1) < share * largest }
      }
  }

  @Test(arguments: methods)
  func `what is left computes what the whole does with the outputs of the other parts at 0`(
    method: AdapterMethod
  ) throws {
    var model = SmallModel(SmallModel.masked(by: method), batch: 4)
    model.tokens = model.tokens.map { $0 &* 3 }
    let modules = model.configuration.moduleCount
    let kept = KeptParts(
      heads: [[1], [0]], channels: [Array(3..<34), Array(stride(from: 0, to: 48, by: 5))],
      ranks: (0..<modules).map { [[0, 2], [], [1], [0, 1, 2]][$0 % 4] })
    silence(model, but: kept)
    var shape = SmallModel.adapted(by: method)
    shape.pruned = kept.shape
    let pruned = SmallModel(shape, batch: 4)
    cut(
      kept,
      of: AdaptedModel(
        model.configuration, parameters: model.parameters, trunk: try #require(model.engine.trunk)),
      into: AdaptedModel(
        shape, parameters: pruned.parameters, trunk: try #require(pruned.engine.trunk)))
    for settings in Self.settings {
      let logits = model.tokens.withUnsafeBufferPointer {
        pruned.engine.logits(
          parameters: pruned.parameters, tokens: $0, rows: 4, settings: settings)
      }
      let whole = model.logits(settings)
      #expect(zip(logits, whole).allSatisfy { abs($0 - $1) < 2e-5 })
    }
    let (small, large) = (pruned.engine.layout, model.engine.layout)
    #expect(small.trunkCount < large.trunkCount && small.count < large.count)
    #expect(pruned.engine.memoryBytes < model.engine.memoryBytes)
    #expect(shape.flopsPerToken() < SmallModel.adapted(by: method).flopsPerToken())
  }

  /// Masks of 1 on what is kept and of 0 on the rest, and ranks that are not kept add nothing.
  private func silence(_ model: SmallModel, but kept: KeptParts) {
    var module = 0
    for tensor in model.engine.layout.tensors {
      func set(_ range: Range<Int>, _ value: (Int) -> Float) {
        for index in range { model.parameters[tensor.offset + index] = value(index) }
      }
      let layer = tensor.layer ?? 0
      let places =
        tensor.name.hasSuffix("head_mask")
        ? kept.heads[layer] : tensor.name.hasSuffix("channel_mask") ? kept.channels[layer] : nil
      if let places { set(0..<tensor.count) { places.contains($0) ? 1 : 0 } }
      guard tensor.name.hasSuffix("lora_B.weight") || tensor.name.hasSuffix("adapter_up.weight")
      else { continue }
      let (ranks, columns) = (kept.ranks[module], tensor.fanIn)
      module += 1
      set(0..<tensor.count) {
        ranks.contains($0 % columns) ? model.parameters[tensor.offset + $0] : 0
      }
    }
    #expect(module == kept.ranks.count)
  }

  @Test(arguments: methods)
  func `one worker or two tell the same of the parts`(method: AdapterMethod) {
    let models = [1, 2].map { SmallModel(SmallModel.masked(by: method), batch: 4, workers: $0) }
    let statistics = models.map { $0.lossAndGradients(LossSettings()) }
    #expect(statistics[0] == statistics[1])
    #expect(statistics[0].adapterShares.count == models[0].configuration.moduleCount)
    #expect(statistics[0].adapterShares.allSatisfy { $0 > 0 })
    for tensor in models[0].engine.layout.tensors {
      #expect(models[0].gradient(tensor) == models[1].gradient(tensor))
    }
  }

  @Test func `masks are pulled to 0 from either side`() {
    let model = SmallModel(SmallModel.masked(by: .lora))
    let layout = model.engine.layout
    let gradient = FloatBuffer(count: layout.count)
    for tensor in layout.tensors where tensor.name.hasSuffix("mask") {
      for (index, value) in [Float(0.3), -0.2].enumerated() {
        model.parameters[tensor.offset + index] = value
      }
    }
    model.engine.addMaskPenalty(0.25, of: model.parameters, to: gradient)
    for tensor in layout.tensors {
      let first = (gradient[tensor.offset], gradient[tensor.offset + 1])
      #expect(tensor.name.hasSuffix("mask") ? first == (0.25, -0.25) : first == (0, 0))
    }
  }

  @Test func `no share takes a layer's last channel or the last rank`() {
    let importances = PartImportances(
      heads: [[1, 0.5], [-1, 0.2]], channels: [[0.1, 0.2], [1, 2]], modules: [1, 3],
      ranks: [[9, 9], [0, 0]])
    let kept = importances.kept(
      leavingOut: PruningShares(trunk: 0.95, modules: 0.95, ranks: 0.95))
    #expect(kept == KeptParts(heads: [[0], [1]], channels: [[1], [1]], ranks: [[], [1]]))
    let all = importances.kept(leavingOut: PruningShares(trunk: 0, modules: 0, ranks: 0))
    #expect(all.shape == PrunedShape(heads: 2, channels: [2, 2], ranks: [2, 2]))
  }

  @Test func `a shape that is not of the model is known`() {
    let model = SmallModel.adapted(by: .bottleneck)
    let right = PrunedShape(heads: 1, channels: [1, 48], ranks: [0, 3, 1, 2])
    #expect(right.fits(model))
    let wrong: [(inout PrunedShape) -> Void] = [
      { $0.heads = 3 }, { $0.heads = 0 }, { $0.channels = [1] }, { $0.channels[0] = 0 },
      { $0.channels[1] = 49 }, { $0.ranks = [1, 1] }, { $0.ranks[0] = 4 }, { $0.ranks[0] = -1 },
    ]
    for change in wrong {
      var shape = right
      change(&shape)
      #expect(!shape.fits(model), "\(shape)")
    }
  }
}
