import Foundation
import Testing

@testable import Kernels

@Suite(.timeLimit(.minutes(15)))
struct SoftCapTests {
  @Test
  func `the hyperbolic tangent is within a few units in the last place`() {
    for step in -1200...1200 {
      let x = Float(step) / 100
      let found = Double(SIMD8<Float>(repeating: x).tanh[3])
      let expected = Foundation.tanh(Double(x))
      #expect(abs(found - expected) <= 6e-7 * abs(expected), "tanh \(x)")
    }
    #expect(SIMD8<Float>(repeating: .nan).tanh[0].isNaN)
  }

  @Test
  func `small logits pass, large ones end at the cap, the largest is told uncapped`() {
    let arena = Arena()
    let row = arena.matrix(rows: 1, columns: 9)
    for (column, value) in [0.02, -0.02, 40, 400, 4e6, -4e6, 0, 1, -400].enumerated() {
      row[0, column] = Float(value)
    }
    let largest = SoftCap(50, scale: 0.5).apply(row.row(0), 9)
    #expect(largest == 2e6)
    #expect(abs(row[0, 0] - 0.01) < 1e-8 && row[0, 1] == -row[0, 0])
    #expect(row[0, 4] <= 50 && row[0, 4] > 49.99 && row[0, 5] == -row[0, 4])
  }
}
