internal import Kernels

/// A mixture of experts in the place of a feed-forward layer: a router, then each token's few
/// experts, weighed by their gates. What is beyond an expert's capacity passes by in the residual
/// stream.
struct Experts {
  let parameters: MixtureTensors
  let activations: MixtureActivations
  /// What the router sees the input through; nil for one that sees it as it is.
  let recurrence: RecurrentRouter?
  /// What deals the experts out where there are no scores.
  let deal: ExpertDeal?
  /// Whether the router's matrix stays as it was drawn.
  let isFixed: Bool

  /// - Shapes: `input` [M, D]; `residual` [M, D], added to; `bias` [E]; `counts` [E] get what the
  ///   experts were chosen for
  func forward(
    _ input: Matrix, addingTo residual: Matrix, bias: UnsafePointer<Float>,
    capacity: ExpertCapacity, counts: UnsafeMutablePointer<Int>,
    probabilitySums: UnsafeMutablePointer<Double>, histogram: GateHistogram
  ) -> RouterSums {
    let routing = activations.routing
    let sums: RouterSums
    if let deal {
      sums = routing.deal(
        deal, rows: input.rows, capacity: capacity, probabilitySums: probabilitySums,
        histogram: histogram)
    } else {
      score(input)
      sums = routing.route(
        activations.scores, bias: bias, capacity: capacity, probabilitySums: probabilitySums,
        histogram: histogram)
    }
    routing.gather(input, into: activations.gathered)
    forEachExpert { expert, rows in
      counts[expert] = routing.demand(of: expert)
      multiply(
        rows.of(activations.gathered), transposed: parameters.experts[expert].up,
        into: rows.of(activations.hidden.slope))
    }
    gelu(
      activations.hidden.slope.rows(from: 0, count: routing.kept),
      output: activations.hidden.activated.rows(from: 0, count: routing.kept))
    forEachExpert { expert, rows in
      multiply(
        rows.of(activations.hidden.activated), transposed: parameters.experts[expert].down,
        into: rows.of(activations.outputs))
    }
    routing.combine(activations.outputs, addingTo: residual)
    if let weights = parameters.shared, let hidden = activations.shared {
      FeedForward(parameters: weights, activations: hidden).forward(input, addingTo: residual)
    }
    return sums
  }

  private func score(_ input: Matrix) {
    guard let router = parameters.router else { preconditionFailure("a router without scores") }
    let seen = recurrence?.forward(input) ?? input
    multiply(seen, transposed: router, into: activations.scores)
  }

  /// - Shapes: `dOutput` [M, D]; `dInput` [M, D], overwritten; `balance` [E]
  /// - Parameters: `cell` are the gradients of what the layers' routers share
  func backward(
    _ dOutput: Matrix, input: Matrix, gradients: MixtureTensors, cell: CellTensors?,
    scratch: MixtureScratch, balance: UnsafePointer<Float>, zLoss: Float, dInput: Matrix,
    addsGradients: Bool
  ) {
    let routing = activations.routing
    let hidden = scratch.dHidden.rows(from: 0, count: routing.kept)
    let dOutputs = scratch.dOutputs
    routing.combineBackward(
      dOutput, outputs: activations.outputs, dOutputs: dOutputs, dGates: scratch.dGates)
    forEachExpert { expert, rows in
      multiply(
        transposed: rows.of(dOutputs), rows.of(activations.hidden.activated),
        into: gradients.experts[expert].down, adding: addsGradients)
      multiply(rows.of(dOutputs), parameters.experts[expert].down, into: rows.of(hidden))
    }
    geluBackward(hidden, slope: activations.hidden.slope)
    forEachExpert { expert, rows in
      multiply(
        transposed: rows.of(hidden), rows.of(activations.gathered),
        into: gradients.experts[expert].up, adding: addsGradients)
      multiply(rows.of(hidden), parameters.experts[expert].up, into: rows.of(scratch.dGathered))
    }
    routing.gatherBackward(scratch.dGathered, into: dInput)
    if let router = parameters.router, let dRouter = gradients.router {
      routing.routeBackward(
        scratch.dGates, scores: activations.scores, balance: balance, zLoss: zLoss,
        dLogits: scratch.dLogits)
      scoreBackward(
        input, router: router, dRouter: isFixed ? nil : dRouter,
        dProjection: gradients.projection, cell: cell, scratch: scratch, dInput: dInput)
    }
    guard let weights = parameters.shared, let hidden = activations.shared,
      let dWeights = gradients.shared
    else { return }
    FeedForward(parameters: weights, activations: hidden).backward(
      dOutput, input: input, gradients: dWeights,
      dHidden: scratch.dShared.rows(from: 0, count: input.rows), dInput: dInput, adding: true,
      addsGradients: addsGradients)
  }

  /// - Parameters: `dRouter` is nil for a matrix that stays as it is
  private func scoreBackward(
    _ input: Matrix, router: Matrix, dRouter: Matrix?, dProjection: Matrix?, cell: CellTensors?,
    scratch: MixtureScratch, dInput: Matrix
  ) {
    let dLogits = scratch.dLogits
    if let dRouter {
      let seen = recurrence?.activations.state ?? input
      multiply(transposed: dLogits, seen, into: dRouter, adding: true)
    }
    guard let recurrence, let cell, let dProjection, let recurrent = scratch.recurrent else {
      multiply(dLogits, router, into: dInput, adding: true)
      return
    }
    multiply(dLogits, router, into: recurrent.dState, adding: true)
    recurrence.backward(
      input, gradients: cell, dProjection: dProjection, scratch: recurrent, dInput: dInput)
  }

  private struct Rows {
    let start: Int
    let count: Int

    func of(_ matrix: Matrix) -> Matrix { matrix.rows(from: start, count: count) }
  }

  private func forEachExpert(_ body: (_ expert: Int, _ rows: Rows) -> Void) {
    let routing = activations.routing
    for expert in 0..<routing.experts {
      body(expert, Rows(start: routing.start(of: expert), count: routing.count(of: expert)))
    }
  }
}
