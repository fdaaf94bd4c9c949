import Kernels
import Models
import Testing

/// Texts that grow, against the training pass over the same bytes.
@Suite(.timeLimit(.minutes(15)))
struct InferenceTests {
  /// A model and its engine for texts.
  private struct Growing {
    let model: SmallModel
    let settings: LossSettings
    let engine: InferenceEngine
    var context: Int { model.configuration.context }

    init(
      _ configuration: ModelConfiguration, _ settings: LossSettings = LossSettings(),
      batch: Int = 4, workers: Int = 1
    ) {
      var settings = settings
      if configuration.experts?.router.conformer.hasScores == true {
        settings.routerBias = (0..<configuration.routerBiasCount).map { Float($0 % 3) * 0.1 }
      }
      self.settings = settings
      model = SmallModel(configuration, batch: batch)
      engine = InferenceEngine(
        configuration: configuration, settings: settings, parameters: model.parameters,
        trunk: model.engine.trunk, pool: WorkerPool(workers: workers))
    }

    func window(_ number: Int) -> [Token] {
      Array(model.tokens[number * (context + 1)..<(number + 1) * (context + 1) - 1])
    }

    /// The training pass's logits of one window, which is the first of its call.
    func trained(_ number: Int) -> [Float] {
      let start = number * (context + 1)
      return Array(model.tokens[start..<start + context + 1]).withUnsafeBufferPointer {
        model.engine.logits(
          parameters: model.parameters, tokens: $0, rows: 1, settings: settings)
      }
    }

    /// The logits of all bytes of `text`, taken in passes of these sizes.
    func grown(
      _ text: [Token], passes: [Int], slot: Int = 0, in lane: InferenceLane, from first: Int = 0
    ) -> [Float] {
      var (position, logits) = (first, [Float]())
      for count in passes {
        let part = lane.prefix(count)
        for index in 0..<count {
          part.texts[index] = row(text, position + index, slot: slot)
        }
        part.forward()
        logits += part.logits.values
        position += count
      }
      return logits
    }

    func row(_ text: [Token], _ position: Int, slot: Int) -> TextRow {
      TextRow(
        slot: slot, position: position, token: text[position],
        before: position > 0 ? UInt16(text[position - 1]) : 256)
    }

    func lanes(slots: Int = 1, places: Int? = nil, splits: Bool = false) -> InferenceLanes {
      engine.lanes(
        1, rows: max(slots, context), slots: slots, places: places ?? context, splits: splits)
    }
  }

  private static let settings = [
    LossSettings(), LossSettings(qkLayerNormWeight: 0.37, logitSoftCap: 2),
    LossSettings(qkLayerNormWeight: 1, outputSoftCap: 1.5),
  ]

  private func expectTrained(_ growing: Growing) {
    let lanes = growing.lanes()
    for number in 0..<growing.model.batch {
      let logits = growing.grown(
        growing.window(number), passes: Array(repeating: 1, count: growing.context),
        in: lanes.lanes[0])
      let judge = growing.trained(number)
      #expect(logits.count == judge.count)
      let error = zip(logits, judge).reduce(0) { max($0, abs($1.0 - $1.1)) }
      #expect(error < 2e-5, "\(growing.model.configuration) \(growing.settings)")
    }
  }

  @Test(arguments: LayerKind.mixers, LayerKind.feedForwards)
  func `a text taken byte by byte has the logits of the training pass`(
    mixer: LayerKind, feedForward: LayerKind
  ) {
    for settings in Self.settings {
      expectTrained(Growing(LayerTests.model(mixer, feedForward), settings))
    }
  }

  @Test(arguments: LayerKind.mixers, ExpertRouter.allCases)
  func `so has a mixture's, whatever chooses its experts`(mixer: LayerKind, router: ExpertRouter) {
    for every in 1...2 {
      var configuration = LayerTests.model(mixer, .gelu, router: router)
      configuration.experts?.every = every
      configuration.experts?.sharedWidth = every == 2 ? 6 : 0
      expectTrained(Growing(configuration, LossSettings(qkLayerNormWeight: 0.5, draw: 3)))
    }
  }

  @Test(arguments: ArchitectureTests.models)
  func `so has every family`(configuration: ModelConfiguration) {
    for settings in Self.settings { expectTrained(Growing(configuration, settings)) }
  }

  @Test(arguments: AdapterMethod.allCases)
  func `so has what an adapter makes of it`(method: AdapterMethod) {
    for settings in Self.settings {
      expectTrained(Growing(SmallModel.adapted(by: method), settings))
    }
  }

  @Test(arguments: AdapterMethod.allCases.filter(\.isPrunable))
  func `so has what pruning has left`(method: AdapterMethod) {
    for settings in Self.settings {
      expectTrained(Growing(SmallModel.pruned(by: method), settings))
    }
  }

  private static let mixed: ModelConfiguration = {
    var configuration = SmallModel.dense
    configuration.mixers = [.ssm, .attention]
    return configuration
  }()

  @Test(
    arguments: [SmallModel.dense, SmallModel.mixture, SmallModel.recurrent, mixed]
      + ArchitectureTests.models)
  func `the bits depend neither on the cut nor on the texts beside`(
    configuration: ModelConfiguration
  ) {
    let growing = Growing(configuration)
    let lanes = growing.lanes(slots: 4)
    let lane = lanes.lanes[0]
    let texts = (0..<4).map(growing.window)
    let alone = texts.map { growing.grown($0, passes: [5], in: lane) }
    #expect(growing.grown(texts[1], passes: [2, 1, 2], slot: 2, in: lane) == alone[1])
    let together = lane.prefix(4)
    var logits = Array(repeating: [Float](), count: 4)
    for position in 0..<growing.context {
      for slot in 0..<4 {
        together.texts[slot] = growing.row(texts[slot], position, slot: slot)
      }
      together.forward()
      for slot in 0..<4 { logits[slot] += together.logits.rows(from: slot, count: 1).values }
    }
    #expect(logits == alone)
  }

  @Test(arguments: [SmallModel.dense, mixed])
  func `a slot goes on from another one's text`(configuration: ModelConfiguration) {
    let growing = Growing(configuration, LossSettings(qkLayerNormWeight: 0.4))
    let lanes = growing.lanes(slots: 2)
    let (lane, text) = (lanes.lanes[0], growing.window(0))
    let whole = growing.grown(text, passes: [3, 2], in: lane)
    _ = growing.grown(growing.window(1), passes: [5], slot: 1, in: lane)
    _ = growing.grown(text, passes: [3], in: lane)
    lane.copy(3, from: 0, to: 1)
    let rest = growing.grown(text, passes: [1, 1], slot: 1, in: lane, from: 3)
    #expect(rest == Array(whole[(3 * 256)...]))
  }

  @Test func `workers that share a product leave its bits alone`() {
    let wide = ModelConfiguration(width: 160, layers: 1, heads: 2, context: 4)
    let (one, two) = (Growing(wide, batch: 1), Growing(wide, batch: 1, workers: 2))
    let (text, plain, split) = (one.window(0), one.lanes(), two.lanes(splits: true))
    #expect(
      one.grown(text, passes: [1, 1, 2], in: plain.lanes[0])
        == two.grown(text, passes: [1, 1, 2], in: split.lanes[0]))
  }

  /// Of one layer, whose keys and values say nothing of the bytes before.
  @Test func `beyond the places that are kept a text is seen by its last bytes`() {
    var configuration = SmallModel.dense
    configuration.layers = 1
    let growing = Growing(configuration)
    let lanes = growing.lanes()
    let text = (0..<23).map { Token($0 * 7 % 11) }
    let logits = growing.grown(
      text, passes: Array(repeating: 1, count: 23), in: lanes.lanes[0])
    let fresh = growing.grown(Array(text.suffix(5)), passes: [5], in: lanes.lanes[0])
    let error = zip(logits.suffix(256), fresh.suffix(256)).reduce(0) { max($0, abs($1.0 - $1.1)) }
    #expect(error < 2e-5)
  }

  @Test func `new parameters are taken when they are asked for`() {
    let growing = Growing(SmallModel.dense)
    let (lanes, text) = (growing.lanes(), growing.window(0))
    let before = growing.grown(text, passes: [5], in: lanes.lanes[0])
    for index in 0..<growing.model.parameters.count { growing.model.parameters[index] *= 1.5 }
    growing.engine.read(growing.settings)
    #expect(growing.grown(text, passes: [5], in: lanes.lanes[0]) != before)
    expectTrained(growing)
  }
}
