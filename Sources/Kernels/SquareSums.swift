/// Numbers added in Float32 before the sum goes on in Float64.
let squareBlock = 512

/// Walks 0..<count in blocks whose sums may be taken in Float32.
@inline(__always)
func forEachSquareBlock(_ count: Int, _ body: (_ block: Int, _ length: Int) -> Void) {
  var block = 0
  while block < count {
    let length = min(squareBlock, count &- block)
    body(block, length)
    block &+= length
  }
}

/// Σ a² and Σ b² of two numbers a place, added to `sums` block after block.
///
/// - Parameters: `numbers` gives zeros in lanes that are not used
@inline(__always)
func squareSums(
  _ count: Int, addedTo sums: SIMD2<Double> = .zero,
  _ numbers: (_ index: Int, _ lanes: Int) -> (Lanes, Lanes)
) -> SIMD2<Double> {
  var sums = sums
  forEachSquareBlock(count) { block, length in
    var (first, second) = (Lanes.zero, Lanes.zero)
    forEachLanes(length) { offset, lanes in
      let (a, b) = numbers(block &+ offset, lanes)
      first.addProduct(a, a)
      second.addProduct(b, b)
    }
    sums += SIMD2(Double(first.sum()), Double(second.sum()))
  }
  return sums
}

/// Σ x² over a piece of the numbers.
package func squareSum(_ numbers: FloatBuffer, from start: Int, count: Int) -> Double {
  sumOfSquares(numbers.base + start, count)
}

func sumOfSquares(_ x: UnsafeMutablePointer<Float>, _ count: Int) -> Double {
  var total = 0.0
  forEachSquareBlock(count) { block, length in
    total += Double(dot(x + block, x + block, length))
  }
  return total
}
