/// The mean of each row and those before it: m_t = (x_1 + … + x_t)/t.
///
/// - Shapes: `x`, `output` [M, D], windows of `positions` rows; `sum` [1, D], scratch
package func runningMean(_ x: Matrix, positions: Int, sum: Matrix, output: Matrix) {
  for row in 0..<x.rows {
    let position = row % positions
    if position == 0 { sum.clear() }
    addToMean(x.row(row), sum.base, count: position + 1, output.row(row), x.columns)
  }
}

/// The same of rows that each are a position of a text.
///
/// - Shapes: `sums` [slots, D]: what each text's rows have added up to
package func runningMean(_ x: Matrix, texts: TextRows, sums: Matrix, output: Matrix) {
  for row in 0..<texts.count {
    let (slot, position) = (Int(texts[row].slot), Int(texts[row].position))
    let sum = sums.rows(from: slot, count: 1)
    if position == 0 { sum.clear() }
    addToMean(x.row(row), sum.base, count: position + 1, output.row(row), x.columns)
  }
}

/// The backward pass over windows: dx_s += Σ_{t≥s} dm_t/t.
///
/// - Shapes: `dMean`, `dx` [M, D]; `sum` [1, D], scratch
package func runningMeanBackward(_ dMean: Matrix, positions: Int, sum: Matrix, addingTo dx: Matrix)
{
  for row in (0..<dMean.rows).reversed() {
    let count = row % positions + 1
    if count == positions { sum.clear() }
    addRow(dMean.row(row), times: 1 / Float(count), to: sum.base, dMean.columns)
    addRow(sum.base, times: 1, to: dx.row(row), dMean.columns)
  }
}

@inline(__always)
private func addToMean(
  _ x: UnsafeMutablePointer<Float>, _ sum: UnsafeMutablePointer<Float>, count: Int,
  _ mean: UnsafeMutablePointer<Float>, _ columns: Int
) {
  let share = Lanes(repeating: 1 / Float(count))
  forEachLanes(columns) { index, lanes in
    let total = sum.lanes(index, count: lanes) + x.lanes(index, count: lanes)
    sum.store(total, index, count: lanes)
    mean.store(total * share, index, count: lanes)
  }
}
