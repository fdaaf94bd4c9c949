import Kernels
import Testing

/// Slices' gradients are added over one tree, wherever its parts are added.
@Suite(.timeLimit(.minutes(15)))
struct SliceSumTests {
  private static let count = 1100
  private static let start = 5

  private func slices(_ number: Int) -> [FloatBuffer] {
    var random = SeededRandom(seed: UInt64(number))
    return (0..<number).map { _ in
      let buffer = FloatBuffer(count: Self.start + Self.count)
      for index in 0..<buffer.count { buffer[index] = Float(random.next()) }
      return buffer
    }
  }

  private struct Summed: Equatable {
    var bits: [UInt32] = []
    var total = 0.0
    var squares: [Double] = []
  }

  private func sum(_ slices: [FloatBuffer]) -> (Summed, FloatBuffer) {
    let target = FloatBuffer(count: Self.start + Self.count)
    var summed = Summed(squares: Array(repeating: 0, count: slices.count))
    summed.total = sumSlices(
      slices, into: target, from: Self.start, count: Self.count, squares: &summed.squares)
    summed.bits = (0..<Self.count).map { target[Self.start + $0].bitPattern }
    #expect((0..<Self.start).allSatisfy { target[$0] == 0 })
    return (summed, target)
  }

  /// Neighbours first, then pairs of them, number by number.
  private func tree(_ values: [Float]) -> Float {
    guard values.count > 1 else { return values[0] }
    let half = values.count / 2
    return tree(Array(values[..<half])) + tree(Array(values[half...]))
  }

  @Test(arguments: [1, 2, 4, 8, 16, 32])
  func `neighbours are added first`(number: Int) {
    let slices = slices(number)
    let (summed, _) = sum(slices)
    let expected = (0..<Self.count).map { index in
      tree(slices.map { $0[Self.start + index] }).bitPattern
    }
    #expect(summed.bits == expected)
    for (slice, square) in zip(slices, summed.squares) {
      #expect(square == squareSum(slice, from: Self.start, count: Self.count))
    }
  }

  @Test(arguments: [2, 4, 8, 16], [2, 4])
  func `parts added elsewhere give the bits of the whole`(number: Int, parts: Int) throws {
    guard parts <= number else { return }
    let slices = slices(number)
    let (whole, _) = sum(slices)
    let size = number / parts
    var sums = (0..<parts).map { sum(Array(slices[$0 * size..<($0 + 1) * size])) }
    #expect(sums.flatMap(\.0.squares) == whole.squares)
    while sums.count > 1 {
      for index in 0..<sums.count / 2 {
        let (left, right) = (sums[2 * index].1, sums[2 * index + 1].1)
        add(right.base + Self.start, to: left, from: Self.start, count: Self.count)
        sums[index].1 = left
      }
      sums.removeLast(sums.count / 2)
    }
    let added = sums[0].1
    #expect((0..<Self.count).map { added[Self.start + $0].bitPattern } == whole.bits)
    #expect(squareSum(added, from: Self.start, count: Self.count) == whole.total)
  }
}
