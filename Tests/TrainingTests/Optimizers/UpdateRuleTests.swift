import Kernels
import Models
import Testing
import Training

/// What each live number of an update must do.
@Suite(.timeLimit(.minutes(15)))
struct UpdateRuleTests {
  private let layout = ParameterLayout(
    ModelConfiguration(width: 10, layers: 2, heads: 1, context: 4))

  private func filled(_ value: Float) -> FloatBuffer {
    let buffer = FloatBuffer(count: layout.count)
    for tensor in layout.tensors {
      for index in tensor.offset..<tensor.offset + tensor.count { buffer[index] = value }
    }
    return buffer
  }

  private var rates: Optimizer.Rates {
    var rates = Optimizer.Rates(learningRate: 0.01, peakLearningRate: 0.02)
    rates.weightDecay = 0
    rates.gradClip = 0
    return rates
  }

  private func optimizer(_ kind: OptimizerKind = .adamW, isMuParam: Bool = false) -> Optimizer {
    Optimizer(
      layout: layout, pool: WorkerPool(workers: 1), kind: kind, isMuParam: isMuParam)
  }

  /// The update RMS of the first tensor, step by step, under gradients of one value each.
  private func updateRMS(
    _ optimizer: Optimizer, gradients: [Float], rates: (Int) -> Optimizer.Rates
  ) -> [Float] {
    let parameters = filled(1)
    return gradients.enumerated().map { step, gradient in
      optimizer.update(
        parameters: parameters, sliceGradients: [filled(gradient)], updates: step,
        rates: rates(step)
      ).updateRMS[0]
    }
  }

  @Test func `SGD adds its momentum up and keeps no second moment`() {
    let sgd = optimizer(.sgd)
    let found = updateRMS(sgd, gradients: [1, 1, 1]) { _ in rates }
    #expect(found.count == 3)
    for (value, expected) in zip(found, [1, 1.9, 2.71]) {
      #expect(abs(Double(value) - 0.01 * expected) < 1e-8)
    }
    #expect((0..<layout.count).allSatisfy { sgd.secondMoments[$0] == 0 })
  }

  @Test func `a gradient that outruns its second moment has its rate cut by the ratio`() {
    let gradients = Array(repeating: Float(0.01), count: 300) + [1]
    let slow = SecondMomentDecay(0.999)
    let plain = updateRMS(optimizer(), gradients: gradients) { _ in
      var rates = rates
      rates.beta2 = slow
      return rates
    }
    let clipped = updateRMS(optimizer(), gradients: gradients) { _ in
      var rates = rates
      rates.beta2 = slow
      rates.updateClip = 1
      return rates
    }
    #expect(clipped.count == 301 && plain.count == 301)
    #expect(zip(clipped, plain).prefix(300).allSatisfy { abs($0 - $1) < 1e-7 })
    let ratio = Double(plain[300] / clipped[300])
    // v̂ is (0.001·1 + 0.259·1e-4) / 0.26 with the outlier in it.
    #expect(abs(ratio - (0.26 / 0.001026).squareRoot()) < 0.1, "\(ratio)")
  }

  @Test func `an update clip of 0 changes no bit, and one within reach changes nothing`() {
    let gradients: [Float] = [0.3, -0.2, 0.25, 0.1]
    let off = updateRMS(optimizer(), gradients: gradients) { _ in rates }
    let wide = updateRMS(optimizer(), gradients: gradients) { _ in
      var rates = rates
      rates.updateClip = 4.5
      return rates
    }
    #expect(off == wide)
  }

  @Test func `beta2 changed in the middle leaves a steady update as large as it was`() {
    var beta2 = SecondMomentDecay(0.95)
    let found = updateRMS(optimizer(), gradients: Array(repeating: 0.2, count: 40)) { step in
      if step == 20 { beta2.set(0.999, at: 20) }
      if step == 30 { beta2.set(0.5, at: 30) }
      var rates = rates
      rates.beta2 = beta2
      return rates
    }
    #expect(found.allSatisfy { abs($0 - 0.01) < 1e-6 }, "\(found)")
  }

  @Test func `updates fade as the gradient comes near epsilon`() {
    let found = [Float(1e-12), 1e-6, 1e-5].map { epsilon in
      updateRMS(optimizer(), gradients: [1e-6]) { _ in
        var rates = rates
        rates.epsilon = epsilon
        return rates
      }[0]
    }
    #expect(abs(found[0] - 0.01) < 1e-6)
    #expect(abs(found[1] - 0.005) < 1e-6)
    #expect(abs(found[2] - 0.01 / 11) < 1e-6)
  }

  @Test func `coupled decay is a share of the rate, independent decay of the schedule`() {
    for (isCoupled, kept) in [(true, Float(1 - 0.1 * 0.01)), (false, 1 - 0.1 * 0.5)] {
      for kind in [OptimizerKind.adamW, .sgd, .lion] {
        let parameters = filled(2)
        var rates = rates
        rates.weightDecay = 0.1
        rates.decayIsCoupled = isCoupled
        _ = optimizer(kind).update(
          parameters: parameters, sliceGradients: [filled(0)], updates: 0, rates: rates)
        for tensor in layout.tensors {
          let expected = tensor.shape.count == 1 ? 2 : 2 * kept
          #expect(abs(parameters[tensor.offset] - expected) < 1e-6, "\(tensor.name)")
        }
      }
    }
  }

  @Test func `muParam scales the rate of linear layers by 256 over their fan-in`() {
    let update = optimizer(isMuParam: true).update(
      parameters: filled(1), sliceGradients: [filled(0.1)], updates: 0, rates: rates)
    #expect(update.updateRMS.count == layout.tensors.count)
    for (tensor, rms) in zip(layout.tensors, update.updateRMS) {
      let isTable = tensor.name == "model.embed_tokens.weight"
      let isLinear = tensor.shape.count == 2 && !isTable
      let factor = isLinear ? 256 / Float(tensor.shape[1]) : 1
      #expect(abs(rms / 0.01 - factor) < 1e-4 * factor, "\(tensor.name)")
    }
  }

  @Test(arguments: OptimizerKind.byGradients)
  func `frozen blocks keep every bit and their moments, the others go on`(kind: OptimizerKind) {
    let optimizer = optimizer(kind)
    let parameters = filled(1)
    var rates = rates
    rates.frozenBlocks = 1
    rates.weightDecay = 0.1
    let update = optimizer.update(
      parameters: parameters, sliceGradients: [filled(0.1)], updates: 0, rates: rates)
    var free = 0
    for (index, tensor) in layout.tensors.enumerated() {
      let isFrozen = tensor.role == .embedding || tensor.layer == 0
      if !isFrozen { free += tensor.count }
      let range = tensor.offset..<tensor.offset + tensor.count
      #expect(range.allSatisfy { (parameters[$0] == 1) == isFrozen }, "\(tensor.name)")
      #expect(range.allSatisfy { (optimizer.firstMoments[$0] == 0) == isFrozen })
      #expect((update.updateRMS[index] == 0) == isFrozen)
      #expect(update.paramNorm[index] > 0)
    }
    #expect(abs(update.gradNorm - 0.1 * Double(free).squareRoot()) < 1e-5)
  }
}
