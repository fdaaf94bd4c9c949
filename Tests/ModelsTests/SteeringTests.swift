import Foundation
import Kernels
import Models
import Testing

/// Losses whose tokens count other than in a mean.
@Suite(.timeLimit(.minutes(15)))
struct SteeringTests {
  private static let settings = [
    LossSettings(), LossSettings(qkLayerNormWeight: 1, zLoss: 0.05, outputSoftCap: 1.5),
  ]

  private struct Case {
    let model: SmallModel
    let steering: Steering
    let reference: [Float]
    let settings: LossSettings

    init(_ settings: LossSettings) {
      model = SmallModel(SmallModel.dense, batch: 4)
      self.settings = settings
      let tokens = model.batch * model.configuration.context
      steering = Steering(tokens: tokens, vocabulary: 256)
      let other = SmallModel(SmallModel.dense, batch: 4, seed: 9)
      reference = other.logits(settings)
      for (index, logit) in reference.enumerated() { steering.reference[index] = logit }
      for token in 0..<tokens {
        steering.weights[token] = [1, 0, -0.7, 2][token % 4]
        steering.shares[token] = [0.5, 2][token % 2]
        steering.pulls[token] = [0, 1.5, 0.5][token % 3]
      }
    }

    func gradients(of tensor: ParameterTensor) -> (StepStatistics, [Float]) {
      let statistics = model.tokens.withUnsafeBufferPointer {
        model.engine.lossAndGradients(
          parameters: model.parameters, tokens: $0, settings: settings, tokenLoss: steering)
      }
      return (statistics, model.gradient(tensor))
    }

    /// What the gradient is taken of, from the logits alone.
    var objective: (loss: Double, told: Double, divergence: Double, zLoss: Double) {
      let logits = model.logits(settings)
      var (loss, told, divergence, square) = (0.0, 0.0, 0.0, 0.0)
      let count = logits.count / 256
      for token in 0..<count {
        let own = logSoftmax(logits[token * 256..<(token + 1) * 256])
        let other = logSoftmax(reference[token * 256..<(token + 1) * 256])
        let (row, position) = (
          token / model.configuration.context, token % model.configuration.context
        )
        let target = model.tokens[row * (model.configuration.context + 1) + position + 1]
        loss -= Double(steering.weights[token]) * own.values[Int(target)]
        told -= Double(steering.shares[token]) * own.values[Int(target)]
        square += own.logZ * own.logZ
        guard steering.pulls[token] != 0 else { continue }
        let distance = zip(own.values, other.values).reduce(0) { $0 + exp($1.0) * ($1.0 - $1.1) }
        divergence += Double(steering.pulls[token]) * distance
      }
      let tokens = Double(count)
      return (
        loss / tokens, told / tokens, divergence / tokens,
        Double(settings.zLoss) * square / tokens
      )
    }

    private func logSoftmax(_ logits: ArraySlice<Float>) -> (values: [Double], logZ: Double) {
      let logZ = log(logits.reduce(0) { $0 + exp(Double($1)) })
      return (logits.map { Double($0) - logZ }, logZ)
    }
  }

  @Test(arguments: settings)
  func `weighted tokens and the divergence have the gradients of differences`(
    settings: LossSettings
  ) throws {
    let steered = Case(settings)
    for name in ["model.embed_tokens.weight", "model.layers.1.mlp.dense_4h_to_h.weight"] {
      let tensor = try #require(steered.model.engine.layout[name])
      let (statistics, gradient) = steered.gradients(of: tensor)
      let objective = steered.objective
      #expect(abs(statistics.objective - objective.loss) < 1e-5)
      #expect(abs(statistics.loss - objective.told) < 1e-5)
      #expect(abs(statistics.zLoss - objective.zLoss) < 1e-5)
      let norm = gradient.reduce(0) { $0 + $1 * $1 }.squareRoot()
      let found = slope(steered, tensor, gradient.map { $0 / norm })
      #expect(abs(found - Double(norm)) < 2e-3 * Double(norm) + 2e-4, "\(name): \(found), \(norm)")
    }
  }

  private func slope(_ steered: Case, _ tensor: ParameterTensor, _ direction: [Float]) -> Double {
    let parameters = steered.model.parameters
    let values = [Float(-2), -1, 1, 2].map { multiple -> Double in
      for (index, component) in direction.enumerated() {
        parameters[tensor.offset + index] += 8e-3 * multiple * component
      }
      let objective = steered.objective
      for (index, component) in direction.enumerated() {
        parameters[tensor.offset + index] -= 8e-3 * multiple * component
      }
      return objective.loss + objective.divergence + objective.zLoss
    }
    return (8 * (values[2] - values[1]) - (values[3] - values[0])) / (12 * 8e-3)
  }

  @Test func `where every token counts 1 it is the plain loss, to rounding`() {
    let steered = Case(LossSettings())
    for token in 0..<steered.steering.weights.count {
      steered.steering.weights[token] = 1
      steered.steering.shares[token] = 1
      steered.steering.pulls[token] = 0
    }
    let tensors = steered.model.engine.layout.tensors
    for tensor in tensors {
      let (statistics, gradient) = steered.gradients(of: tensor)
      let plain = steered.model.lossAndGradients(LossSettings())
      #expect(abs(statistics.loss - plain.loss) < 1e-6)
      #expect(abs(statistics.objective - plain.loss) < 1e-6)
      let judge = steered.model.gradient(tensor)
      #expect(zip(gradient, judge).allSatisfy { abs($0 - $1) < 1e-5 }, "\(tensor.name)")
    }
  }
}
