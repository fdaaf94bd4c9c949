internal import Kernels

/// What a pass keeps of a layer of state spaces, and its scratch.
struct StateSpacePass: LayerPass {
  private let layer: GroupedStateSpace
  private let firstSignal: Int
  private var kept: StateSpaceActivations
  private var scratch: Scratch
  /// [4, M]
  private let reciprocals: Matrix
  /// [windows·chunks, D], at the beginnings of chunks
  private let states: Matrix

  init(_ layer: GroupedStateSpace, _ plan: inout MemoryPlan) {
    self.layer = layer
    firstSignal = plan.signals(4 + 2 * GroupedStateSpace.groups).lowerBound
    kept = StateSpaceActivations(layer, plan)
    scratch = plan.scratch { Scratch(layer, $0) }
    reciprocals = plan.arena.matrix(rows: GroupedStateSpace.groups, columns: plan.rows)
    states = plan.arena.matrix(
      rows: scratch.scan.kept(rows: plan.rows, positions: layer.context), columns: layer.width)
  }

  func prefix(_ rows: Int) -> StateSpacePass {
    var result = self
    result.kept = kept.prefix(rows)
    result.scratch = scratch.prefix(rows)
    return result
  }

  func forward(_ input: Matrix, addingTo residual: Matrix, in pass: PassInputs) {
    forward(input, addingTo: residual, texts: nil, in: pass)
  }

  /// - Parameters: `texts` are what each row's text has left so far; nil for windows
  func forward(
    _ input: Matrix, addingTo residual: Matrix, texts: StateSpaceTexts?, in pass: PassInputs
  ) {
    var measures = ScanMeasures()
    for group in layer.parts.indices {
      mix(group, input, texts, in: pass, &measures)
    }
    weigh(input, texts, in: pass)
    layerNorm(
      scratch.second, gain: pass.parameters[layer.entryGain], normalised: kept.final.normalised,
      reciprocal: kept.final.reciprocal, output: kept.final.output)
    pass.multiply(kept.final.output, transposed: layer.output, into: residual, adding: true)
    if texts == nil { tell(measures, in: pass) }
  }

  /// One group's part of the mixed channels.
  private func mix(
    _ group: Int, _ input: Matrix, _ texts: StateSpaceTexts?, in pass: PassInputs,
    _ measures: inout ScanMeasures
  ) {
    let (part, channels) = (layer.parts[group], layer.channels(group))
    let (active, scanned) = (channels.of(kept.activated), channels.of(scratch.first))
    let selection = selection(group)
    pass.multiply(
      channels.of(input), transposed: part.input, into: channels.both(kept.projected))
    let convolution = layer.convolution(pass.parameters, channels)
    let (raw, slope) = (channels.first(kept.projected), channels.of(kept.slope))
    if let texts {
      convolution.forward(
        raw, texts: texts.rows, tails: channels.of(texts.tails), output: active, slope: slope)
    } else {
      convolution.forward(raw, positions: layer.context, output: active, slope: slope)
    }
    pass.multiply(active, transposed: part.selection, into: selection)
    let scan = layer.scan(pass.parameters, channels)
    if let texts {
      scan.forward(
        active, selection: selection, texts: texts.rows, states: channels.of(texts.states),
        scratch: scratch.scan, into: scanned)
    } else {
      let measured = scan.forward(
        active, selection: selection, positions: layer.context, scratch: scratch.scan,
        kept: channels.of(states), into: scanned)
      measures.add(measured)
      pass.measure(measured.decaySum / Double(channels.count), as: firstSignal + 4 + group)
    }
    let normed = channels.of(kept.normed)
    layerNorm(
      scanned, gain: channels.of(pass.parameters[layer.gain]),
      normalised: channels.of(kept.normalised), reciprocal: reciprocal(group), output: normed)
    gate(normed, by: channels.second(kept.projected), output: channels.of(kept.gated))
    pass.multiply(
      channels.of(kept.gated), transposed: part.output, into: channels.of(kept.mixed))
  }

  /// The mixed channels, weighed by the input and by the gates.
  private func weigh(_ input: Matrix, _ texts: StateSpaceTexts?, in pass: PassInputs) {
    if let texts {
      runningMean(input, texts: texts.rows, sums: texts.sums, output: kept.mean)
    } else {
      runningMean(input, positions: layer.context, sum: scratch.row, output: kept.mean)
    }
    pass.multiply(kept.mean, transposed: layer.squeeze, into: kept.squeezed)
    rectify(kept.squeezed)
    pass.multiply(kept.squeezed, transposed: layer.excite, into: kept.gates)
    modulate(
      kept.mixed, input, gates: kept.gates, scale: pass.parameters[layer.scale],
      output: scratch.second)
  }

  private func tell(_ measures: ScanMeasures, in pass: PassInputs) {
    pass.measure(Double(measures.smallestDelta), as: firstSignal)
    pass.measure(Double(measures.largestDelta), as: firstSignal + 1)
    pass.measure(measures.stateSum / Double(layer.width), as: firstSignal + 2)
    pass.measure(Double(measures.largestState), as: firstSignal + 3)
    for group in layer.parts.indices {
      let channels = layer.channels(group)
      pass.measure(
        sum(of: channels.of(kept.gates)) / Double(channels.count),
        as: firstSignal + 4 + GroupedStateSpace.groups + group)
    }
  }

  private func reciprocal(_ group: Int) -> Matrix { reciprocals.rows(from: group, count: 1) }

  private func selection(_ group: Int) -> Matrix {
    kept.selection.columns(
      from: group * layer.selectionWidth, count: layer.selectionWidth)
  }
}

extension StateSpacePass {
  func backward(
    _ dOutput: Matrix, input: Matrix, dInput: Matrix, gradients: PassGradients, in pass: PassInputs
  ) {
    let (parameters, tensors) = (pass.parameters, gradients.tensors)
    let (dWeighed, dNormed) = (scratch.first, scratch.second)
    pass.multiplyBackward(
      dOutput, layer.output, input: kept.final.output, dInput: dNormed, gradients: gradients)
    dWeighed.clear()
    layerNormBackward(
      dNormed, normalised: kept.final.normalised, reciprocal: kept.final.reciprocal,
      gain: parameters[layer.entryGain], addingTo: dWeighed, dGain: tensors[layer.entryGain])
    let dMixed = scratch.second
    modulateBackward(
      dWeighed, kept.mixed, input, gates: kept.gates, scale: parameters[layer.scale],
      dMixed: dMixed, dx: dInput, dScale: tensors[layer.scale])
    gatesBackward(dWeighed, dInput: dInput, gradients, in: pass)
    for group in layer.parts.indices {
      mixBackward(group, dMixed, input: input, dInput: dInput, gradients, in: pass)
    }
  }

  /// From the gradient of the gates' logits.
  private func gatesBackward(
    _ dLogits: Matrix, dInput: Matrix, _ gradients: PassGradients, in pass: PassInputs
  ) {
    let (dSqueezed, dMean) = (scratch.dSqueezed, scratch.third)
    pass.multiplyBackward(
      dLogits, layer.excite, input: kept.squeezed, dInput: dSqueezed, gradients: gradients)
    rectifyBackward(dSqueezed, output: kept.squeezed)
    pass.multiplyBackward(
      dSqueezed, layer.squeeze, input: kept.mean, dInput: dMean, gradients: gradients)
    runningMeanBackward(dMean, positions: layer.context, sum: scratch.row, addingTo: dInput)
  }

  private func mixBackward(
    _ group: Int, _ dMixed: Matrix, input: Matrix, dInput: Matrix, _ gradients: PassGradients,
    in pass: PassInputs
  ) {
    let (part, channels) = (layer.parts[group], layer.channels(group))
    let (parameters, tensors) = (pass.parameters, gradients.tensors)
    let (dMixed, dGated) = (channels.of(dMixed), channels.of(scratch.first))
    pass.multiplyBackward(
      dMixed, part.output, input: channels.of(kept.gated), dInput: dGated, gradients: gradients)
    gateBackward(
      dGated, channels.of(kept.normed), by: channels.second(kept.projected),
      dGate: channels.second(scratch.dProjected))
    let dScanned = channels.of(scratch.third)
    dScanned.clear()
    layerNormBackward(
      dGated, normalised: channels.of(kept.normalised), reciprocal: reciprocal(group),
      gain: channels.of(parameters[layer.gain]), addingTo: dScanned,
      dGain: channels.of(tensors[layer.gain]))
    let (active, dActive) = (channels.of(kept.activated), channels.of(scratch.first))
    layer.scan(parameters, channels).backward(
      dScanned, x: active, selection: selection(group), positions: layer.context,
      kept: channels.of(states), scratch: scratch.scan, dx: dActive,
      dSelection: scratch.dSelection, gradients: layer.scan(tensors, channels))
    pass.multiplyBackward(
      scratch.dSelection, part.selection, input: active, dInput: dActive, adding: true,
      gradients: gradients)
    layer.convolution(parameters, channels).backward(
      dActive, x: channels.first(kept.projected), positions: layer.context,
      slope: channels.of(kept.slope), dx: channels.first(scratch.dProjected),
      gradients: layer.convolution(tensors, channels))
    let dProjected = channels.both(scratch.dProjected)
    pass.multiplyBackward(
      dProjected, part.input, input: channels.of(input), dInput: channels.of(dInput), adding: true,
      gradients: gradients)
  }

  /// [M, …]
  private struct Scratch: Sendable {
    var first: Matrix
    var second: Matrix
    var third: Matrix
    /// [M, 2D], by group a run of x and one of z
    var dProjected: Matrix
    /// [M, R+2], of one group
    var dSelection: Matrix
    var dSqueezed: Matrix
    /// [1, D]
    let row: Matrix
    let scan: ScanScratch

    init(_ layer: GroupedStateSpace, _ plan: MemoryPlan) {
      let width = layer.width
      first = plan.matrix(columns: width)
      second = plan.matrix(columns: width)
      third = plan.matrix(columns: width)
      dProjected = plan.matrix(columns: 2 * width)
      dSelection = plan.matrix(columns: layer.selectionWidth)
      dSqueezed = plan.matrix(columns: layer.squeeze.rows)
      row = plan.arena.matrix(rows: 1, columns: width)
      scan = ScanScratch(channels: layer.channels(0).count, arena: plan.arena)
    }

    func prefix(_ rows: Int) -> Scratch {
      var result = self
      result.first = first.rows(from: 0, count: rows)
      result.second = second.rows(from: 0, count: rows)
      result.third = third.rows(from: 0, count: rows)
      result.dProjected = dProjected.rows(from: 0, count: rows)
      result.dSelection = dSelection.rows(from: 0, count: rows)
      result.dSqueezed = dSqueezed.rows(from: 0, count: rows)
      return result
    }
  }
}

/// What the backward pass needs of the forward one, [M, …].
private struct StateSpaceActivations: Sendable {
  /// [M, 2D], by group a run of x before its convolution and one of z
  var projected: Matrix
  var activated: Matrix
  var slope: Matrix
  /// [M, 4·(R+2)], by group [r|B|C]
  var selection: Matrix
  var normalised: Matrix
  var normed: Matrix
  var gated: Matrix
  var mixed: Matrix
  var mean: Matrix
  var squeezed: Matrix
  var gates: Matrix
  var final: NormActivations

  init(_ layer: GroupedStateSpace, _ plan: MemoryPlan) {
    let width = layer.width
    projected = plan.matrix(columns: 2 * width)
    activated = plan.matrix(columns: width)
    slope = plan.matrix(columns: width)
    selection = plan.matrix(columns: GroupedStateSpace.groups * layer.selectionWidth)
    normalised = plan.matrix(columns: width)
    normed = plan.matrix(columns: width)
    gated = plan.matrix(columns: width)
    mixed = plan.matrix(columns: width)
    mean = plan.matrix(columns: width)
    squeezed = plan.matrix(columns: layer.squeeze.rows)
    gates = plan.matrix(columns: width)
    final = NormActivations(columns: width, plan)
  }

  func prefix(_ rows: Int) -> StateSpaceActivations {
    var result = self
    result.projected = projected.rows(from: 0, count: rows)
    result.activated = activated.rows(from: 0, count: rows)
    result.slope = slope.rows(from: 0, count: rows)
    result.selection = selection.rows(from: 0, count: rows)
    result.normalised = normalised.rows(from: 0, count: rows)
    result.normed = normed.rows(from: 0, count: rows)
    result.gated = gated.rows(from: 0, count: rows)
    result.mixed = mixed.rows(from: 0, count: rows)
    result.mean = mean.rows(from: 0, count: rows)
    result.squeezed = squeezed.rows(from: 0, count: rows)
    result.gates = gates.rows(from: 0, count: rows)
    result.final = final.prefix(rows)
    return result
  }
}
