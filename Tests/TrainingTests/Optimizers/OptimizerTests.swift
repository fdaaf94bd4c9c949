import Foundation
import Kernels
import Models
import Testing
import Training

@Suite(.timeLimit(.minutes(15)))
struct OptimizerTests {
  private let layout = ParameterLayout(
    ModelConfiguration(width: 10, layers: 1, heads: 1, context: 4))

  private func filled(_ value: (Int) -> Float) -> FloatBuffer {
    let buffer = FloatBuffer(count: layout.count)
    for tensor in layout.tensors {
      for index in tensor.offset..<tensor.offset + tensor.count { buffer[index] = value(index) }
    }
    return buffer
  }

  private func rates(decay: Float, clip: Float) -> Optimizer.Rates {
    var rates = Optimizer.Rates(learningRate: 0.01, peakLearningRate: 0.04)
    rates.weightDecay = decay
    rates.gradClip = clip
    return rates
  }

  @Test
  func `the first update moves every parameter by the learning rate against its sign`() {
    let optimizer = Optimizer(layout: layout, pool: WorkerPool(workers: 1))
    let parameters = filled { _ in 0.5 }
    let gradient = filled { $0 % 2 == 0 ? 0.3 : -0.002 }
    let update = optimizer.update(
      parameters: parameters, sliceGradients: [gradient], updates: 0,
      rates: rates(decay: 0, clip: 0))
    for tensor in layout.tensors {
      for index in tensor.offset..<tensor.offset + tensor.count {
        let expected: Float = index % 2 == 0 ? 0.49 : 0.51
        #expect(abs(parameters[index] - expected) < 1e-6)
      }
    }
    #expect(update.updateRMS.allSatisfy { abs($0 - 0.01) < 1e-6 })
    #expect(!update.isClipped)
  }

  @Test
  func `decay follows the schedule, not the rate, and spares the gains`() {
    let optimizer = Optimizer(layout: layout, pool: WorkerPool(workers: 1))
    let parameters = filled { _ in 2 }
    _ = optimizer.update(
      parameters: parameters, sliceGradients: [filled { _ in 0 }], updates: 0,
      rates: rates(decay: 0.1, clip: 1))
    for tensor in layout.tensors {
      let expected: Float = tensor.shape.count == 1 ? 2 : 2 * (1 - 0.1 / 4)
      #expect(abs(parameters[tensor.offset] - expected) < 1e-6, "\(tensor.name)")
    }
  }

  @Test(arguments: [1, 2, 4])
  func `slices are summed, measured and clipped together`(slices: Int) {
    let optimizer = Optimizer(layout: layout, pool: WorkerPool(workers: 1))
    let parameters = filled { _ in 1 }
    let gradients = (0..<slices).map { slice in filled { _ in Float(slice + 1) } }
    let update = optimizer.update(
      parameters: parameters, sliceGradients: gradients, updates: 0,
      rates: rates(decay: 0, clip: 1))
    let count = Double(layout.tensors.reduce(0) { $0 + $1.count })
    let sum = Double(slices * (slices + 1) / 2)
    #expect(abs(update.gradNorm - sum * count.squareRoot()) < 1e-6 * update.gradNorm)
    #expect(update.isClipped)
    #expect(update.gradRMS.allSatisfy { abs(Double($0) - sum) < 1e-5 })
    let squares = (0..<slices).map { Double(($0 + 1) * ($0 + 1)) * count }
    #expect(update.sliceGradientSquares == squares)
    let first = optimizer.firstMoments[layout.tensors[0].offset]
    #expect(abs(Double(first) - 0.1 / count.squareRoot()) < 1e-6)
  }

  @Test(
    arguments: OptimizerKind.byGradients,
    [(Float.nan, true), (.infinity, true), (0.1, false)] as [(Float, Bool)])
  func `what is not finite makes no update: no bit of a weight or a moment changes`(
    kind: OptimizerKind, bad: (gradient: Float, isLossFinite: Bool)
  ) {
    let optimizer = Optimizer(layout: layout, pool: WorkerPool(workers: 1), kind: kind)
    let parameters = filled { Float($0 % 7) }
    var settings = rates(decay: 0.1, clip: 1)
    settings.clipping = .adagc
    let good = filled { _ in 0.1 }
    let made = optimizer.update(
      parameters: parameters, sliceGradients: [good], updates: 0, rates: settings)
    #expect(made.isMade && made.updateRMS.contains { $0 > 0 })
    let buffers = [parameters, optimizer.firstMoments, optimizer.secondMoments]
    let before = buffers.map(bits)
    let clipping = optimizer.clipping
    if kind == .adamW { settings.updateClip = 0.5 }
    let update = optimizer.update(
      parameters: parameters, sliceGradients: [filled { $0 == 17 ? bad.gradient : 0.1 }],
      updates: 1, rates: settings, isLossFinite: bad.isLossFinite)
    #expect(!update.isMade && update.gradNorm.isFinite == !bad.isLossFinite)
    #expect(buffers.map(bits) == before)
    #expect(optimizer.clipping == clipping)
    #expect(update.updateRMS.allSatisfy { $0 == 0 })
    #expect(update.paramNorm.contains { $0 > 0 } && update.paramNorm.allSatisfy(\.isFinite))
  }

  @Test
  func `a reset tensor starts anew and no other does`() throws {
    let optimizer = Optimizer(layout: layout, pool: WorkerPool(workers: 1))
    _ = optimizer.update(
      parameters: filled { _ in 1 }, sliceGradients: [filled { _ in 0.1 }], updates: 0,
      rates: rates(decay: 0, clip: 1))
    let tensor = try #require(layout["model.layers.0.self_attn.k_layernorm.weight"])
    optimizer.reset(tensor: tensor)
    for other in layout.tensors {
      let isReset = other == tensor
      #expect((optimizer.firstMoments[other.offset] == 0) == isReset)
      #expect((optimizer.secondMoments[other.offset] == 0) == isReset)
    }
  }
}
