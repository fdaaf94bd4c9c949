import Foundation
import Kernels
import Models
import Telemetry
import TestSupport
import Testing

@testable import Training

/// Whole runs of sparse matrices: their bits, what they go on from, and what is refused.
@Suite(.timeLimit(.minutes(15)))
struct DynamicSparsityRunTests {
  private static func run(workers: Int, folder: URL? = nil) async throws -> TrainedRun {
    try await TrainedRun(checkpointFolder: folder) {
      $0.model.width = 32
      $0.model.feedForwardWidth = 128
      $0.sparsity = 0.5
      $0.regrow = 4
      $0.steps = 40
      $0.checkpointEvery = 9
      $0.workers = workers
    }
  }

  @Test func `it trains, its bits are the same for all workers, and it goes on from checkpoints`()
    async throws
  {
    let folder = try TestFolder()
    let one = try await Self.run(workers: 1, folder: folder.url)
    let two = try await Self.run(workers: 2)
    #expect(one.samples.map(\.unclocked) == two.samples.map(\.unclocked))
    let losses = one.values(MetricCatalog.loss)
    #expect(losses.count == 40 && losses[39] < losses[0] - 0.5)
    for entry in try CheckpointFolder.list(in: folder.url.path) where entry.step < 40 {
      let rest = try await TrainedRun(resuming: CheckpointFolder.read(entry.path))
      let expected = Array(one.samples.map(\.unclocked).dropFirst(entry.step))
      #expect(rest.samples.map(\.unclocked) == expected, "from \(entry.step)")
    }
    let empty = one.values("sparsity/L0.qkv")
    #expect(empty.count == 4 && empty.allSatisfy { $0 == 0.5 })
    let churn = one.values("sparsity_churn/L1.up")
    #expect(churn[0] == 0 && churn[1] > 0 && churn.allSatisfy { $0 < 0.5 })
  }

  private static func refusal(
    of checkpoint: Checkpoint, _ change: [String: String] = [:]
  ) throws -> String {
    let options = try checkpoint.continuation().options.merging(change) { $1 }
    let configuration = try TrainingConfiguration(options: options)
    do {
      _ = try TrainingRun(
        resuming: checkpoint, configuration: configuration,
        corpus: Corpus.synthetic(seed: 1, bytes: 20_000), script: [], checkpointFolder: nil)
      return "taken"
    } catch {
      return "\(error)"
    }
  }

  @Test func `a run goes on with its own sparsity alone`() async throws {
    for (sparsity, other, words) in [
      (0.5, "0.6", "trains matrices with a sparsity of 0.5: leave sparsity out when resuming"),
      (0, "0.5", "trains whole matrices: leave sparsity out when resuming"),
    ] {
      let folder = try TestFolder()
      _ = try await TrainedRun(checkpointFolder: folder.url) {
        $0.sparsity = sparsity
        $0.steps = 2
      }
      let checkpoint = try CheckpointFolder.read(folder.url.path)
      #expect(try Self.refusal(of: checkpoint) == "taken")
      #expect(try Self.refusal(of: checkpoint, ["sparsity": other]).hasSuffix(words))
    }
  }

  @Test func `masks are no more than masks, and what is not there is cleared`() throws {
    let folder = try TestFolder()
    var configuration = TrainingConfiguration.small(.tiny)
    configuration.sparsity = 0.5
    let corpus = Corpus.synthetic(seed: 1, bytes: 20_000)
    let run = try TrainingRun(
      configuration: configuration, corpus: corpus, checkpointFolder: folder.url)
    let sparsity = try #require(run.sparsity)
    let tensor = try #require(run.engine.layout.tensors.first { $0.role.isHiddenMatrix })
    let absent = try #require(sparsity.blocks(of: tensor)?.firstIndex(of: false))
    let across = (tensor.fanIn + 15) / 16
    let place = tensor.offset + absent / across * 16 * tensor.fanIn + absent % across * 16
    for buffer in [run.parameters, run.optimizer.firstMoments, run.optimizer.secondMoments] {
      buffer[place] = 3
    }
    _ = run.writeCheckpoint(by: "test")
    let rest = try TrainingRun(
      resuming: CheckpointFolder.read(folder.url.path), configuration: configuration,
      corpus: corpus, script: [], checkpointFolder: nil)
    #expect(rest.parameters[place] == 0 && rest.optimizer.firstMoments[place] == 0)
    #expect(rest.optimizer.secondMoments[place] == 0)
    for value in [Float(0.5), 1, .nan] {
      sparsity.stored[0].values[absent] = value
      _ = run.writeCheckpoint(by: "test")
      let words = try Self.refusal(of: CheckpointFolder.read(folder.url.path))
      #expect(words.contains("optimizer.safetensors: damaged, expected"), "\(words)")
      #expect(words.contains(" blocks at 1 in \(tensor.name).mask") && !words.contains("\n"))
    }
  }

  /// What PyTorch computed; made by make_sparse.py beside it.
  private struct Recorded: Decodable {
    struct Tensor: Decodable {
      let name: String
      let count: Int
      let finalNorm: Double
    }

    let sparsity: Double
    let every: Int
    let start: [String: String]
    let masks: [[String: String]]
    let losses: [Double]
    let gradNorms: [Double]
    let batches: [[Token]]
    let peak: Float
    let warmup: Int
    let weightDecay: Float
    let width: Int
    let context: Int
    let batch: Int
    let tensors: [Tensor]

    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("Recorded")

    static func read() throws -> Recorded {
      let decoder = JSONDecoder()
      decoder.keyDecodingStrategy = .convertFromSnakeCase
      return try decoder.decode(
        Recorded.self, from: Data(contentsOf: folder.appendingPathComponent("sparse.json")))
    }

    static func parameters() throws -> [Float] {
      try Data(contentsOf: folder.appendingPathComponent("sparse.bin")).withUnsafeBytes {
        Array($0.bindMemory(to: Float.self))
      }
    }
  }

  @Test func `ten steps have PyTorch's losses, norms and blocks`() throws {
    let recorded = try Recorded.read()
    var configuration = TrainingConfiguration(preset: .tiny)
    configuration.sparsity = recorded.sparsity
    configuration.regrow = recorded.every
    configuration.steps = recorded.losses.count
    let pool = WorkerPool(workers: 2)
    let engine = TransformerEngine(
      configuration: ModelConfiguration(
        width: recorded.width, layers: 1, heads: 2, context: recorded.context),
      batch: recorded.batch, pool: pool)
    let (layout, parameters) = (engine.layout, FloatBuffer(count: engine.layout.count))
    var numbers = try Recorded.parameters()[...]
    for tensor in layout.tensors {
      for index in 0..<tensor.count { parameters[tensor.offset + index] = numbers.removeFirst() }
    }
    let optimizer = Optimizer(layout: layout, pool: pool)
    let sparsity = try #require(DynamicSparsity(configuration, layout: layout, pool: pool))
    for tensor in sparsity.stored {
      guard let start = recorded.start[tensor.name.replacing(".mask", with: "")] else { continue }
      for (index, digit) in start.enumerated() { tensor.values[index] = digit == "1" ? 1 : 0 }
    }
    sparsity.mask([parameters])
    for (step, batch) in recorded.batches.enumerated() {
      let statistics = batch.withUnsafeBufferPointer {
        engine.lossAndGradients(parameters: parameters, tokens: $0, settings: LossSettings())
      }
      let isDue = sparsity.isDue(at: step)
      if isDue { sparsity.measure(optimizer.sum(engine.sliceGradients)) }
      sparsity.mask(engine.sliceGradients)
      var rates = Optimizer.Rates(
        learningRate: recorded.peak * min(1, Float(step + 1) / Float(recorded.warmup)),
        peakLearningRate: recorded.peak)
      rates.weightDecay = recorded.weightDecay
      let update = optimizer.update(
        parameters: parameters, sliceGradients: engine.sliceGradients, updates: step, rates: rates)
      if isDue {
        sparsity.regrow(
          at: step, parameters: parameters,
          moments: [optimizer.firstMoments, optimizer.secondMoments], frozenBlocks: 0)
      }
      #expect(abs(statistics.loss - recorded.losses[step]) < 2e-5, "step \(step)")
      let norm = recorded.gradNorms[step]
      #expect(abs(update.gradNorm - norm) < 1e-4 * norm, "step \(step)")
      for (name, digits) in recorded.masks[step] {
        let tensor = try #require(layout[name])
        let blocks = try #require(sparsity.blocks(of: tensor))
        #expect(blocks.map { $0 ? "1" : "0" }.joined() == digits, "\(name), step \(step)")
      }
    }
    for (tensor, expected) in zip(layout.tensors, recorded.tensors) {
      let squares = (tensor.offset..<tensor.offset + tensor.count).reduce(0.0) {
        $0 + Double(parameters[$1]) * Double(parameters[$1])
      }
      #expect(tensor.name == expected.name)
      #expect(abs(squares.squareRoot() - expected.finalNorm) < 1e-4, "\(tensor.name)")
    }
    #expect(recorded.masks.last != recorded.masks.first)
  }
}
