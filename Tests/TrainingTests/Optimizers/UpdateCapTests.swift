import Kernels
import Models
import Telemetry
import Testing
import Training

/// What a bound of each tensor's change must do.
@Suite(.timeLimit(.minutes(15)))
struct UpdateCapTests {
  private static let cap: Float = 1e-3
  private let layout = ParameterLayout(
    ModelConfiguration(width: 24, layers: 1, heads: 2, context: 4))

  private func gaussian(seed: UInt64, scale: Double) -> FloatBuffer {
    let buffer = FloatBuffer(count: layout.count)
    var random = RandomStream(seed: seed)
    for tensor in layout.tensors {
      for index in tensor.offset..<tensor.offset + tensor.count {
        buffer[index] = Float(random.normal() * scale)
      }
    }
    return buffer
  }

  private struct Change {
    let update: UpdateStatistics
    /// By tensor.
    let before: [[Double]]
    let moved: [[Double]]
    let parameters: FloatBuffer
  }

  /// The second of two updates, the first without a bound.
  private func change(_ kind: OptimizerKind, cap: Float, scale: Double = 0.3) -> Change {
    let optimizer = Optimizer(layout: layout, pool: WorkerPool(workers: 1), kind: kind)
    let parameters = gaussian(seed: 1, scale: scale)
    var rates = Optimizer.Rates(learningRate: 0.01, peakLearningRate: 0.02)
    rates.weightDecay = 0.05
    rates.gradClip = 0
    _ = optimizer.update(
      parameters: parameters, sliceGradients: [gaussian(seed: 2, scale: 0.1)], updates: 0,
      rates: rates)
    rates.updateCap = cap
    let before = numbers(parameters)
    let update = optimizer.update(
      parameters: parameters, sliceGradients: [gaussian(seed: 3, scale: 0.1)], updates: 1,
      rates: rates)
    let moved = zip(numbers(parameters), before).map { zip($0, $1).map { $0 - $1 } }
    return Change(update: update, before: before, moved: moved, parameters: parameters)
  }

  private func numbers(_ buffer: FloatBuffer) -> [[Double]] {
    layout.tensors.map { tensor in
      (tensor.offset..<tensor.offset + tensor.count).map { Double(buffer[$0]) }
    }
  }

  private func norm(_ values: [Double]) -> Double {
    values.reduce(0) { $0 + $1 * $1 }.squareRoot()
  }

  @Test(arguments: OptimizerKind.byGradients)
  func `no tensor changes by more than its share, and none that would not is changed otherwise`(
    kind: OptimizerKind
  ) {
    let (free, bounded) = (change(kind, cap: 0), change(kind, cap: Self.cap))
    #expect(free.update.cappedShare == 0 && bounded.update.cappedShare > 0)
    for (index, tensor) in layout.tensors.enumerated() {
      let limit = Double(Self.cap) * norm(bounded.before[index])
      let (was, became) = (norm(free.moved[index]), norm(bounded.moved[index]))
      #expect(became < limit * (1 + 1e-3), "\(tensor.name)")
      if was < limit { #expect(bounded.moved[index] == free.moved[index], "\(tensor.name)") }
      guard kind.isWhole(tensor) else { continue }
      let expected = min(was, limit)
      #expect(abs(became - expected) < 2e-3 * expected, "\(tensor.name): \(was), \(became)")
      // In the direction in which it would have gone.
      let dot = zip(free.moved[index], bounded.moved[index]).reduce(0) { $0 + $1.0 * $1.1 }
      #expect(dot > 0.9999 * was * became, "\(tensor.name)")
    }
  }

  @Test(arguments: OptimizerKind.byGradients)
  func `a cap out of reach changes no bit`(kind: OptimizerKind) {
    let (free, wide) = (change(kind, cap: 0), change(kind, cap: 100))
    #expect(wide.update == free.update)
    #expect(
      (0..<layout.count).allSatisfy {
        free.parameters[$0].bitPattern == wide.parameters[$0].bitPattern
      })
  }

  @Test func `what starts at nothing can leave it`() {
    let bounded = change(.sgd, cap: 0.1, scale: 0)
    for (index, tensor) in layout.tensors.enumerated() {
      let least = 0.1 * 1e-3 * Double(tensor.count).squareRoot()
      #expect(norm(bounded.moved[index]) > 0.9 * least, "\(tensor.name)")
    }
  }

  @Test func `the share that was held back is told while there is a bound`() async throws {
    let run = try await TrainedRun(script: [(3, "set update_cap 1e-4"), (6, "set update_cap 0")]) {
      $0.steps = 8
    }
    let told = run.samples.filter { $0[MetricCatalog.updateCapped] != nil }
    #expect(told.map(\.step) == [3, 4, 5])
    #expect(told.allSatisfy { ($0[MetricCatalog.updateCapped] ?? 0) > 0.5 })
  }
}

extension OptimizerKind {
  /// Whether the tensor is bounded as a whole, and not matrix by matrix.
  fileprivate func isWhole(_ tensor: ParameterTensor) -> Bool {
    self != .muon || tensor.role.matrices <= 1
  }
}
