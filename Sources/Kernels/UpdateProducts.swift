/// Scalar products of two changes of the same numbers.
package struct UpdateProducts: Sendable, BitwiseCopyable {
  package var both = 0.0
  package var earlier = 0.0
  package var later = 0.0

  package init() {}

  package static func += (left: inout UpdateProducts, right: UpdateProducts) {
    left.both += right.both
    left.earlier += right.earlier
    left.later += right.later
  }

  /// The cosine of the angle between them; nil where one of them is 0.
  package var cosine: Double? {
    let norms = (earlier * later).squareRoot()
    return norms > 0 && norms.isFinite ? both / norms : nil
  }
}

/// before = after − before, from `start` on.
package func subtract(
  _ before: FloatBuffer, from after: FloatBuffer, start: Int, count: Int
) {
  let (target, other) = (before.base + start, after.base + start)
  forEachLanes(count) { index, lanes in
    let change = other.lanes(index, count: lanes) - target.lanes(index, count: lanes)
    target.store(change, index, count: lanes)
  }
}

/// The products of the change `earlier` and of the one from `before` to `after`.
package func updateProducts(
  earlier: FloatBuffer, before: FloatBuffer, after: FloatBuffer, start: Int, count: Int
) -> UpdateProducts {
  var products = UpdateProducts()
  let (x, b, a) = (earlier.base + start, before.base + start, after.base + start)
  forEachSquareBlock(count) { block, length in
    var sums = (Lanes.zero, Lanes.zero, Lanes.zero)
    forEachLanes(length) { offset, lanes in
      let index = block &+ offset
      let old = x.lanes(index, count: lanes)
      let new = a.lanes(index, count: lanes) - b.lanes(index, count: lanes)
      sums.0.addProduct(old, new)
      sums.1.addProduct(old, old)
      sums.2.addProduct(new, new)
    }
    products.both += Double(sums.0.sum())
    products.earlier += Double(sums.1.sum())
    products.later += Double(sums.2.sum())
  }
  return products
}
