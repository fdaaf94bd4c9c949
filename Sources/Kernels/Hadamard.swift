/// The Walsh–Hadamard transform of the first `count` numbers in place, without the factor that would
/// make it its own inverse: twice it is `count` times the identity.
///
/// The widest butterflies come first, so that what is left falls into parts that are transformed by
/// themselves, each in cache. The same bits for any workers.
/// - Parameters: `count` is a power of two
/// - Cost: count·log₂ count additions, no allocation beside the workers' jobs
package func hadamard(_ numbers: FloatBuffer, count: Int, pool: WorkerPool) {
  precondition(count > 0 && count & (count - 1) == 0 && count <= numbers.count)
  var parts = 1
  while parts < 16, count / parts > wholePart {
    let half = count / (2 * parts)
    let pieces = 16 / parts
    pool.run(jobs: 16) { job, _ in
      let start = numbers.base + job / pieces * 2 * half + job % pieces * (half / pieces)
      butterflies(start, start + half, half / pieces)
    }
    parts *= 2
  }
  let (length, jobs) = (count / parts, parts)
  pool.run(jobs: jobs) { job, _ in transform(numbers.base + job * length, length) }
}

/// Numbers that fit a cache near the core.
private let wholePart = 1 << 12

private func transform(_ x: UnsafeMutablePointer<Float>, _ count: Int) {
  guard count > wholePart else { return transformWhole(x, count) }
  let half = count / 2
  butterflies(x, x + half, half)
  transform(x, half)
  transform(x + half, half)
}

private func transformWhole(_ x: UnsafeMutablePointer<Float>, _ count: Int) {
  var half = count / 2
  while half >= (count < 8 ? 1 : 8) {
    for start in stride(from: 0, to: count, by: 2 * half) {
      butterflies(x + start, x + start + half, half)
    }
    half /= 2
  }
  guard count >= 8 else { return }
  for start in stride(from: 0, to: count, by: 8) { x.store(x.lanes(start).transformed, start) }
}

extension SIMD8<Float> {
  /// The transform of eight numbers.
  @inline(__always)
  fileprivate var transformed: Lanes {
    let (low, high) = (lowHalf + highHalf, lowHalf - highHalf)
    return Lanes(lowHalf: low.transformed, highHalf: high.transformed)
  }
}

extension SIMD4<Float> {
  @inline(__always)
  fileprivate var transformed: SIMD4<Float> {
    let (sums, differences) = (lowHalf + highHalf, lowHalf - highHalf)
    return SIMD4(
      sums[0] + sums[1], sums[0] - sums[1], differences[0] + differences[1],
      differences[0] - differences[1])
  }
}

/// a, b = a + b, a − b
@inline(__always)
private func butterflies(
  _ a: UnsafeMutablePointer<Float>, _ b: UnsafeMutablePointer<Float>, _ count: Int
) {
  forEachLanes(count) { index, lanes in
    let (one, other) = (a.lanes(index, count: lanes), b.lanes(index, count: lanes))
    a.store(one + other, index, count: lanes)
    b.store(one - other, index, count: lanes)
  }
}
