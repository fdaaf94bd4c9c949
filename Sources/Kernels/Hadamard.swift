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

/// The same of numbers of which all but the first `kept` are 0: those are transformed, and what comes
/// out is repeated, as the widest butterflies would do it.
package func hadamard(
  _ numbers: FloatBuffer, count: Int, ofFirst kept: Int, pool: WorkerPool
) {
  let part = powerOfTwo(atLeast: max(kept, 8))
  guard part < count else { return hadamard(numbers, count: count, pool: pool) }
  hadamard(numbers, count: part, pool: pool)
  pool.run(jobs: count / part - 1) { job, _ in
    (numbers.base + (job + 1) * part).update(from: numbers.base, count: part)
  }
}

/// The first `kept` numbers of the transform; those behind them come to nothing that is of use. Of the
/// widest butterflies only the sums are taken.
/// - Cost: some count + kept·log₂ kept additions
package func hadamard(
  _ numbers: FloatBuffer, count: Int, first kept: Int, pool: WorkerPool
) {
  let part = powerOfTwo(atLeast: max(kept, 8))
  guard part < count else { return hadamard(numbers, count: count, pool: pool) }
  var half = count / 2
  while half >= part {
    addHalves(numbers, half, pool)
    half /= 2
  }
  hadamard(numbers, count: part, pool: pool)
}

/// a = a + b
private func addHalves(_ numbers: FloatBuffer, _ half: Int, _ pool: WorkerPool) {
  let jobs = half >= 16 * wholePart ? 16 : 1
  let piece = half / jobs
  pool.run(jobs: jobs) { job, _ in
    let a = numbers.base + job * piece
    let b = a + half
    forEachLanes(piece) { index, lanes in
      a.store(a.lanes(index, count: lanes) + b.lanes(index, count: lanes), index, count: lanes)
    }
  }
}

package func powerOfTwo(atLeast count: Int) -> Int {
  var power = 1
  while power < count { power *= 2 }
  return power
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
