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
