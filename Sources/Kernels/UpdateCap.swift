/// Below this root mean square a tensor counts as one of it, so that what starts at 0 can leave it.
///
/// - Source: ε₂ of Adafactor (Shazeer and Stern 2018, 1804.04235, section 8)
private let leastRootMeanSquare = 1e-3

/// What a change of `count` parameters is multiplied by, so that its norm is at most `cap` times
/// theirs: 1 where it is.
///
/// - Parameters: `squares` are Σ of the squared change and Σ θ² before it
package func capFactor(_ squares: UpdateSquares, count: Int, cap: Double) -> Double {
  let least = Double(count) * leastRootMeanSquare * leastRootMeanSquare
  let limit = cap * max(squares.parameter, least).squareRoot()
  let change = squares.update.squareRoot()
  return change > limit ? limit / change : 1
}

/// Σ of the squared changes of `count` parameters, and Σ θ².
///
/// - Parameters: `change` gives zeros in lanes that are not used
@inline(__always)
func changeSquares(
  _ theta: UnsafeMutablePointer<Float>, _ count: Int,
  _ change: (_ index: Int, _ lanes: Int) -> Lanes
) -> UpdateSquares {
  var squares = UpdateSquares()
  forEachSquareBlock(count) { block, length in
    var changes = Lanes.zero
    var norms = Lanes.zero
    forEachLanes(length) { offset, lanes in
      let index = block &+ offset
      let (value, parameter) = (change(index, lanes), theta.lanes(index, count: lanes))
      changes.addProduct(value, value)
      norms.addProduct(parameter, parameter)
    }
    squares.update += Double(changes.sum())
    squares.parameter += Double(norms.sum())
  }
  return squares
}
