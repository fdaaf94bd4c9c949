package import Kernels

/// How a mixture chooses each token's experts.
///
/// A conformer is a file in this folder and a line in `ExpertRouter`. What options, settings and
/// statistics must know of a router they ask of its type; the answers given here are those of a
/// softmax over the experts.
package protocol Router: Sendable {
  /// The word for it in options and checkpoints.
  static var name: String { get }
  /// How logits become scores and scores become gates.
  static var form: RouterForm { get }
  /// Whether experts are chosen by scores, which can be balanced and measured, and not dealt out.
  static var hasScores: Bool { get }
  /// Whether each token has one expert, and no more.
  static var sendsToOne: Bool { get }
  /// Whether an expert may be given more tokens than it takes.
  static var hasCapacity: Bool { get }
  /// Whether it has a state of a width of its own.
  static var hasState: Bool { get }
  /// Passes over its batch that a step takes.
  static var passes: Int { get }

  /// How much an expert's bias moves after a step, for a rate of 1.
  ///
  /// - Parameters: `load` is the expert's over the mean load: 1 is its even share
  static func biasStep(load: Float) -> Float

  /// The weights that a token meets beside the one matrix of logits.
  static func weightsPerToken(_ experts: ExpertConfiguration, width: Int) -> Int

  /// Its tensors take their places in the plan, named within the block.
  init(
    _ configuration: ModelConfiguration, _ experts: ExpertConfiguration, layer: Int,
    plan: inout TensorPlan)

  /// Tensors that the routers of several blocks use, after the last block.
  mutating func planShared(_ plan: inout TensorPlan)

  /// One pass's memory.
  func memory(_ plan: inout MemoryPlan) -> any RouterPass
}

extension Router {
  package static var form: RouterForm { RouterForm(scores: .softmax, normalisesGates: true) }
  package static var hasScores: Bool { true }
  package static var sendsToOne: Bool { false }
  package static var hasCapacity: Bool { true }
  package static var hasState: Bool { false }
  package static var passes: Int { 1 }
  /// Whether its logits' Σ exp is what its scores are divided by, so that it can be held.
  package static var hasSoftmax: Bool { hasScores && form.scores == .softmax }

  /// In proportion to the lack of load: with softmax gates a step of the sign is too coarse.
  ///
  /// - Source: Wang et al. 2024 (2408.15664), table of variants; their unit of load is not stated,
  ///   this one is the mean load
  package static func biasStep(load: Float) -> Float { 1 - load }

  package static func weightsPerToken(_ experts: ExpertConfiguration, width: Int) -> Int { 0 }
  package mutating func planShared(_ plan: inout TensorPlan) {}
}

/// A router in the memory of one pass.
package protocol RouterPass: Sendable {
  /// The same memory for fewer rows.
  func prefix(_ rows: Int) -> Self

  /// Chooses the experts of each row of `input` [M, D].
  func forward(_ input: Matrix, into choices: ExpertChoices, in pass: PassInputs) -> RouterSums

  /// From the gates' gradients to those of its tensors.
  ///
  /// - Shapes: `input` and `dInput` [M, D], added to
  func backward(
    _ choices: ExpertChoiceGradients, input: Matrix, dInput: Matrix, gradients: PassGradients,
    in pass: PassInputs)
}

/// What a router fills: which tokens go to which expert, and what is measured of it.
package struct ExpertChoices {
  let routing: ExpertRouting
  let capacity: ExpertCapacity
  let bias: UnsafePointer<Float>
  let probabilitySums: UnsafeMutablePointer<Double>
  let histogram: GateHistogram

  /// By the logits of `scores` [M, E], overwritten by the scores.
  package func route(_ scores: Matrix) -> RouterSums {
    routing.route(
      scores, bias: bias, capacity: capacity, probabilitySums: probabilitySums,
      histogram: histogram)
  }

  /// Without scores.
  package func deal(_ deal: ExpertDeal, rows: Int) -> RouterSums {
    routing.deal(
      deal, rows: rows, capacity: capacity, probabilitySums: probabilitySums,
      histogram: histogram)
  }
}

/// What the loss says of the choices: through the gates, the load and the logits' size.
package struct ExpertChoiceGradients {
  let routing: ExpertRouting
  /// [M, active]
  let gates: Matrix
  let balance: UnsafePointer<Float>
  let zLoss: Float

  /// - Shapes: `scores` as `route` left them, `dLogits` [M, E], overwritten
  package func logits(of scores: Matrix, into dLogits: Matrix) {
    routing.routeBackward(gates, scores: scores, balance: balance, zLoss: zLoss, dLogits: dLogits)
  }
}
