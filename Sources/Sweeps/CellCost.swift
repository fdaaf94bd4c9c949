import Kernels
import Models
package import Training

/// What a cell will cost.
package struct CellCost: Sendable, Hashable {
  /// Matrix operations of all its steps and evaluations.
  package let flops: Double
  /// Tokens trained on.
  package let tokens: Int
  package let tokensPerStep: Int
  package let steps: Int
  /// Weights without embedding and unembedding, as the papers count them.
  package let parameters: Int
  /// The peak rate of its run.
  package let learningRate: Double
  /// What speed depends on.
  package let shape: Shape

  /// Cells of one shape are as fast.
  package struct Shape: Sendable, Hashable {
    let model: ModelConfiguration
    let batch: Int
  }

  /// - Parameters:
  ///   - configuration: the cell's.
  ///   - count: of parameters, where it is known already.
  package init(_ configuration: TrainingConfiguration, parameters count: Int? = nil) {
    let model = configuration.model
    steps = configuration.steps
    tokensPerStep = configuration.batch * model.context
    let tokens = configuration.steps * tokensPerStep
    let evaluations =
      configuration.evalEvery > 0 ? configuration.steps / configuration.evalEvery + 2 : 0
    // An evaluation takes the forward pass alone, a third of the work.
    let held = Double(evaluations * configuration.evalWindows * model.context) / 3
    flops = (Double(tokens) + held) * model.flopsPerToken()
    self.tokens = tokens
    parameters = count ?? model.hiddenParameterCount
    learningRate = configuration.learningRate
    shape = Shape(model: model, batch: configuration.batch)
  }
}

extension ModelConfiguration {
  /// N as the papers count it: trained weights without embedding, unembedding and the norms' gains;
  /// 12·L·D² of a dense model.
  package var hiddenParameterCount: Int {
    let layout = ParameterLayout(self)
    return layout.tensors.reduce(0) { sum, tensor in
      guard layout.isTrained(tensor) else { return sum }
      switch tensor.role {
      case .embedding, .unembedding, .fixed, .gain, .queryKeyGain, .sigmaGain, .bias, .subspace:
        return sum
      case .matrix, .queryKeyValue, .router, .adapter, .sharedArray, .coefficients:
        return sum + tensor.count
      }
    }
  }
}

/// How long cells take: guessed from the machine's matrix product at first, then from those of the
/// same shape that have run.
package struct CellClock: Sendable {
  /// Of what the matrix product alone reaches, so much is usual for a small model on one core.
  private static let usualShare = 0.35

  private let start: Double
  private var seen: [CellCost.Shape: (flops: Double, seconds: Double)] = [:]
  private var all = (flops: 0.0, seconds: 0.0)

  /// - Parameter peak: GFLOP/s of one core's matrix product.
  package init(peak: Double) {
    start = peak * 1e9 * Self.usualShare
  }

  package mutating func ran(_ cost: CellCost, flops: Double, seconds: Double) {
    guard flops > 0, seconds > 0 else { return }
    let before = seen[cost.shape] ?? (0, 0)
    seen[cost.shape] = (before.flops + flops, before.seconds + seconds)
    all = (all.flops + flops, all.seconds + seconds)
  }

  /// Seconds on one core.
  package func seconds(_ cost: CellCost) -> Double {
    let known = seen[cost.shape] ?? all
    return cost.flops / (known.seconds > 0 ? known.flops / known.seconds : start)
  }

  /// Seconds until cells that take so long, in the order in which they begin, are done by `jobs`
  /// at once.
  package static func length(of seconds: [Double], jobs: Int) -> Double {
    var ends = [Double](repeating: 0, count: max(1, jobs))
    for length in seconds {
      let next = ends.indices.min { ends[$0] < ends[$1] } ?? 0
      ends[next] += length
    }
    return ends.max() ?? 0
  }
}
