internal import Kernels

/// A mixture of experts in the place of a feed-forward layer: a router, then each token's few
/// experts, weighed by their gates. What is beyond an expert's capacity passes by in the residual
/// stream.
package struct MixtureOfExperts: Layer {
  package static let name = "mixture"

  fileprivate let experts: ExpertConfiguration
  fileprivate let layer: Int
  /// Among the layers that have experts.
  fileprivate let index: Int
  fileprivate var router: any Router
  fileprivate let networks: [GELUNetwork]
  /// What every token meets besides its own experts.
  fileprivate let shared: GELUNetwork?

  package init(_ configuration: ModelConfiguration, layer: Int, plan: inout TensorPlan) {
    guard let experts = configuration.experts else { preconditionFailure("a mixture of nothing") }
    let width = configuration.width
    self.experts = experts
    self.layer = layer
    index = configuration.mixtureIndex(ofLayer: layer)
    router = experts.router.conformer.init(configuration, experts, layer: layer, plan: &plan)
    networks = (0..<experts.count).map { expert in
      GELUNetwork("mlp.experts.\(expert)", width: width, hidden: experts.width, plan: &plan)
    }
    shared =
      experts.sharedWidth > 0
      ? GELUNetwork("mlp.shared_expert", width: width, hidden: experts.sharedWidth, plan: &plan)
      : nil
  }

  package mutating func planShared(_ plan: inout TensorPlan) { router.planShared(&plan) }

  /// A router's one matrix is left out, as in the peers' count; what a recurrent one does is
  /// counted.
  package static func weightsPerToken(_ configuration: ModelConfiguration) -> Int {
    guard let experts = configuration.experts else { return 0 }
    return 2 * configuration.width * experts.activeWidth
      + experts.router.conformer.weightsPerToken(experts, width: configuration.width)
  }

  package static func keptPerToken(_ configuration: ModelConfiguration) -> Int {
    2 * (configuration.experts?.activeWidth ?? 0)
  }

  package var expertTensors: [[TensorPlace]] { networks.map { [$0.up.weight, $0.down.weight] } }

  package func memory(_ plan: inout MemoryPlan) -> any LayerPass { MixturePass(self, &plan) }
}

extension ExpertConfiguration {
  /// The hidden numbers that a token meets.
  fileprivate var activeWidth: Int { active * width + sharedWidth }
}

extension LayerKind {
  static let mixture = LayerKind(MixtureOfExperts.self)
}

/// What a pass keeps of a mixture, and its scratch.
private struct MixturePass: LayerPass {
  let layer: MixtureOfExperts
  let order: ExpertRouting
  var router: any RouterPass
  /// By assignment, ordered by expert: [M·active, …]
  var gathered: Matrix
  var hidden: GELUActivations
  var outputs: Matrix
  /// The shared expert's, [M, F]
  var shared: GELUActivations?
  let scratch: Scratch

  init(_ layer: MixtureOfExperts, _ plan: inout MemoryPlan) {
    let experts = layer.experts
    let assignments = plan.rows * experts.active
    let width = layer.networks[0].down.weight.rows
    self.layer = layer
    order = ExpertRouting(
      arena: plan.arena, rows: plan.rows, experts: experts.count, active: experts.active,
      form: experts.router.conformer.form)
    router = layer.router.memory(&plan)
    gathered = plan.arena.matrix(rows: assignments, columns: width)
    hidden = GELUActivations(rows: assignments, columns: experts.width, plan.arena)
    outputs = plan.arena.matrix(rows: assignments, columns: width)
    if let network = layer.shared {
      shared = GELUActivations(rows: plan.rows, columns: network.up.weight.rows, plan.arena)
    }
    scratch = plan.scratch { Scratch(experts, width: width, $0) }
  }

  var routing: ExpertRouting? { order }

  func prefix(_ rows: Int) -> MixturePass {
    var result = self
    let assignments = rows * order.active
    result.router = router.prefix(rows)
    result.gathered = gathered.rows(from: 0, count: assignments)
    result.hidden = hidden.prefix(assignments)
    result.outputs = outputs.rows(from: 0, count: assignments)
    result.shared = shared?.prefix(rows)
    return result
  }

  func forward(_ input: Matrix, addingTo residual: Matrix, in pass: PassInputs) {
    pass.sums.layers[layer.layer].router = router.forward(input, into: choices(pass), in: pass)
    let counts = pass.sums.expertCounts.base + firstEntry
    order.gather(input, into: gathered)
    forEachExpert { expert, rows in
      counts[expert] = order.demand(of: expert)
      pass.multiply(
        rows.of(gathered), by: layer.networks[expert].up, into: rows.of(hidden.slope))
    }
    gelu(
      hidden.slope.rows(from: 0, count: order.kept),
      output: hidden.activated.rows(from: 0, count: order.kept))
    forEachExpert { expert, rows in
      pass.multiply(
        rows.of(hidden.activated), by: layer.networks[expert].down,
        into: rows.of(outputs))
    }
    order.combine(outputs, addingTo: residual)
    if let network = layer.shared, let kept = shared {
      network.forward(input, addingTo: residual, kept: kept, in: pass)
    }
  }

  func backward(
    _ dOutput: Matrix, input: Matrix, dInput: Matrix, gradients: PassGradients, in pass: PassInputs
  ) {
    let dHidden = scratch.dHidden.rows(from: 0, count: order.kept)
    let dOutputs = scratch.dOutputs
    order.combineBackward(dOutput, outputs: outputs, dOutputs: dOutputs, dGates: scratch.dGates)
    forEachExpert { expert, rows in
      pass.multiplyBackward(
        rows.of(dOutputs), by: layer.networks[expert].down, input: rows.of(hidden.activated),
        dInput: rows.of(dHidden), gradients: gradients)
    }
    geluBackward(dHidden, slope: hidden.slope)
    forEachExpert { expert, rows in
      pass.multiplyBackward(
        rows.of(dHidden), by: layer.networks[expert].up, input: rows.of(gathered),
        dInput: rows.of(scratch.dGathered), gradients: gradients)
    }
    order.gatherBackward(scratch.dGathered, into: dInput)
    router.backward(
      choiceGradients(gradients, pass), input: input, dInput: dInput, gradients: gradients,
      in: pass)
    guard let network = layer.shared, let kept = shared else { return }
    network.backward(
      dOutput, input: input, kept: kept,
      dHidden: scratch.dShared.rows(from: 0, count: input.rows), dInput: dInput, adding: true,
      gradients: gradients, in: pass)
  }

  /// Where this layer's experts begin in [L, E].
  private var firstEntry: Int { layer.index * layer.experts.count }

  private func choices(_ pass: PassInputs) -> ExpertChoices {
    ExpertChoices(
      routing: order,
      capacity: ExpertCapacity(
        factor: pass.settings.capacity, window: pass.tokens.positions,
        experts: layer.experts.count, active: order.active),
      bias: pass.routerBias.base + firstEntry,
      probabilitySums: pass.sums.probabilities.base + firstEntry,
      histogram: pass.sums.gates[layer.index])
  }

  private func choiceGradients(
    _ gradients: PassGradients, _ pass: PassInputs
  ) -> ExpertChoiceGradients {
    ExpertChoiceGradients(
      routing: order, gates: scratch.dGates, balance: gradients.balance.base + firstEntry,
      zLoss: 2 * pass.settings.routerZLoss / Float(pass.batchTokens))
  }

  private struct Rows {
    let start: Int
    let count: Int

    func of(_ matrix: Matrix) -> Matrix { matrix.rows(from: start, count: count) }
  }

  private func forEachExpert(_ body: (_ expert: Int, _ rows: Rows) -> Void) {
    for expert in 0..<order.experts {
      body(expert, Rows(start: order.start(of: expert), count: order.count(of: expert)))
    }
  }

  struct Scratch: Sendable {
    /// By assignment, [M·active, F], and of the shared expert, [M, F].
    let dHidden: Matrix
    let dShared: Matrix
    let dOutputs: Matrix
    let dGathered: Matrix
    let dGates: Matrix

    init(_ experts: ExpertConfiguration, width: Int, _ plan: MemoryPlan) {
      let assignments = plan.rows * experts.active
      dHidden = plan.arena.matrix(rows: assignments, columns: experts.width)
      dShared = plan.matrix(columns: experts.sharedWidth)
      dOutputs = plan.arena.matrix(rows: assignments, columns: width)
      dGathered = plan.arena.matrix(rows: assignments, columns: width)
      dGates = plan.matrix(columns: experts.active)
    }
  }
}
