/// A selective state space with one state a channel, over windows or over texts that grow.
///
/// Δ_t = softplus(r_t·W_Δ + b_Δ), a_t = exp(Δ_t·A) with A = −exp(A_log),
/// h_t = a_t·h_{t−1} + Δ_t·B_t·x_t and y_t = C_t·h_t + K·x_t. The states at the chunks' beginnings are
/// kept; what is between them is computed again on the way back.
/// - Shapes: c channels, R numbers that Δ is made of; `deltaWeight` W_Δ [R, c], `deltaBias` b_Δ,
///   `logRate` A_log and `skip` K [1, c]; x, y [M, c]; `selection` [M, R+2], rows of [r|B|C]
/// - Cost: two exponentials and about 20 operations a channel and row, no allocation
/// - Source: Gu and Dao 2023 (2312.00752), algorithm 2 with N = 1; B by Euler's step, as its code has
///   it
package struct SelectiveScan: Sendable {
  package let deltaWeight: Matrix
  package let deltaBias: Matrix
  package let logRate: Matrix
  package let skip: Matrix

  package init(deltaWeight: Matrix, deltaBias: Matrix, logRate: Matrix, skip: Matrix) {
    self.deltaWeight = deltaWeight
    self.deltaBias = deltaBias
    self.logRate = logRate
    self.skip = skip
  }

  private var channels: Int { skip.columns }
  /// R
  private var factors: Int { deltaWeight.rows }

  /// Over windows of `positions` rows, each from a state of zeros.
  ///
  /// - Shapes: `kept` [windows·chunks, c], overwritten
  package func forward(
    _ x: Matrix, selection: Matrix, positions: Int, scratch: ScanScratch, kept: Matrix,
    into y: Matrix
  ) -> ScanMeasures {
    var measures = ScanMeasures()
    let rates = rates(scratch)
    let state = scratch.carry.base
    var keptRow = 0
    for row in 0..<x.rows {
      let position = row % positions
      if position == 0 { state.update(repeating: 0, count: channels) }
      if position % scratch.chunk == 0 {
        kept.row(keptRow).update(from: state, count: channels)
        keptRow += 1
      }
      advance(x.row(row), selection.row(row), rates, state, into: y.row(row), &measures)
    }
    return measures
  }

  /// Of rows that each are a position of a text.
  ///
  /// - Shapes: `states` [slots, c]: what each text has left, and leaves
  package func forward(
    _ x: Matrix, selection: Matrix, texts: TextRows, states: Matrix, scratch: ScanScratch,
    into y: Matrix
  ) {
    var measures = ScanMeasures()
    let rates = rates(scratch)
    for row in 0..<texts.count {
      let state = states.row(Int(texts[row].slot))
      if texts[row].position == 0 { state.update(repeating: 0, count: channels) }
      advance(x.row(row), selection.row(row), rates, state, into: y.row(row), &measures)
    }
  }

  /// A, a row that both ways begin with.
  private func rates(_ scratch: ScanScratch) -> UnsafeMutablePointer<Float> {
    let rates = scratch.rates.base
    forEachLanes(channels) { index, lanes in
      rates.store(-logRate.base.lanes(index, count: lanes).exponential, index, count: lanes)
    }
    return rates
  }

  @inline(__always)
  private func delta(
    _ selection: UnsafeMutablePointer<Float>, _ index: Int, _ lanes: Int
  ) -> (value: Lanes, slope: Lanes) {
    var q = deltaBias.base.lanes(index, count: lanes)
    for factor in 0..<factors {
      q.addProduct(
        deltaWeight.row(factor).lanes(index, count: lanes), Lanes(repeating: selection[factor]))
    }
    return q.softplus
  }

  @inline(__always)
  private func advance(
    _ x: UnsafeMutablePointer<Float>, _ selection: UnsafeMutablePointer<Float>,
    _ rates: UnsafeMutablePointer<Float>, _ state: UnsafeMutablePointer<Float>,
    into y: UnsafeMutablePointer<Float>, _ measures: inout ScanMeasures
  ) {
    let input = Lanes(repeating: selection[factors])
    let output = Lanes(repeating: selection[factors + 1])
    forEachLanes(channels) { index, lanes in
      let delta = delta(selection, index, lanes).value
      let decay = (delta * rates.lanes(index, count: lanes)).exponential
      let value = x.lanes(index, count: lanes)
      let next = (delta * input * value).addingProduct(
        decay, state.lanes(index, count: lanes))
      state.store(next, index, count: lanes)
      let sum = (output * next).addingProduct(skip.base.lanes(index, count: lanes), value)
      y.store(sum, index, count: lanes)
      measures.add(delta: delta, decay: decay, state: next, lanes: lanes)
    }
  }
}

extension SelectiveScan {
  /// The backward pass over windows: from the last row down
  /// g_t = C_t·dy_t + a_{t+1}·g_{t+1}, and with u_t = a_t·h_{t−1}:
  /// dC_t = Σ_c dy_t·h_t, dB_t = Σ_c g_t·Δ_t·x_t, dx_t = K·dy_t + Δ_t·g_t·B_t,
  /// dΔ_t = g_t·(B_t·x_t + A·u_t), dA_log = Σ_t g_t·Δ_t·u_t·A, dK = Σ_t dy_t·x_t.
  ///
  /// - Shapes: `dOutput` [M, c]; `kept` as the forward pass left it; `dx` [M, c] and `dSelection`
  ///   [M, R+2], overwritten; `gradients`, those of the weights, are added to
  package func backward(
    _ dOutput: Matrix, x: Matrix, selection: Matrix, positions: Int, kept: Matrix,
    scratch: ScanScratch, dx: Matrix, dSelection: Matrix, gradients: SelectiveScan
  ) {
    let rates = rates(scratch)
    let chunk = scratch.chunk
    let chunks = (positions + chunk - 1) / chunk
    for window in (0..<x.rows / positions).reversed() {
      scratch.carry.base.update(repeating: 0, count: channels)
      for part in (0..<chunks).reversed() {
        let first = window * positions + part * chunk
        let count = min(chunk, positions - part * chunk)
        let before = kept.row(window * chunks + part)
        again(x, selection, rates, first: first, count: count, from: before, scratch)
        for place in (0..<count).reversed() {
          let row = first + place
          let previous = place > 0 ? scratch.states.row(place - 1) : before
          step(
            dOutput.row(row), x.row(row), selection.row(row), rates, previous, place, scratch,
            dx: dx.row(row), dSelection: dSelection.row(row), gradients)
        }
      }
    }
  }

  /// What the forward pass had of a chunk's rows.
  private func again(
    _ x: Matrix, _ selection: Matrix, _ rates: UnsafeMutablePointer<Float>, first: Int, count: Int,
    from state: UnsafeMutablePointer<Float>, _ scratch: ScanScratch
  ) {
    var previous = state
    for place in 0..<count {
      let (value, chosen) = (x.row(first + place), selection.row(first + place))
      let input = Lanes(repeating: chosen[factors])
      let (deltas, slopes) = (scratch.deltas.row(place), scratch.slopes.row(place))
      let (decays, states) = (scratch.decays.row(place), scratch.states.row(place))
      forEachLanes(channels) { index, lanes in
        let delta = delta(chosen, index, lanes)
        let decay = (delta.value * rates.lanes(index, count: lanes)).exponential
        let next = (delta.value * input * value.lanes(index, count: lanes)).addingProduct(
          decay, previous.lanes(index, count: lanes))
        deltas.store(delta.value, index, count: lanes)
        slopes.store(delta.slope, index, count: lanes)
        decays.store(decay, index, count: lanes)
        states.store(next, index, count: lanes)
      }
      previous = states
    }
  }

  @inline(__always)
  private func step(
    _ dy: UnsafeMutablePointer<Float>, _ x: UnsafeMutablePointer<Float>,
    _ selection: UnsafeMutablePointer<Float>, _ rates: UnsafeMutablePointer<Float>,
    _ previous: UnsafeMutablePointer<Float>, _ place: Int, _ scratch: ScanScratch,
    dx: UnsafeMutablePointer<Float>, dSelection: UnsafeMutablePointer<Float>,
    _ gradients: SelectiveScan
  ) {
    let (deltas, slopes) = (scratch.deltas.row(place), scratch.slopes.row(place))
    let (decays, states) = (scratch.decays.row(place), scratch.states.row(place))
    let (carry, dRaw) = (scratch.carry.base, scratch.dRaw.base)
    let input = Lanes(repeating: selection[factors])
    let output = Lanes(repeating: selection[factors + 1])
    var (dInput, dOutput) = (Lanes.zero, Lanes.zero)
    forEachLanes(channels) { index, lanes in
      let (dy, x) = (dy.lanes(index, count: lanes), x.lanes(index, count: lanes))
      let (delta, decay) = (
        deltas.lanes(index, count: lanes), decays.lanes(index, count: lanes)
      )
      let g = carry.lanes(index, count: lanes).addingProduct(output, dy)
      let pull =
        rates.lanes(index, count: lanes) * decay * previous.lanes(index, count: lanes)
      let scaled = g * delta
      dOutput.addProduct(dy, states.lanes(index, count: lanes))
      dInput.addProduct(scaled, x)
      let skip = skip.base.lanes(index, count: lanes)
      dx.store((skip * dy).addingProduct(scaled, input), index, count: lanes)
      let dq = g * pull.addingProduct(input, x) * slopes.lanes(index, count: lanes)
      dRaw.store(dq, index, count: lanes)
      add(dq, to: gradients.deltaBias, index, lanes)
      add(scaled * pull, to: gradients.logRate, index, lanes)
      add(dy * x, to: gradients.skip, index, lanes)
      carry.store(g * decay, index, count: lanes)
    }
    dSelection[factors] = dInput.sum()
    dSelection[factors + 1] = dOutput.sum()
    for factor in 0..<factors {
      dSelection[factor] = dot(dRaw, deltaWeight.row(factor), channels)
      addRow(dRaw, times: selection[factor], to: gradients.deltaWeight.row(factor), channels)
    }
  }

  @inline(__always)
  private func add(_ value: Lanes, to sums: Matrix, _ index: Int, _ lanes: Int) {
    sums.base.store(sums.base.lanes(index, count: lanes) + value, index, count: lanes)
  }
}

/// What a scan needs for its length alone, whichever layer's it is.
package struct ScanScratch: Sendable {
  /// Rows between states that are kept.
  package let chunk: Int
  /// [1, c]: A, what is carried from row to row, and dq.
  fileprivate let rates: Matrix
  fileprivate let carry: Matrix
  fileprivate let dRaw: Matrix
  /// [chunk, c]
  fileprivate let deltas: Matrix
  fileprivate let slopes: Matrix
  fileprivate let decays: Matrix
  fileprivate let states: Matrix

  package init(channels: Int, chunk: Int = 16, arena: Arena) {
    self.chunk = chunk
    let row = { arena.matrix(rows: 1, columns: channels) }
    let rows = { arena.matrix(rows: chunk, columns: channels) }
    (rates, carry, dRaw) = (row(), row(), row())
    (deltas, slopes, decays, states) = (rows(), rows(), rows(), rows())
  }

  /// The states that are kept of windows of `positions` rows.
  package func kept(rows: Int, positions: Int) -> Int {
    rows / positions * ((positions + chunk - 1) / chunk)
  }
}

/// What a scan measures on its way, over its rows and channels.
package struct ScanMeasures: Sendable {
  package private(set) var smallestDelta = Float.infinity
  package private(set) var largestDelta = -Float.infinity
  /// Σ a, the share of its state that a row keeps.
  package private(set) var decaySum = 0.0
  /// Σ |h| and the largest |h|.
  package private(set) var stateSum = 0.0
  package private(set) var largestState = Float(0)

  package init() {}

  @inline(__always)
  fileprivate mutating func add(delta: Lanes, decay: Lanes, state: Lanes, lanes: Int) {
    let size = state.size
    if lanes == Lanes.scalarCount {
      decaySum += Double(decay.sum())
      stateSum += Double(size.sum())
      smallestDelta = min(smallestDelta, -(-delta).peak)
      largestDelta = max(largestDelta, delta.peak)
      largestState = max(largestState, size.peak)
      return
    }
    for lane in 0..<lanes {
      decaySum += Double(decay[lane])
      stateSum += Double(size[lane])
      smallestDelta = min(smallestDelta, delta[lane])
      largestDelta = max(largestDelta, delta[lane])
      largestState = max(largestState, size[lane])
    }
  }

  package mutating func add(_ other: ScanMeasures) {
    smallestDelta = min(smallestDelta, other.smallestDelta)
    largestDelta = max(largestDelta, other.largestDelta)
    decaySum += other.decaySum
    stateSum += other.stateSum
    largestState = max(largestState, other.largestState)
  }
}

extension SIMD8<Float> {
  /// ln(1 + eˣ) and its slope, the logistic function, of each lane.
  ///
  /// max(x, 0) + ln(1 + u) with u = e^−|x|, and ln(1 + u) = 2·artanh(u/(2 + u)), whose argument is a
  /// third at most: seven terms of the series are exact to rounding, in the small too.
  @inline(__always)
  var softplus: (value: Lanes, slope: Lanes) {
    let u = (-size).exponential
    let z = u / (u + 2)
    let square = z * z
    var series = Lanes(repeating: 1.0 / 11).addingProduct(square, Lanes(repeating: 1.0 / 13))
    series = Lanes(repeating: 1.0 / 9).addingProduct(square, series)
    series = Lanes(repeating: 1.0 / 7).addingProduct(square, series)
    series = Lanes(repeating: 1.0 / 5).addingProduct(square, series)
    series = Lanes(repeating: 1.0 / 3).addingProduct(square, series)
    series = Lanes(repeating: 1).addingProduct(square, series)
    let positive = largest(.zero)
    let reciprocal = 1 / (u + 1)
    let slope = (u * reciprocal).replacing(with: reciprocal, where: self .>= 0)
    return ((2 * z).addingProduct(z + z, series - 1) + positive, slope)
  }
}
