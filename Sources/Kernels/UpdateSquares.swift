/// Sums of squares over a piece of the parameters.
package struct UpdateSquares: Sendable, BitwiseCopyable {
  package var update = 0.0
  package var parameter = 0.0

  package init() {}

  fileprivate init(_ sums: SIMD2<Double>) {
    (update, parameter) = (sums.x, sums.y)
  }

  package static func += (sum: inout UpdateSquares, part: UpdateSquares) {
    sum.update += part.update
    sum.parameter += part.parameter
  }
}

/// θ −= update + decay·θ for `count` parameters.
///
/// - Parameters: `update` gives zeros in lanes that are not used; `squares` is what the sums go on from
/// - Returns: Σ of the squared updates, without the decay, and Σ θ² after them
@inline(__always)
func stepSquares(
  _ theta: UnsafeMutablePointer<Float>, _ count: Int, decay: Float,
  addedTo squares: UpdateSquares = UpdateSquares(),
  _ update: (_ index: Int, _ lanes: Int) -> Lanes
) -> UpdateSquares {
  let keep = Lanes(repeating: 1 - decay)
  let sums = SIMD2(squares.update, squares.parameter)
  return UpdateSquares(
    squareSums(count, addedTo: sums) { index, lanes in
      let update = update(index, lanes)
      let next = theta.lanes(index, count: lanes) * keep - update
      theta.store(next, index, count: lanes)
      return (update, next)
    })
}

/// What a step with these updates would change of `count` parameters. Reads only.
///
/// - Parameters: `update` gives zeros in lanes that are not used
/// - Returns: Σ (update + decay·θ)², and Σ θ² before it
@inline(__always)
func changeSquares(
  _ theta: UnsafeMutablePointer<Float>, _ count: Int, decay: Float,
  _ update: (_ index: Int, _ lanes: Int) -> Lanes
) -> UpdateSquares {
  let decay = Lanes(repeating: decay)
  return UpdateSquares(
    squareSums(count) { index, lanes in
      let parameter = theta.lanes(index, count: lanes)
      return (update(index, lanes).addingProduct(parameter, decay), parameter)
    })
}
