import Foundation
import Testing

@testable import Kernels

/// Rows wider than what a thread keeps at hand.
@Suite(.timeLimit(.minutes(15)))
struct DistillationTests {
  /// A tokenizer's ids: three rows of them are more than a thread has room for at first.
  private static let width = 30_011

  private struct Case {
    let logits: Matrix
    let teacher: FloatBuffer
    let tokens: TokenRows
    let arena = Arena()

    /// From 0 to 1.
    private static func draw(_ index: Int) -> Double { Double(mix(UInt64(index)) >> 11) * 0x1p-53 }

    init() {
      logits = arena.matrix(rows: 2, columns: width)
      teacher = FloatBuffer(count: 2 * width)
      for index in 0..<2 * width {
        logits[index / width, index % width] = Float(6 * Self.draw(index) - 3)
        teacher[index] = Float(8 * Self.draw(index + 2 * width) - 4)
      }
      let windows: [Token] = [5, 30_000, 17]
      tokens = windows.withUnsafeBufferPointer { TokenRows($0, rows: 1, positions: 2) }
    }
  }

  private func probabilities(_ row: [Double]) -> [Double] {
    let peak = row.max() ?? 0
    let exponentials = row.map { exp($0 - peak) }
    let sum = exponentials.reduce(0, +)
    return exponentials.map { $0 / sum }
  }

  @Test(arguments: [Float(0), 2])
  func `the loss and the gradient of wide rows are those of double precision`(cap: Float) {
    let wide = Case()
    defer { withExtendedLifetime(wide.arena) {} }
    let (share, temperature) = (0.5, 2.0)
    let loss = Distillation(
      share: Float(share), temperature: Float(temperature), teacher: wide.teacher)
    var (entropy, divergence) = (0.0, 0.0)
    var wanted: [[Double]] = []
    for row in 0..<2 {
      let raw = (0..<Self.width).map { Double(wide.logits[row, $0]) }
      let bound = Double(cap)
      let z = cap > 0 ? raw.map { bound * tanh($0 / bound) } : raw
      let slopes = cap > 0 ? z.map { 1 - $0 * $0 / (bound * bound) } : raw.map { _ in 1 }
      let target = [30_000, 17][row]
      let q = probabilities(
        (0..<Self.width).map { Double(wide.teacher[row * Self.width + $0]) / temperature })
      let (p, soft) = (probabilities(z), probabilities(z.map { $0 / temperature }))
      entropy -= log(p[target])
      divergence +=
        temperature * temperature * zip(q, soft).reduce(0) { $0 + $1.0 * log($1.0 / $1.1) }
      wanted.append(
        (0..<Self.width).map { column in
          let plain = p[column] - (column == target ? 1 : 0)
          let pull = temperature * (soft[column] - q[column])
          return slopes[column] * ((1 - share) * plain + share * pull) / 2
        })
    }
    let sums = loss.becomeGradient(
      of: wide.logits, tokens: wide.tokens, zLoss: 0, cap: cap, weight: 0.5, firstRow: 0)
    #expect(abs(sums.loss - entropy) < 1e-4 * entropy)
    #expect(abs(sums.divergence - divergence) < 1e-4 * divergence)
    for row in 0..<2 {
      let largest = wanted[row].reduce(0) { max($0, abs($1)) }
      let apart = (0..<Self.width).reduce(0) {
        max($0, abs(Double(wide.logits[row, $1]) - wanted[row][$1]))
      }
      #expect(apart < 1e-5 * largest, "row \(row): \(apart) of \(largest)")
    }
  }

  @Test func `a thread's memory grows with what is asked of it, and stays`() {
    let small = ThreadScratch.base()
    small[65_535] = 1
    let large = ThreadScratch.base(1_000_000)
    large[999_999] = 2
    #expect(ThreadScratch.base(70_000) == large && ThreadScratch.base() == large)
    #expect(Int(bitPattern: large) % 4096 == 0)
  }
}
