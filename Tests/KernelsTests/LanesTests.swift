import Foundation
import Testing

@testable import Kernels

@Suite(.timeLimit(.minutes(15)))
struct LanesTests {
  @Test
  func `the exponential is right to two units in the last place`() {
    for step in 0..<175_000 {
      let x = Float(step) / 1000 - 87
      let found = SIMD8<Float>(repeating: x).exponential[step % 8]
      let expected = Float(exp(Double(x)))
      #expect(abs(found - expected) <= 2 * expected.ulp, "x = \(x)")
    }
  }

  @Test
  func `the exponential stays finite and keeps NaN`() {
    let x = SIMD8<Float>(-.infinity, -1000, 1000, .infinity, .nan, 0, -0.0, 88)
    let y = x.exponential
    #expect(y[0] >= 0 && y[0] < 1e-37 && y[1] < 1e-37)
    #expect(y[2] > 1e38 && y[2].isFinite && y[3].isFinite)
    #expect(y[4].isNaN)
    #expect(y[5] == 1 && y[6] == 1)
  }
}
