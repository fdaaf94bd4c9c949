import Foundation
import Kernels
import Models
import Telemetry
import TestSupport
import Testing

@testable import Training

@Suite(.timeLimit(.minutes(15)))
struct DynamicSparsityTests {
  private static let model = ModelConfiguration(width: 48, layers: 1, heads: 2, context: 8)

  /// A model of other layers.
  struct LayerCase: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let change: @Sendable (inout ModelConfiguration) -> Void

    init(_ name: String, _ change: @escaping @Sendable (inout ModelConfiguration) -> Void) {
      (testDescription, self.change) = (name, change)
    }
  }

  /// A model of which a share is not there, with an optimiser.
  private struct Sparse {
    let engine: TransformerEngine
    let parameters: FloatBuffer
    let optimizer: Optimizer
    let sparsity: DynamicSparsity
    let slices: [FloatBuffer]

    init(
      _ share: Double, regrow: Int = 2, steps: Int = 20, workers: Int = 1, layers: LayerCase? = nil
    ) throws {
      var configuration = TrainingConfiguration(preset: .tiny)
      configuration.sparsity = share
      configuration.regrow = regrow
      configuration.steps = steps
      let pool = WorkerPool(workers: workers)
      var model = DynamicSparsityTests.model
      layers?.change(&model)
      engine = TransformerEngine(configuration: model, batch: 4, pool: pool)
      parameters = FloatBuffer(count: engine.layout.count)
      initialise(parameters: parameters, layout: engine.layout, seed: 3)
      optimizer = Optimizer(layout: engine.layout, pool: pool)
      sparsity = try #require(
        DynamicSparsity(configuration, layout: engine.layout, pool: pool))
      sparsity.begin(at: parameters, seed: 9)
      slices = engine.sliceGradients
    }

    var matrices: [ParameterTensor] { engine.layout.tensors.filter(\.role.isHiddenMatrix) }

    /// Fills the slices' gradients with numbers of their own.
    func drawGradients(_ seed: UInt64) {
      var random = RandomStream(seed: seed)
      for slice in slices {
        for index in 0..<slice.count { slice[index] = Float(random.normal()) }
      }
    }

    func update(_ step: Int) {
      if sparsity.isDue(at: step) { sparsity.measure(optimizer.sum(slices)) }
      sparsity.mask(slices)
      _ = optimizer.update(
        parameters: parameters, sliceGradients: slices, updates: step,
        rates: Optimizer.Rates(learningRate: 0.01, peakLearningRate: 0.01))
      guard sparsity.isDue(at: step) else { return }
      sparsity.regrow(
        at: step, parameters: parameters,
        moments: [optimizer.firstMoments, optimizer.secondMoments], frozenBlocks: 0)
    }

    /// Whether any number of a block of `buffer` is not 0.
    func isUsed(_ block: Int, of tensor: ParameterTensor, in buffer: FloatBuffer) -> Bool {
      let across = (tensor.fanIn + 15) / 16
      let (top, left) = (block / across * 16, block % across * 16)
      return (top..<top + 16).contains { row in
        (left..<left + 16).contains { buffer[tensor.offset + row * tensor.fanIn + $0] != 0 }
      }
    }
  }

  @Test(arguments: [0.3, 0.5, 0.8, 0.99])
  func `density is exact at every step, and what is not there is 0 with its moments`(
    share: Double
  ) throws {
    let sparse = try Sparse(share)
    for step in 0..<8 {
      sparse.drawGradients(UInt64(step))
      sparse.update(step)
      for tensor in sparse.matrices {
        let blocks = try #require(sparse.sparsity.blocks(of: tensor))
        let kept = max(1, Int((Double(blocks.count) * (1 - share)).rounded()))
        #expect(blocks.count { $0 } == kept, "\(tensor.name)")
        for (block, isThere) in blocks.enumerated() where !isThere {
          for buffer in [
            sparse.parameters, sparse.optimizer.firstMoments, sparse.optimizer.secondMoments,
          ] {
            #expect(!sparse.isUsed(block, of: tensor, in: buffer), "\(tensor.name)[\(block)]")
          }
        }
      }
    }
    #expect(sparse.sparsity.shares.contains { $0.churn > 0 })
  }

  @Test func `what is there has the gradient of the whole model, and nothing else has one`() throws
  {
    let sparse = try Sparse(0.5)
    var random = RandomStream(seed: 4)
    let tokens = (0..<4 * 9).map { _ in Token(random.next() % 11) }
    _ = tokens.withUnsafeBufferPointer {
      sparse.engine.lossAndGradients(
        parameters: sparse.parameters, tokens: $0, settings: LossSettings())
    }
    let whole = sparse.slices.map { slice in (0..<slice.count).map { slice[$0] } }
    sparse.sparsity.mask(sparse.slices)
    for tensor in sparse.matrices {
      let blocks = try #require(sparse.sparsity.blocks(of: tensor))
      for element in 0..<tensor.count {
        let (row, column) = (element / tensor.fanIn, element % tensor.fanIn)
        let isThere = blocks[row / 16 * ((tensor.fanIn + 15) / 16) + column / 16]
        let place = tensor.offset + element
        #expect(sparse.slices[0][place] == (isThere ? whole[0][place] : 0))
      }
    }
  }

  static let layers = [
    LayerCase("dense") { _ in }, LayerCase("ssm") { $0.mixers = [.ssm] },
    LayerCase("kat") { $0.feedForward = .kat },
    LayerCase("mixture") { $0.experts = ExpertConfiguration(count: 4, width: 32, active: 2) },
  ]

  @Test(arguments: layers)
  func `no pass writes a gradient of what is not there`(layers: LayerCase) throws {
    let sparse = try Sparse(0.6, layers: layers)
    let tokens = (0..<4 * 9).map { Token($0 % 11) }
    for slice in sparse.slices { for index in 0..<slice.count { slice[index] = 7 } }
    _ = tokens.withUnsafeBufferPointer {
      sparse.engine.lossAndGradients(
        parameters: sparse.parameters, tokens: $0, settings: LossSettings(),
        sparse: sparse.sparsity.matrices(at: 1))
    }
    for tensor in sparse.matrices {
      let blocks = try #require(sparse.sparsity.blocks(of: tensor))
      let across = (tensor.fanIn + 15) / 16
      let isLeft = (0..<tensor.count).allSatisfy { element in
        let block = element / tensor.fanIn / 16 * across + element % tensor.fanIn / 16
        return (sparse.slices[0][tensor.offset + element] == 7) != blocks[block]
      }
      #expect(isLeft, "\(tensor.name)")
    }
  }

  @Test(arguments: layers)
  func `passes that skip what is not there have the bits of whole ones`(layers: LayerCase) throws {
    for workers in [1, 2] {
      let sparse = try Sparse(0.6, workers: workers, layers: layers)
      var random = RandomStream(seed: 4)
      let tokens = (0..<4 * 9).map { _ in Token(random.next() % 11) }
      func pass(_ matrices: SparseMatrices?) -> (StepStatistics, [[UInt32]]) {
        let statistics = tokens.withUnsafeBufferPointer {
          sparse.engine.lossAndGradients(
            parameters: sparse.parameters, tokens: $0, settings: LossSettings(), sparse: matrices)
        }
        // Step 2 is one of an exchange, whose gradients are those of all blocks.
        if matrices?.takesWholeGradients != true { sparse.sparsity.mask(sparse.slices) }
        return (
          statistics, sparse.slices.map { slice in (0..<slice.count).map { slice[$0].bitPattern } }
        )
      }
      let whole = pass(nil)
      let skipping = pass(sparse.sparsity.matrices(at: 1))
      #expect(skipping.0 == whole.0 && skipping.1 == whole.1)
      let exchanging = pass(sparse.sparsity.matrices(at: 2))
      #expect(exchanging.0 == whole.0 && exchanging.1 != whole.1)
      sparse.sparsity.mask(sparse.slices)
      #expect(
        sparse.slices.map { slice in (0..<slice.count).map { slice[$0].bitPattern } } == whole.1)
    }
  }

  @Test func `the smallest go, those of the largest gradient come, and the first of equals`() throws
  {
    let sparse = try Sparse(0.5, steps: 1000)
    let tensor = try #require(sparse.engine.layout["model.layers.0.self_attn.dense.weight"])
    let before = try #require(sparse.sparsity.blocks(of: tensor))
    // 9 blocks, 5 of them there; at step 2 a share of 0.3 of them is 2.
    func fill(_ buffer: FloatBuffer, _ block: Int, _ value: Float) {
      for row in 0..<16 {
        for column in 0..<16 {
          let place = (block / 3 * 16 + row) * 48 + block % 3 * 16 + column
          buffer[tensor.offset + place] = value
        }
      }
    }
    let present = before.indices.filter { before[$0] }
    let absent = before.indices.filter { !before[$0] }
    try #require(present.count == 5 && absent.count == 4)
    for (order, block) in present.enumerated() {
      // Two of the same size: the first of them goes.
      fill(sparse.parameters, block, [3, 1, 2, 1, 1][order])
    }
    let gradient = FloatBuffer(count: sparse.parameters.count)
    for (order, block) in absent.enumerated() { fill(gradient, block, [0.5, 7, 7, 7][order]) }
    sparse.sparsity.measure(gradient)
    sparse.sparsity.regrow(
      at: 2, parameters: sparse.parameters,
      moments: [sparse.optimizer.firstMoments, sparse.optimizer.secondMoments], frozenBlocks: 0)
    let after = try #require(sparse.sparsity.blocks(of: tensor))
    #expect(!after[present[1]] && !after[present[3]] && after[present[4]])
    #expect(after[absent[1]] && after[absent[2]] && !after[absent[3]] && !after[absent[0]])
    #expect(!sparse.isUsed(absent[1], of: tensor, in: sparse.parameters))
  }

  @Test func `a block that would go and come at once stays as it is`() throws {
    let sparse = try Sparse(0.5, steps: 1000)
    let tensor = try #require(sparse.engine.layout["model.layers.0.self_attn.dense.weight"])
    let before = try #require(sparse.sparsity.blocks(of: tensor))
    let kept = (0..<tensor.count).map { sparse.parameters[tensor.offset + $0] }
    // What is there has all the gradient.
    sparse.sparsity.measure(sparse.parameters)
    sparse.sparsity.regrow(at: 2, parameters: sparse.parameters, moments: [], frozenBlocks: 0)
    #expect(sparse.sparsity.blocks(of: tensor) == before)
    #expect(kept == (0..<tensor.count).map { sparse.parameters[tensor.offset + $0] })
    #expect(sparse.sparsity.shares.allSatisfy { $0.churn == 0 })
  }

  @Test func `frozen blocks of the model keep theirs`() throws {
    let sparse = try Sparse(0.5, steps: 1000)
    let before = sparse.matrices.map { sparse.sparsity.blocks(of: $0) }
    sparse.drawGradients(1)
    sparse.sparsity.measure(sparse.slices[0])
    sparse.sparsity.regrow(at: 2, parameters: sparse.parameters, moments: [], frozenBlocks: 1)
    #expect(sparse.matrices.map { sparse.sparsity.blocks(of: $0) } == before)
  }

  @Test func `the share falls along a cosine and ends at three quarters of the run`() {
    let schedule = RegrowthSchedule(every: 10, steps: 400)
    #expect((0..<400).filter(schedule.isDue).first == 10)
    #expect((0..<400).filter(schedule.isDue).last == 290)
    #expect(schedule.share(at: 0) == 0.3 && abs(schedule.share(at: 150) - 0.15) < 1e-12)
    #expect(schedule.share(at: 290) < 0.001 && schedule.share(at: 300) == 0)
    #expect(!(0..<400).contains(where: RegrowthSchedule(every: 0, steps: 400).isDue))
  }

  @Test(arguments: [
    (["regrow": "10"], "--regrow needs blocks that are not there: add --sparsity 0.8"),
    (
      ["sparsity": "0.5", "optimizer": "muon"],
      "muon's updates are whole matrices, and --sparsity leaves blocks out: choose another optimizer"
    ),
    (
      ["sparsity": "0.5", "sigma-reparam": "on"],
      "sigma-reparam divides whole matrices by σ, and --sparsity leaves blocks out: choose one of"
        + " them"
    ),
    (
      ["sparsity": "0.5", "sharpness-every": "100"],
      "sharpness is that of whole matrices, and --sparsity leaves blocks out: leave"
        + " --sharpness-every out"
    ),
    (["sparsity": "1"], "'1' is no value for sparsity: give a number from 0 to 0.99"),
  ])
  func `what cannot be is refused in one line`(options: [String: String], line: String) {
    let error = #expect(throws: ConfigurationError.self) {
      try TrainingConfiguration(options: options.merging(["preset": "tiny"]) { own, _ in own })
    }
    #expect(error?.description == line)
  }
}
