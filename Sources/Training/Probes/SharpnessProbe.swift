import Foundation
import Kernels
import Models
import Telemetry

/// The largest eigenvalue of A = P^(-1/2)·H·P^(-1/2), H the Hessian of the loss on a fixed batch
/// and P what the optimiser divides gradients by.
///
/// Power iteration with the best shift at every step: v goes to the direction of the largest vᵀAv
/// between v and Av, so that negative eigenvalues, however large, do not draw it away. It starts
/// where the last measurement ended. H·d is a difference of two gradients, at θ ± e·d with e·‖d‖ a
/// thousandth of ‖θ‖. A value is told only if half the step moves it by less than a twentieth; a
/// few smaller steps are tried. A mixture often has none: where a token changes experts its loss
/// jumps.
/// - Cost: two gradients of a quarter of a batch an iteration: about six steps' work in all
/// - Source: Cohen et al. 2021 (2103.00065) and 2022 (2207.14484); the differences are Seismo's
final class SharpnessProbe {
  /// A first measurement takes more iterations than one that goes on from the last.
  private static let iterations = (first: 30, later: 10)
  /// What Av may still have beside v, as a share of it, when it is near enough.
  private static let tolerance = 0.02
  private static let reach = 1e-3
  private static let attempts = 3

  private let interval: Int
  private let engine: TransformerEngine
  private let tokens: [Token]
  private let roots: FloatBuffer
  private let moved: FloatBuffer
  /// v and Av, and a second pair.
  private let vector: FloatBuffer
  private let image: FloatBuffer
  private let other: FloatBuffer
  private let otherImage: FloatBuffer
  private let seed: UInt64
  /// Whether the vector is that of a measurement before.
  private var isWarm = false

  /// - Parameters: `tokens` are `rows` windows of T + 1 tokens; `interval` is in steps
  init(
    interval: Int, model: ModelConfiguration, trunk: FloatBuffer? = nil, tokens: [Token], rows: Int,
    pool: WorkerPool, seed: UInt64
  ) {
    self.interval = interval
    self.tokens = tokens
    self.seed = seed
    engine = TransformerEngine(configuration: model, batch: rows, pool: pool, trunk: trunk)
    let count = engine.layout.count
    (roots, moved) = (FloatBuffer(count: count), FloatBuffer(count: count))
    (vector, image) = (FloatBuffer(count: count), FloatBuffer(count: count))
    (other, otherImage) = (FloatBuffer(count: count), FloatBuffer(count: count))
  }

  /// The eigenvalue at `parameters`; nil where the differences do not agree on it.
  func measure(
    _ parameters: FloatBuffer, settings: LossSettings, preconditioner: Preconditioner
  ) -> Double? {
    preconditioner.inverseRoots(engine.layout, into: roots)
    if isWarm { confine() } else { scatter() }
    var reach = Self.reach * norm(parameters)
    let iterations = isWarm ? Self.iterations.later : Self.iterations.first
    var value = iterate(iterations, parameters, settings, reach: reach)
    guard value.isFinite else {
      isWarm = false
      return nil
    }
    isWarm = true
    for _ in 0..<Self.attempts {
      reach /= 2
      apply(to: vector, into: image, at: parameters, settings, reach: reach)
      let halved = product(vector, image)
      if abs(halved - value) < 0.05 * abs(halved) { return halved }
      value = halved
    }
    return nil
  }

  /// - Returns: vᵀAv at its end; NaN where a gradient is.
  private func iterate(
    _ iterations: Int, _ parameters: FloatBuffer, _ settings: LossSettings, reach: Double
  ) -> Double {
    apply(to: vector, into: image, at: parameters, settings, reach: reach)
    var value = product(vector, image)
    for _ in 1..<iterations {
      let rest = splitImage(value)
      guard rest.isFinite, rest > Self.tolerance * abs(value) else { break }
      apply(to: other, into: otherImage, at: parameters, settings, reach: reach)
      value = turn(value, crossing: product(vector, otherImage), product(other, otherImage))
    }
    return value
  }

  /// other = Av − (vᵀAv)·v, normalised.
  /// - Returns: its norm before
  private func splitImage(_ value: Double) -> Double {
    let factor = Float(value)
    for index in 0..<other.count {
      other.base[index] = image.base[index] - factor * vector.base[index]
    }
    let rest = norm(other)
    scale(other, by: 1 / max(rest, 1e-30))
    return rest
  }

  /// Turns v and Av to the larger eigenvalue of the symmetric [[first, crossing], [crossing,
  /// second]].
  /// - Returns: that eigenvalue
  private func turn(_ first: Double, crossing: Double, _ second: Double) -> Double {
    let angle = atan2(2 * crossing, first - second) / 2
    let (cosine, sine) = (Float(cos(angle)), Float(sin(angle)))
    for index in 0..<vector.count {
      vector.base[index] = cosine * vector.base[index] + sine * other.base[index]
      image.base[index] = cosine * image.base[index] + sine * otherImage.base[index]
    }
    normalise()
    return product(vector, image)
  }

  /// image = P^(-1/2)·H·P^(-1/2)·x.
  private func apply(
    to x: FloatBuffer, into image: FloatBuffer, at parameters: FloatBuffer,
    _ settings: LossSettings, reach: Double
  ) {
    var square = 0.0
    for index in 0..<x.count {
      let direction = Double(roots.base[index] * x.base[index])
      square += direction * direction
    }
    let step = Float(reach / max(square, 1e-30).squareRoot())
    putGradient(at: parameters, x, step, settings, into: image)
    putGradient(at: parameters, x, -step, settings, into: moved)
    for index in 0..<image.count {
      image.base[index] =
        (image.base[index] - moved.base[index]) * roots.base[index] / (2 * step)
    }
  }

  /// target = g(θ + step·P^(-1/2)·x); the target may be `moved`.
  private func putGradient(
    at parameters: FloatBuffer, _ x: FloatBuffer, _ step: Float, _ settings: LossSettings,
    into target: FloatBuffer
  ) {
    for index in 0..<moved.count {
      moved.base[index] = parameters.base[index] + step * roots.base[index] * x.base[index]
    }
    _ = tokens.withUnsafeBufferPointer {
      engine.lossAndGradients(parameters: moved, tokens: $0, settings: settings)
    }
    var squares = [Double](repeating: 0, count: engine.sliceGradients.count)
    _ = sumSlices(
      engine.sliceGradients, into: target, from: 0, count: target.count, squares: &squares)
  }
}

extension SharpnessProbe {
  /// A direction that no eigenvector is likely to be at right angles to.
  private func scatter() {
    var random = RandomStream(seed: seed, name: "sharpness")
    for index in 0..<vector.count {
      vector.base[index] = roots.base[index] > 0 ? Float(random.normal()) : 0
    }
    normalise()
  }

  /// What takes no part any more leaves the vector.
  private func confine() {
    for index in 0..<vector.count where roots.base[index] == 0 { vector.base[index] = 0 }
    normalise()
  }

  private func normalise() {
    let factor = 1 / max(norm(vector), 1e-30)
    scale(vector, by: factor)
    scale(image, by: factor)
  }

  private func scale(_ buffer: FloatBuffer, by factor: Double) {
    let factor = Float(factor)
    for index in 0..<buffer.count { buffer.base[index] *= factor }
  }

  private func product(_ a: FloatBuffer, _ b: FloatBuffer) -> Double {
    var sum = 0.0
    for index in 0..<a.count { sum += Double(a.base[index]) * Double(b.base[index]) }
    return sum
  }

  private func norm(_ buffer: FloatBuffer) -> Double { product(buffer, buffer).squareRoot() }
}

extension SharpnessProbe: Probe {
  /// Nil where it is not asked for.
  convenience init?(_ run: ProbedRun) {
    let configuration = run.configuration
    guard configuration.sharpnessEvery > 0 else { return nil }
    self.init(
      interval: configuration.sharpnessEvery, model: configuration.model, trunk: run.trunk,
      tokens: run.tokens, rows: run.rows, pool: run.pool, seed: configuration.seed)
  }

  func isDue(in step: ProbedStep) -> Bool { step.number > 0 && step.number % interval == 0 }

  /// At the weights as they are after the update.
  func afterUpdate(of step: ProbedStep, _ outcome: StepOutcome, into samples: inout StepSamples) {
    let rates = step.rates
    step.optimizer.gatherSecondMoments()
    defer { step.optimizer.releaseMoments() }
    guard let preconditioner = step.optimizer.preconditioner(rates, updates: step.number),
      let value = measure(
        step.parameters, settings: step.lossSettings, preconditioner: preconditioner)
    else { return }
    samples.add(MetricCatalog.sharpness, value)
    guard rates.learningRate > 0 else { return }
    samples.add(MetricCatalog.sharpnessLimit, step.optimizer.sharpnessLimit(rates))
  }

  /// The vector, so that a continuation measures the same.
  func tensors(at step: Int) -> [StoredTensor] { isWarm ? [tensor] : [] }

  func resume(_ state: Never?, from checkpoint: Checkpoint) throws(CheckpointError) {
    isWarm = false
    guard checkpoint.holds(tensor) else { return }
    try checkpoint.load(tensor)
    isWarm = true
  }

  private var tensor: StoredTensor {
    StoredTensor(name: "sharpness_vector", shape: [vector.count], buffer: vector)
  }
}
