import Telemetry

/// How many sequences a batch needs before a larger one stops paying: B = S/G².
///
/// The fixed slices of a batch are batches of their own, b of B sequences, which gives both terms
/// without bias and much noise:
///
///     G² = (B |g_B|² - b |g_b|²) / (B - b)        the true gradient's square
///     S  = (|g_b|² - |g_B|²) / (1/b - 1/B)        the trace of one sequence's covariance
///
/// They are averaged on their own, then divided. Gradients are those before clipping.
/// - Source: McCandlish et al. 2018, appendix A.1
struct NoiseScale: Sendable, Equatable, Codable {
  private static let memory = 0.98

  private var gradientSquare = 0.0
  private var noise = 0.0

  /// `slices` are Σ g² of each slice's share of the batch's gradient, `norm` is that of the shares'
  /// sum, `batch` the sequences in it.
  mutating func add(slices: [Double], norm: Double, batch: Int) {
    guard slices.count > 1, norm.isFinite else { return }
    let count = Double(slices.count)
    let (large, small) = (Double(batch), Double(batch) / count)
    // A slice's share is its mean gradient over the number of slices.
    let smallSquare = slices.reduce(0, +) * count
    let largeSquare = norm * norm
    let gradient = (large * largeSquare - small * smallSquare) / (large - small)
    let spread = (smallSquare - largeSquare) / (1 / small - 1 / large)
    gradientSquare = Self.memory * gradientSquare + (1 - Self.memory) * gradient
    noise = Self.memory * noise + (1 - Self.memory) * spread
  }

  /// In sequences; nil while the noise hides the gradient.
  var sequences: Double? {
    guard gradientSquare > 0, noise >= 0 else { return nil }
    return noise / gradientSquare
  }
}

extension NoiseScale: Probe {
  /// Told beside the tensors' own numbers.
  static let interval = TensorMetrics.interval

  var key: String { "noiseScale" }

  mutating func afterUpdate(
    of step: ProbedStep, _ outcome: StepOutcome, into samples: inout StepSamples
  ) {
    let update = outcome.update
    add(
      slices: update.sliceGradientSquares, norm: update.gradNorm,
      batch: step.settings.batch.value)
    guard step.number % Self.interval == 0, let sequences else { return }
    samples.add(MetricCatalog.noiseScale, sequences)
  }

  func state(at step: Int) -> NoiseScale? { self }

  mutating func resume(
    _ state: NoiseScale?, from checkpoint: Checkpoint
  ) throws(CheckpointError) {
    self = state ?? NoiseScale()
  }
}
