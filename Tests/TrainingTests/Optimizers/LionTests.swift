import Kernels
import Models
import Testing
import Training

@Suite(.timeLimit(.minutes(15)))
struct LionTests {
  private let layout = ParameterLayout(
    ModelConfiguration(width: 10, layers: 1, heads: 1, context: 4))

  private func filled(_ value: (Int) -> Float) -> FloatBuffer {
    let buffer = FloatBuffer(count: layout.count)
    for tensor in layout.tensors {
      for index in tensor.offset..<tensor.offset + tensor.count { buffer[index] = value(index) }
    }
    return buffer
  }

  /// The weights after each of several gradients, from 0.5, and the optimizer as it is then.
  private func trained(_ gradients: [(Int) -> Float]) -> (weights: [[Float]], lion: Optimizer) {
    let lion = Optimizer(layout: layout, pool: WorkerPool(workers: 1), kind: .lion)
    var rates = Optimizer.Rates(learningRate: 0.01, peakLearningRate: 0.04)
    rates.weightDecay = 0
    rates.gradClip = 0
    let parameters = filled { _ in 0.5 }
    let weights = gradients.enumerated().map { step, gradient in
      let update = lion.update(
        parameters: parameters, sliceGradients: [filled(gradient)], updates: step, rates: rates)
      #expect(update.isMade)
      return (0..<layout.count).map { parameters[$0] }
    }
    return (weights, lion)
  }

  @Test func `a momentum outweighs a gradient a ninth of it, and gives way to a larger one`() {
    // m is 0.01, then 0.0094: c is 0.009 − 0.005 > 0, then 0.00846 − 0.02 < 0.
    let (weights, lion) = trained([{ _ in 1 }, { _ in -0.05 }, { _ in -0.2 }])
    for tensor in layout.tensors {
      let place = tensor.offset
      for (found, expected) in zip(weights, [0.49, 0.48, 0.49] as [Float]) {
        #expect(abs(found[place] - expected) < 1e-6, "\(tensor.name)")
      }
      #expect(abs(lion.firstMoments[place] - (0.0094 * 0.99 - 0.002)) < 1e-7)
      #expect(lion.secondMoments[place] == 0)
    }
  }

  @Test func `a weight that never had a gradient stays, at either zero`() {
    let gradients: (Int) -> Float = { $0 % 3 == 0 ? 0.2 : $0 % 3 == 1 ? 0 : -0.0 }
    let (weights, lion) = trained([gradients, gradients])
    for tensor in layout.tensors {
      for index in tensor.offset..<tensor.offset + tensor.count {
        #expect((weights[1][index] == 0.5) == (index % 3 != 0))
        #expect((lion.firstMoments[index] == 0) == (index % 3 != 0))
      }
    }
  }

  @Test func `gradients of another size move the weights alike`() {
    let gradient = { (step: Int) in { (index: Int) in Float((index * 7 + step * 5) % 13 - 6) } }
    let (small, _) = trained((0..<6).map(gradient))
    let (large, _) = trained((0..<6).map { step in { 1024 * gradient(step)($0) } })
    #expect((0..<layout.count).contains { small[5][$0] != 0.5 })
    #expect((0..<layout.count).allSatisfy { small[5][$0] == large[5][$0] })
  }
}
