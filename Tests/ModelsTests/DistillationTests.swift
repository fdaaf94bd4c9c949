import Foundation
import Kernels
import Models
import Testing

/// Losses in part of a teacher's distributions.
@Suite(.timeLimit(.minutes(15)))
struct DistillationTests {
  /// What PyTorch computed; made by make_distil.py.
  private struct Recorded: Decodable {
    struct Tensor: Decodable {
      let name: String
      let count: Int
    }

    let width: Int
    let layers: Int
    let heads: Int
    let context: Int
    let batch: Int
    let mixers: [String]?
    let share: Float
    let temperature: Float
    let zLoss: Float?
    let cap: Float?
    let tokens: [Token]
    let loss: Double
    let soft: Double
    let tensors: [Tensor]

    var model: ModelConfiguration {
      var model = ModelConfiguration(
        width: width, layers: layers, heads: heads, context: context)
      if let mixers { model.mixers = mixers.compactMap(LayerKind.init) }
      return model
    }
  }

  @Test(arguments: ["dense", "capped", "ssm"])
  func `both losses and the gradients are PyTorch's`(name: String) throws {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("Recorded/distil-\(name)")
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    let recorded = try decoder.decode(
      Recorded.self, from: Data(contentsOf: file.appendingPathExtension("json")))
    var numbers = try Data(contentsOf: file.appendingPathExtension("bin")).withUnsafeBytes {
      Array($0.bindMemory(to: Float.self))
    }[...]
    let engine = TransformerEngine(
      configuration: recorded.model, batch: recorded.batch, pool: WorkerPool(workers: 2))
    let tensors = engine.layout.tensors
    #expect(tensors.map(\.name) == recorded.tensors.map(\.name))
    let parameters = FloatBuffer(count: engine.layout.count)
    for tensor in tensors {
      for index in 0..<tensor.count { parameters[tensor.offset + index] = numbers.removeFirst() }
    }
    let gradients = tensors.map { tensor in (0..<tensor.count).map { _ in numbers.removeFirst() } }
    let teacher = FloatBuffer(count: numbers.count)
    for (index, logit) in numbers.enumerated() { teacher[index] = logit }
    let statistics = recorded.tokens.withUnsafeBufferPointer {
      engine.lossAndGradients(
        parameters: parameters, tokens: $0,
        settings: LossSettings(zLoss: recorded.zLoss ?? 0, outputSoftCap: recorded.cap ?? 0),
        tokenLoss: Distillation(
          share: recorded.share, temperature: recorded.temperature, teacher: teacher))
    }
    #expect(abs(statistics.loss - recorded.loss) < 1e-5)
    #expect(abs(statistics.divergence - recorded.soft) < 1e-5 * max(1, recorded.soft))
    for (tensor, judge) in zip(tensors, gradients) {
      let own = (0..<tensor.count).map { index in
        engine.sliceGradients.reduce(0) { $0 + $1[tensor.offset + index] }
      }
      let largest = judge.map(abs).max() ?? 0
      let error = zip(own, judge).map { abs($0 - $1) }.max() ?? 0
      #expect(error <= 2e-4 * largest + 1e-7, "\(tensor.name): \(error) of \(largest)")
    }
  }

  /// A small model with another one's logits.
  private struct Case {
    let model = SmallModel(SmallModel.dense, batch: 4)
    let settings = LossSettings(zLoss: 0.05, outputSoftCap: 1.5)
    let loss: Distillation

    init(teacherSeed: UInt64, share: Float, temperature: Float) {
      let other = SmallModel(SmallModel.dense, batch: 4, seed: teacherSeed)
      let (logits, settings) = (FloatBuffer(count: 4 * SmallModel.dense.context * 256), settings)
      _ = model.tokens.withUnsafeBufferPointer {
        other.engine.loss(
          parameters: other.parameters, tokens: $0, settings: settings, logits: logits)
      }
      loss = Distillation(share: share, temperature: temperature, teacher: logits)
    }

    func pass() -> StepStatistics {
      model.tokens.withUnsafeBufferPointer {
        model.engine.lossAndGradients(
          parameters: model.parameters, tokens: $0, settings: settings, tokenLoss: loss)
      }
    }

    /// What the gradient is taken of.
    var objective: Double {
      let statistics = pass()
      return Double(1 - loss.share) * statistics.loss + Double(loss.share) * statistics.divergence
        + statistics.zLoss
    }
  }

  @Test(arguments: [(0.5, 1), (0.8, 3), (1, 0.5)])
  func `its gradient is that of differences`(share: Float, temperature: Float) throws {
    let distilled = Case(teacherSeed: 9, share: share, temperature: temperature)
    let parameters = distilled.model.parameters
    for name in ["model.embed_tokens.weight", "model.layers.1.mlp.dense_4h_to_h.weight"] {
      let tensor = try #require(distilled.model.engine.layout[name])
      _ = distilled.pass()
      let gradient = distilled.model.gradient(tensor)
      let norm = gradient.reduce(0) { $0 + $1 * $1 }.squareRoot()
      let values = [Float(-2), -1, 1, 2].map { multiple -> Double in
        let step = 8e-3 * multiple / norm
        for (index, part) in gradient.enumerated() {
          parameters[tensor.offset + index] += step * part
        }
        defer {
          for (index, part) in gradient.enumerated() {
            parameters[tensor.offset + index] -= step * part
          }
        }
        return distilled.objective
      }
      let found = (8 * (values[2] - values[1]) - (values[3] - values[0])) / (12 * 8e-3)
      #expect(abs(found - Double(norm)) < 2e-3 * Double(norm) + 2e-4, "\(name): \(found), \(norm)")
    }
  }

  /// Where τ is large the divergence is a small number that τ² makes large.
  @Test(arguments: [0.2, 1, 30, 100] as [Float])
  func `its divergence is that of doubles at any temperature`(temperature: Float) {
    let distilled = Case(teacherSeed: 9, share: 0.5, temperature: temperature)
    let scale = Double(temperature)
    let own = distilled.model.logits(distilled.settings).map { Double($0) / scale }
    let wanted = (0..<own.count).map { Double(distilled.loss.teacher[$0]) / scale }
    func logs(_ row: ArraySlice<Double>) -> [Double] {
      let logZ = log(row.reduce(0) { $0 + exp($1) })
      return row.map { $0 - logZ }
    }
    var sum = 0.0
    for start in stride(from: 0, to: own.count, by: 256) {
      let (p, q) = (logs(own[start..<start + 256]), logs(wanted[start..<start + 256]))
      sum += zip(p, q).reduce(0) { $0 + exp($1.1) * ($1.1 - $1.0) }
    }
    let judge = scale * scale * sum / Double(own.count / 256)
    let found = distilled.pass().divergence
    #expect(abs(found - judge) < 2e-5 * judge, "\(found), \(judge)")
  }

  @Test func `a teacher that is the model itself leaves the data's part alone`() {
    let distilled = Case(teacherSeed: 1, share: 0.25, temperature: 2)
    let statistics = distilled.pass()
    #expect(abs(statistics.divergence) < 1e-6)
    let plain = distilled.model.lossAndGradients(
      LossSettings(zLoss: 0.05 / 0.75, outputSoftCap: 1.5))
    let judge = distilled.model.engine.layout.tensors.map(distilled.model.gradient)
    _ = distilled.pass()
    let own = distilled.model.engine.layout.tensors.map(distilled.model.gradient)
    #expect(abs(statistics.loss - plain.loss) < 1e-6)
    for (one, other) in zip(own, judge) {
      #expect(zip(one, other).allSatisfy { abs($0 - 0.75 * $1) < 1e-5 })
    }
  }

  @Test(arguments: [SmallModel.dense, SmallModel.mixture])
  func `a step's logits are those of one window after the other`(model: ModelConfiguration) {
    for workers in [1, 2] {
      let small = SmallModel(model, batch: 4, workers: workers)
      let logits = FloatBuffer(count: 4 * model.context * 256)
      let statistics = small.tokens.withUnsafeBufferPointer {
        small.engine.loss(
          parameters: small.parameters, tokens: $0, settings: LossSettings(), logits: logits)
      }
      #expect((0..<logits.count).map { logits[$0] } == small.logits(LossSettings()))
      #expect(statistics.loss == small.loss(LossSettings()).loss)
    }
  }
}
