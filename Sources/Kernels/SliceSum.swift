/// Adds the slices' gradients over a binary tree: neighbours first, then neighbouring pairs.
///
/// A part of the slices that is a subtree gives the part of the sum that the whole has there, so
/// that parts may be added elsewhere and their sums by ``add(_:to:from:count:)``.
/// - Parameters: `slices` are a power of two of them; `sum` is overwritten from `start` on;
///   `squares` takes Σ g² of each slice
/// - Returns: Σ g² of the sum.
package func sumSlices(
  _ slices: [FloatBuffer], into sum: FloatBuffer, from start: Int, count: Int,
  squares: UnsafeMutablePointer<Double>
) -> Double {
  precondition(slices.count.nonzeroBitCount == 1, "\(slices.count) slices are no binary tree")
  if slices.count == 4 { return sumFour(slices, into: sum, from: start, count, squares) }
  for (index, slice) in slices.enumerated() {
    squares[index] = squareSum(slice, from: start, count: count)
  }
  addTree(slices[...], into: sum.base + start, from: start, count: count)
  return squareSum(sum, from: start, count: count)
}

/// target += source, of as many numbers from `start` on: where two subtrees of the slices meet.
package func add(
  _ source: UnsafePointer<Float>, to target: FloatBuffer, from start: Int, count: Int
) {
  addRow(
    UnsafeMutablePointer(mutating: source), times: 1, to: target.base + start, count)
}

/// Puts the sum of the slices' numbers from `start` on into `target`.
private func addTree(
  _ slices: ArraySlice<FloatBuffer>, into target: UnsafeMutablePointer<Float>, from start: Int,
  count: Int
) {
  let (first, half) = (slices.startIndex, slices.count / 2)
  guard half > 0 else {
    target.update(from: slices[first].base + start, count: count)
    return
  }
  addTree(slices[..<(first + half)], into: target, from: start, count: count)
  guard half > 1 else {
    addRow(slices[first + 1].base + start, times: 1, to: target, count)
    return
  }
  withUnsafeTemporaryAllocation(of: Float.self, capacity: squareBlock) { other in
    guard let base = other.baseAddress else { return }
    forEachSquareBlock(count) { block, length in
      addTree(slices[(first + half)...], into: base, from: start + block, count: length)
      addRow(base, times: 1, to: target + block, length)
    }
  }
}

/// The usual number of slices, in one walk over them.
private func sumFour(
  _ slices: [FloatBuffer], into sum: FloatBuffer, from start: Int, _ count: Int,
  _ squares: UnsafeMutablePointer<Double>
) -> Double {
  let (a, b) = (slices[0].base + start, slices[1].base + start)
  let (c, d) = (slices[2].base + start, slices[3].base + start)
  let target = sum.base + start
  var (each, total) = (SIMD4<Double>.zero, 0.0)
  forEachSquareBlock(count) { block, length in
    var sums = (Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero)
    forEachLanes(length) { offset, lanes in
      let index = block &+ offset
      let (p, q) = (a.lanes(index, count: lanes), b.lanes(index, count: lanes))
      let (r, s) = (c.lanes(index, count: lanes), d.lanes(index, count: lanes))
      let sum = (p + q) + (r + s)
      target.store(sum, index, count: lanes)
      sums.0.addProduct(p, p)
      sums.1.addProduct(q, q)
      sums.2.addProduct(r, r)
      sums.3.addProduct(s, s)
      sums.4.addProduct(sum, sum)
    }
    each += SIMD4(
      Double(sums.0.sum()), Double(sums.1.sum()), Double(sums.2.sum()), Double(sums.3.sum()))
    total += Double(sums.4.sum())
  }
  for slice in 0..<4 { squares[slice] = each[slice] }
  return total
}
