import Formats
import Foundation
package import Kernels
import Models
package import Training

/// Measures that bounds on the generalisation gap are made of.
///
/// None of the bounds is tight: for a fixed measure there are always tasks and learners on which it
/// says nothing. What can be asked of one is whether it orders runs as their gaps do.
/// - Source: Jiang et al. 2020 and Dziugaite et al. 2020 as coded in robust-generalization-measures;
///   for a language model a rise of 0.1 nat stands in the place of a tenth of the accuracy, the
///   norms of each matrix in that of the path norm, which means nothing through LayerNorm and
///   softmax.
package struct GeneralisationMeasures: Sendable {
  /// The tenth percentile over training tokens of the right logit less the best other one.
  package let margin: Double
  /// The largest σ at which θ + N(0, σ²) has a training loss 0.1 nat above θ's, mean over draws.
  package let sharpness: Double
  /// The same of noise whose variance is σ²·θ² + 1e-6.
  package let relativeSharpness: Double
  /// ‖θ − θ₀‖, from where the run began.
  package let distance: Double
  package let norm: Double
  /// Σ ln σ₁² over the matrices.
  package let spectralLogarithms: Double
  /// Σ ‖W‖²/σ₁² over the matrices.
  package let stableRanks: Double
  /// Windows that the run trained on: n in the bounds.
  package let samples: Int

  /// √((‖θ − θ₀‖²/4σ² + ln(n/σ) + 10)/n).
  package var boundFromStart: Double { bound(distance * distance) }
  /// The same with the norm in the place of the distance.
  package var boundFromZero: Double { bound(norm * norm) }

  private func bound(_ squares: Double) -> Double {
    let count = Double(samples)
    let sum = squares / (4 * sharpness * sharpness) + log(count / sharpness) + 10
    return (sum / count).squareRoot()
  }

  private static let rise = 0.1
  private static let draws = 10
  private static let halvings = 15
  private static let widest = 2.0

  /// Of numbers that are trained: matrices that are read from a shared array move with it, and count
  /// in the array alone.
  /// - Parameters:
  ///   - trial: with windows that were trained on.
  ///   - shared: what reads the matrices from their array; nil where they have numbers of their own.
  ///   - start: the weights that the run began with.
  ///   - samples: the windows that there are to train on.
  ///   - alone: windows for the 300 passes that noise takes.
  package init(
    _ trial: ModelTrial, shared: SharedParameters? = nil, start: FloatBuffer, samples: Int,
    alone: Int
  ) {
    self.samples = samples
    margin = Self.margin(trial)
    (distance, norm) = Self.distances(trial, start: start)
    let noise = Noise(count: trial.parameters.count)
    sharpness = Self.sharpness(trial, alone) { sigma, draw in
      noise.add(to: trial.trial, trial.layout, draw: draw) { _ in Float(sigma) }
      shared?.expand(trial.trial)
    }
    relativeSharpness = Self.sharpness(trial, alone) { sigma, draw in
      let square = Float(sigma * sigma)
      noise.add(to: trial.trial, trial.layout, draw: draw) {
        (square * $0 * $0 + 1e-6).squareRoot()
      }
      shared?.expand(trial.trial)
    }
    var (logarithms, ranks) = (0.0, 0.0)
    for tensor in trial.matrices where tensor.role != .sharedArray {
      let part = FloatBuffer(count: tensor.count)
      for index in 0..<tensor.count { part[index] = trial.parameters[tensor.offset + index] }
      let spectrum = Spectrum(
        name: tensor.name, part, rows: tensor.count / tensor.fanIn, columns: tensor.fanIn)
      logarithms += 2 * log(spectrum.largest)
      ranks += spectrum.stableRank
    }
    (spectralLogarithms, stableRanks) = (logarithms, ranks)
  }

  /// From the start, and from zeros.
  private static func distances(
    _ trial: ModelTrial, start: FloatBuffer
  ) -> (start: Double, zero: Double) {
    var (squares, norms) = (0.0, 0.0)
    for tensor in trial.layout.tensors where trial.layout.isTrained(tensor) {
      let sums = difference(start, trial.parameters, from: tensor.offset, count: tensor.count)
      squares += sums.squares
      norms += sums.second
    }
    return (squares.squareRoot(), norms.squareRoot())
  }

  private static func margin(_ trial: ModelTrial) -> Double {
    let logits = trial.logits(trial.parameters, windows: trial.windows)
    let targets = trial.targets(windows: trial.windows)
    let vocabulary = logits.count / targets.count
    let margins = targets.enumerated().map { row, target -> Float in
      let own = logits[row * vocabulary..<(row + 1) * vocabulary]
      var best = -Float.infinity
      for (token, logit) in own.enumerated() where token != target { best = max(best, logit) }
      return own[own.startIndex + target] - best
    }
    return Double(margins.sorted()[margins.count / 10])
  }

  /// By bisection, the mean over draws at each step; the widest σ where even that costs too little.
  private static func sharpness(
    _ trial: ModelTrial, _ alone: Int, _ disturb: (_ sigma: Double, _ draw: Int) -> Void
  ) -> Double {
    let base = trial.loss(limit: alone)
    var (low, high) = (0.0, widest)
    for _ in 0..<halvings {
      let middle = (low + high) / 2
      let mean = (0..<draws).reduce(0.0) { sum, draw in
        sum + trial.loss(limit: alone) { _ in disturb(middle, draw) } / Double(draws)
      }
      // A loss that is no number is a rise too.
      if mean - base < rise { low = middle } else { high = middle }
    }
    return (low + high) / 2
  }

  /// Of an evaluation on what the checkpoint's own run held out; nil of other data.
  /// - Parameters: `windows` of training text, a quarter of them for the passes that noise takes
  /// - Throws: `CheckpointError`, `DataError`.
  package static func of(
    _ evaluation: Evaluation, windows: Int, pool: WorkerPool
  ) throws -> (measures: GeneralisationMeasures, trainingLoss: Double)? {
    guard let training = evaluation.training, let seed = evaluation.seed else { return nil }
    let trial = try ModelTrial(evaluation, windows: training, most: windows, pool: pool)
    let start = FloatBuffer(count: trial.layout.count)
    initialise(parameters: start, layout: trial.layout, seed: seed)
    let shared = SharedParameters(layout: trial.layout, seed: seed, pool: pool)
    shared?.begin(at: start)
    let measures = GeneralisationMeasures(
      trial, shared: shared, start: start, samples: training.count, alone: max(1, windows / 4))
    return (measures, trial.loss())
  }

  package var json: String {
    JSONLines.object([
      ("margin", JSONLines.number(margin)), ("sharpness", JSONLines.number(sharpness)),
      ("relative_sharpness", JSONLines.number(relativeSharpness)),
      ("distance", JSONLines.number(distance)), ("norm", JSONLines.number(norm)),
      ("spectral_logarithms", JSONLines.number(spectralLogarithms)),
      ("stable_ranks", JSONLines.number(stableRanks)), ("samples", "\(samples)"),
      ("bound_from_start", JSONLines.number(boundFromStart)),
      ("bound_from_zero", JSONLines.number(boundFromZero)),
    ])
  }
}

/// Normal numbers, drawn once; each draw begins at another of them.
private struct Noise {
  private let numbers: FloatBuffer

  init(count: Int) {
    numbers = FloatBuffer(count: max(count, 1))
    var random = RandomStream(seed: 0, name: "sharpness")
    for index in 0..<numbers.count { numbers[index] = Float(random.normal()) }
  }

  /// Adds deviation(θ)·z to each weight; what is not trained stays.
  func add(
    to weights: FloatBuffer, _ layout: ParameterLayout, draw: Int, _ deviation: (Float) -> Float
  ) {
    var random = RandomStream(seed: UInt64(draw), name: "sharpness draws")
    let offset = Int(random.next() % UInt64(numbers.count))
    for tensor in layout.tensors where tensor.role != .fixed && layout.isTrained(tensor) {
      for index in tensor.offset..<tensor.offset + tensor.count {
        let place = index + offset
        let number = numbers[place < numbers.count ? place : place - numbers.count]
        weights[index] += deviation(weights[index]) * number
      }
    }
  }
}
