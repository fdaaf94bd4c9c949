import Kernels
import Models
import Ranks
package import Telemetry
package import Training

/// What a checkpoint would tell of itself, told of a run's weights every so many steps: what rounding
/// them would cost, which of them have outliers, how many directions they use, which features stand
/// out, how far the last ones have collapsed.
///
/// It runs before a step's passes on the step's own weights, with an engine and windows of its own,
/// and touches nothing of the run's.
/// - Cost: five forward passes over as many held-out windows as a batch has: less than two steps'
///   work; the spectra about 4/3·n³ for each matrix whose smaller side n is small enough
package final class InspectionProbe: Probe {
  /// What weights are tried in, each with its usual scale: of eight bits one a tensor, of four one
  /// for 64.
  static let formats: [(format: NumberFormat, scale: ScaleGroup)] = [
    (.int8, .tensor), (.e4m3, .tensor), (.int4, .block64), (.nf4, .block64),
  ]
  /// The spectrum of a larger matrix would take longer than the rest.
  static let widestSpectrum = 256

  private let every: Int
  private let isFirst: Bool
  private let engine: TransformerEngine
  private let tokens: [Token]
  private let rows: Int
  private let matrices: [ParameterTensor]
  private let rounded: FloatBuffer
  private var found: [(name: MetricName, value: Double)] = []

  /// Nil where it is not asked for.
  package init?(_ run: ProbedRun) {
    let configuration = run.configuration
    guard configuration.inspectEvery > 0 else { return nil }
    every = configuration.inspectEvery
    // What is found is the same on all ranks: the first one tells it.
    isFirst = run.ranks.isFirst
    rows = min(run.heldOut.rows, configuration.batch)
    tokens = Array(run.heldOut.tokens.prefix(rows * (configuration.model.context + 1)))
    engine = TransformerEngine(
      configuration: configuration.model, batch: max(rows, 1), pool: run.pool)
    matrices = run.layout.tensors.filter(\.role.isDecayed)
    rounded = FloatBuffer(count: run.layout.count)
  }

  package func isDue(in step: ProbedStep) -> Bool { isFirst && step.number % every == 0 }

  package func beforePasses(of step: ProbedStep) {
    var settings = step.lossSettings
    settings.draw = 0
    found = []
    tellTensors(step.parameters)
    guard rows > 0 else { return }
    tellRises(step.parameters, settings)
    tellFeatures(step.parameters, settings)
  }

  package func afterUpdate(
    of step: ProbedStep, _ outcome: StepOutcome, into samples: inout StepSamples
  ) {
    for (name, value) in found { samples.add(name, value) }
    found = []
  }
}

extension InspectionProbe {
  private func loss(_ parameters: FloatBuffer, _ settings: LossSettings) -> Double {
    tokens.withUnsafeBufferPointer {
      engine.loss(parameters: parameters, tokens: $0, rows: rows, settings: settings).loss
    }
  }

  private func tellRises(_ parameters: FloatBuffer, _ settings: LossSettings) {
    let own = loss(parameters, settings)
    for (format, scale) in Self.formats {
      rounded.copy(from: parameters)
      for tensor in matrices { rounded.round(tensor, to: format, scale) }
      add(MetricCatalog.roundingRise(format.rawValue), loss(rounded, settings) - own)
    }
  }

  private func tellTensors(_ parameters: FloatBuffer) {
    for tensor in matrices {
      let peaks = FloatBuffer(
        repeating: peak(parameters, from: tensor.offset, count: tensor.count), count: 1)
      let squares = difference(
        parameters, parameters, from: tensor.offset, count: tensor.count
      ).first
      let noise = roundingError(
        parameters, from: tensor.offset, count: tensor.count, group: tensor.count, peaks: peaks,
        to: .int8)
      add(
        MetricCatalog.roundingDecibels(tensor: tensor.name),
        decibels(signal: squares, noise: noise.squares))
      tellSpectrum(tensor, parameters, squares)
    }
  }

  /// - Parameters: `squares` is the sum of the tensor's
  private func tellSpectrum(
    _ tensor: ParameterTensor, _ parameters: FloatBuffer, _ squares: Double
  ) {
    let (rows, columns) = (tensor.count / tensor.fanIn, tensor.fanIn)
    guard min(rows, columns) <= Self.widestSpectrum, squares.isFinite else { return }
    let values = FloatBuffer(count: tensor.count)
    for index in 0..<tensor.count { values[index] = parameters[tensor.offset + index] }
    let spectrum = Spectrum(name: tensor.name, values, rows: rows, columns: columns)
    add(MetricCatalog.stableRank(tensor: tensor.name), spectrum.stableRank)
  }

  private func tellFeatures(_ parameters: FloatBuffer, _ settings: LossSettings) {
    let (width, context) = (engine.configuration.width, engine.configuration.context)
    let features = tokens.withUnsafeBufferPointer {
      engine.features(parameters: parameters, tokens: $0, rows: rows, settings: settings)
    }
    for (layer, values) in features.enumerated() {
      let outliers = OutlierFeatures(values, width: width)
      add(MetricCatalog.outlierFeatures(layer: layer), Double(outliers.columns.count))
      add(MetricCatalog.featureMax(layer: layer), outliers.absmax)
    }
    let labels = (0..<rows).flatMap { row in
      (1...context).map { Int(tokens[row * (context + 1) + $0]) }
    }
    let head = engine.layout.unembedding.map { tensor in
      (0..<tensor.count).map { parameters[tensor.offset + $0] }
    }
    guard let last = features.last, last.allSatisfy(\.isFinite),
      let collapse = NeuralCollapse(features: last, labels: labels, width: width, head: head)
    else { return }
    tell(collapse)
  }

  private func tell(_ collapse: NeuralCollapse) {
    add(MetricCatalog.neuralCollapse("nc1"), collapse.withinBetween)
    add(MetricCatalog.neuralCollapse("cdnv"), collapse.distanceVariance)
    add(MetricCatalog.neuralCollapse("nc2"), collapse.frameDistance)
    if let nc3 = collapse.selfDuality { add(MetricCatalog.neuralCollapse("nc3"), nc3) }
    if let nc4 = collapse.nearestMean { add(MetricCatalog.neuralCollapse("nc4"), nc4) }
  }

  /// A tensor that loses nothing, such as one of zeros, has no number.
  private func add(_ name: MetricName, _ value: Double) {
    guard value != .infinity else { return }
    found.append((name, value))
  }
}
