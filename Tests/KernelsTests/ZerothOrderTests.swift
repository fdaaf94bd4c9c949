import Foundation
import Kernels
import Testing

/// Directions that nobody keeps, and what is done along them.
@Suite(.timeLimit(.minutes(15)))
struct ZerothOrderTests {
  private static let count = 1 << 16

  /// z where all move: what is added to nothing.
  private func normals(key: UInt64, from start: Int = 0, count: Int = Self.count) -> [Float] {
    let (zeros, trial) = (FloatBuffer(count: Self.count), FloatBuffer(count: Self.count))
    let direction = MaskedDirection(key: key, mask: .small(.infinity))
    _ = perturb(zeros, by: 1, along: direction, into: trial, from: start, count: count)
    return (start..<start + count).map { trial[$0] }
  }

  @Test func `directions are normal numbers`() {
    let z = normals(key: 7).map(Double.init)
    let n = Double(z.count)
    let moment = { (power: Int) in z.reduce(0) { $0 + pow($1, Double(power)) } / n }
    #expect(abs(moment(1)) < 5 / n.squareRoot())
    #expect(abs(moment(2) - 1) < 5 * (2 / n).squareRoot())
    #expect(abs(moment(3)) < 5 * (15 / n).squareRoot())
    #expect(abs(moment(4) - 3) < 5 * (96 / n).squareRoot())
    for bound in [-2.0, -1, 0, 0.5, 1.5, 3] {
      let share = Double(z.count { $0 < bound }) / n
      let expected = (1 + erf(bound / 2.0.squareRoot())) / 2
      #expect(abs(share - expected) < 5 * (expected * (1 - expected) / n).squareRoot())
    }
    // Each is the quantile of an odd multiple of 2^-23.
    for value in z.prefix(4096) {
      let uniform = erf(value / 2.0.squareRoot()) * 0x1p23
      let odd = (2 * ((uniform + 1) / 2).rounded() - 1)
      #expect(abs(uniform - odd) < 3 + 2e-6 * 0x1p23, "\(value)")
    }
  }

  @Test func `a place's number is its own, wherever a walk begins, and a key's`() {
    let all = normals(key: 7)
    #expect(normals(key: 7, from: 4096, count: 1003) == Array(all[4096..<5099]))
    #expect(normals(key: 8) != all)
    let pairs = zip(all, all.dropFirst()).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
    #expect(abs(pairs / Double(all.count)) < 5 / Double(all.count).squareRoot())
  }

  @Test(arguments: [false, true])
  func `what the mask holds stays, the rest goes as far as the rate says`(isRandom: Bool) {
    let count = 1000
    let (theta, trial) = (FloatBuffer(count: 1024), FloatBuffer(count: 1024))
    for index in 0..<1024 { theta[index] = Float(index % 100) / 100 - 0.3 }
    let before = (0..<1024).map { theta[$0] }
    let mask: MaskedDirection.Mask =
      isRandom ? .random(3, below: UInt32(0x1p32 * 0.25)) : .small(0.1)
    let direction = MaskedDirection(key: 5, mask: mask)
    let sums = perturb(theta, by: 0.5, along: direction, into: trial, from: 0, count: count)
    let z = (0..<count).map { (trial[$0] - before[$0]) / 0.5 }
    #expect((0..<1024).allSatisfy { theta[$0] == before[$0] && ($0 < count || trial[$0] == 0) })
    let moved = z.indices.filter { z[$0] != 0 }
    #expect(Double(moved.count) == sums.moved)
    if isRandom {
      #expect(abs(Double(moved.count) - 250) < 70)
    } else {
      #expect(moved == (0..<count).filter { abs(before[$0]) <= 0.1 })
    }
    let squares = z.reduce(0.0) { $0 + Double($1) * Double($1) }
    #expect(abs(sums.squares - squares) < 1e-4 * squares)
    let change = zerothOrderChange(
      theta, along: direction, from: 0, count: count, rate: 0.25, decay: 0.125)
    let step = zerothOrderStep(
      theta, along: direction, from: 0, count: count, rate: 0.25, decay: 0.125)
    var (changed, parameter) = (0.0, 0.0)
    for index in 0..<count {
      let expected = before[index] * 0.875 - 0.25 * z[index]
      #expect(abs(theta[index] - expected) < 1e-5)
      let difference = Double(theta[index] - before[index])
      changed += difference * difference
      parameter += Double(theta[index]) * Double(theta[index])
    }
    #expect(abs(change.update - changed) < 1e-4 * changed)
    #expect(abs(step.parameter - parameter) < 1e-4 * parameter)
    #expect(abs(step.update - squares / 16) < 1e-4 * squares)
  }
}
