/// The scalar product of two rows.
@inline(__always)
func dot(
  _ a: UnsafeMutablePointer<Float>, _ b: UnsafeMutablePointer<Float>, _ count: Int
) -> Float {
  var sum = Lanes.zero
  forEachLanes(count) { index, lanes in
    sum.addProduct(a.lanes(index, count: lanes), b.lanes(index, count: lanes))
  }
  return sum.sum()
}

@inline(__always)
func scaleRow(_ row: UnsafeMutablePointer<Float>, _ count: Int, _ factor: Float) {
  let factor = Lanes(repeating: factor)
  forEachLanes(count) { index, lanes in
    row.store(row.lanes(index, count: lanes) * factor, index, count: lanes)
  }
}

/// target += factor·source.
@inline(__always)
func addRow(
  _ source: UnsafeMutablePointer<Float>, times factor: Float,
  to target: UnsafeMutablePointer<Float>, _ count: Int
) {
  let factor = Lanes(repeating: factor)
  forEachLanes(count) { index, lanes in
    let sum = target.lanes(index, count: lanes).addingProduct(
      source.lanes(index, count: lanes), factor)
    target.store(sum, index, count: lanes)
  }
}
