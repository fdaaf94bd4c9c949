/// Rational functions of groups of columns: one numerator for all groups, a denominator for each.
///
/// F(x) = P/Q of y = x/3 with P = Σ aₖ·yᵏ (k = 0…5) and Q = 1 + Σ |bᵢ|·|y|ⁱ (i = 1…4), which is
/// never 0. Powers are those of a number in units of the range on which the functions are fitted:
/// there a step of the same length in any coefficient moves F by about as much, while in x itself
/// one in a₅ moves it 243 times as far as one in a₀. The functions are the same.
/// - Shapes: `numerator` [1, 6]; `denominators` [G, 4]; of C columns, group g has those from g·C/G
///   on
/// - Source: Yang and Wang 2024 (2409.10594), with the Q of the released kernels; the units are
///   Seismo's
package struct RationalFunctions: Sendable {
  /// The largest |x| on which the functions are fitted.
  package static let range: Float = 3

  private let numerator: Matrix
  private let denominators: Matrix

  package init(numerator: Matrix, denominators: Matrix) {
    precondition(numerator.rows * numerator.columns == 6, "a numerator of six coefficients")
    precondition(denominators.columns == 4, "denominators of four coefficients")
    self.numerator = numerator.reshaped(rows: 1, columns: 6)
    self.denominators = denominators
  }

  private func group(_ index: Int) -> RationalLanes {
    RationalLanes(numerator.row(0), denominators.row(index))
  }
}

/// What the inputs of rational functions were like.
package struct RationalMeasure: Sendable {
  /// How many lay beyond the range on which the functions are fitted.
  package fileprivate(set) var beyond = 0
  /// The smallest Q.
  package fileprivate(set) var leastDenominator = Float.infinity

  package init() {}
}

extension RationalFunctions {
  /// - Shapes: `x`, `output` [M, C]
  /// - Cost: about 25 floating-point operations an element, one of them a division; no allocation
  package func apply(_ x: Matrix, output: Matrix) -> RationalMeasure {
    assert(output.rows == x.rows && output.columns == x.columns)
    var measure = RationalMeasure()
    let width = x.columns / denominators.rows
    for index in 0..<denominators.rows {
      let function = group(index)
      var beyond = SIMD8<Int32>.zero
      var least = Lanes(repeating: .infinity)
      for row in 0..<x.rows {
        let source = x.row(row) + index * width
        let target = output.row(row) + index * width
        forEachLanes(width) { column, lanes in
          let y = source.lanes(column, count: lanes) * function.unit
          let (size, q) = (y.size, function.denominator(y.size))
          target.store(function.numerator(y) / q, column, count: lanes)
          beyond.replace(with: beyond &+ 1, where: size .> 1)
          if lanes == 8 { return least.replace(with: q, where: q .< least) }
          for lane in 0..<lanes where q[lane] < least[lane] { least[lane] = q[lane] }
        }
      }
      measure.beyond += Int(beyond.wrappedSum())
      measure.leastDenominator = min(measure.leastDenominator, least.min())
    }
    return measure
  }

  /// dx = dy·dF/dx, in place over dy, and the coefficients' gradients, which are added to.
  ///
  /// With R = dP/dy, S = dQ/dy: dF/dy = (R − F·S)/Q, dF/daₖ = yᵏ/Q, dF/dbᵢ = −F/Q·sgn(bᵢ)·|y|ⁱ, where
  /// sgn(0) is 1: else a denominator that begins at 0 would stay there. Sums of some hundred products
  /// in Float32, the rest in Float64.
  /// - Shapes: `dOutput`, `x` [M, C]; `dNumerator` [1, 6], `dDenominators` [G, 4]
  package func backward(
    _ dOutput: Matrix, x: Matrix, dNumerator: Matrix, dDenominators: Matrix
  ) {
    assert(dOutput.rows == x.rows && dOutput.columns == x.columns)
    let width = x.columns / denominators.rows
    let block = max(1, Self.lanesInBlock * 8 / width)
    let shared = dNumerator.reshaped(rows: 1, columns: 6)
    for index in 0..<denominators.rows {
      let function = group(index)
      var total = RationalGradients<SIMD8<Double>>()
      for first in stride(from: 0, to: x.rows, by: block) {
        var sums = RationalGradients<Lanes>()
        for row in first..<min(first + block, x.rows) {
          let source = x.row(row) + index * width
          let gradient = dOutput.row(row) + index * width
          forEachLanes(width) { column, lanes in
            let y = source.lanes(column, count: lanes) * function.unit
            let dy = gradient.lanes(column, count: lanes)
            gradient.store(function.backward(dy, y, &sums), column, count: lanes)
          }
        }
        total.add(sums)
      }
      total.addNumerator(to: shared.row(0))
      total.addDenominator(to: dDenominators.row(index), of: denominators.row(index))
    }
  }

  private static let lanesInBlock = 512
}

/// One group's function, its coefficients eight times over.
private struct RationalLanes {
  private let a0, a1, a2, a3, a4, a5: Lanes
  /// Magnitudes.
  private let b1, b2, b3, b4: Lanes
  let unit = Lanes(repeating: 1 / RationalFunctions.range)

  init(_ a: UnsafeMutablePointer<Float>, _ b: UnsafeMutablePointer<Float>) {
    (a0, a1, a2) = (Lanes(repeating: a[0]), Lanes(repeating: a[1]), Lanes(repeating: a[2]))
    (a3, a4, a5) = (Lanes(repeating: a[3]), Lanes(repeating: a[4]), Lanes(repeating: a[5]))
    (b1, b2) = (Lanes(repeating: abs(b[0])), Lanes(repeating: abs(b[1])))
    (b3, b4) = (Lanes(repeating: abs(b[2])), Lanes(repeating: abs(b[3])))
  }

  @inline(__always)
  func numerator(_ y: Lanes) -> Lanes {
    let high = a3.addingProduct(y, a4.addingProduct(y, a5))
    return a0.addingProduct(y, a1.addingProduct(y, a2.addingProduct(y, high)))
  }

  /// - Parameters: `size` is |y|
  @inline(__always)
  func denominator(_ size: Lanes) -> Lanes {
    let high = b2.addingProduct(size, b3.addingProduct(size, b4))
    return Lanes(repeating: 1).addingProduct(size, b1.addingProduct(size, high))
  }

  @inline(__always)
  private func numeratorSlope(_ y: Lanes) -> Lanes {
    let high = (3 * a3).addingProduct(y, (4 * a4).addingProduct(y, 5 * a5))
    return a1.addingProduct(y, (2 * a2).addingProduct(y, high))
  }

  /// dQ/d|y|
  @inline(__always)
  private func denominatorSlope(_ size: Lanes) -> Lanes {
    let high = (3 * b3).addingProduct(size, 4 * b4)
    return b1.addingProduct(size, (2 * b2).addingProduct(size, high))
  }

  /// - Returns: dy·dF/dx
  @inline(__always)
  func backward(_ dOutput: Lanes, _ y: Lanes, _ sums: inout RationalGradients<Lanes>) -> Lanes {
    let size = y.size
    let reciprocal = 1 / denominator(size)
    let value = numerator(y) * reciprocal
    let share = dOutput * reciprocal
    sums.add(share, -(share * value), y, size)
    let slope = numeratorSlope(y) - value * denominatorSlope(size).withSign(of: y)
    return share * slope * unit
  }
}

/// Sums of the coefficients' gradients, those of the denominator as if its coefficients were positive.
private struct RationalGradients<Sum: SIMD & Sendable>
where Sum.Scalar: BinaryFloatingPoint & SIMDScalar {
  var a0 = Sum.zero
  var a1 = Sum.zero
  var a2 = Sum.zero
  var a3 = Sum.zero
  var a4 = Sum.zero
  var a5 = Sum.zero
  var b1 = Sum.zero
  var b2 = Sum.zero
  var b3 = Sum.zero
  var b4 = Sum.zero
}

extension RationalGradients where Sum == Lanes {
  /// Adds share·yᵏ and product·|y|ⁱ.
  @inline(__always)
  mutating func add(_ share: Lanes, _ product: Lanes, _ y: Lanes, _ size: Lanes) {
    let square = y * y
    let (cube, fourth) = (square * y, square * square)
    a0 += share
    a1.addProduct(share, y)
    a2.addProduct(share, square)
    a3.addProduct(share, cube)
    a4.addProduct(share, fourth)
    a5.addProduct(share, fourth * y)
    b1.addProduct(product, size)
    b2.addProduct(product, square)
    b3.addProduct(product, square * size)
    b4.addProduct(product, fourth)
  }
}

extension RationalGradients where Sum == SIMD8<Double> {
  mutating func add(_ sums: RationalGradients<Lanes>) {
    a0 += Sum(sums.a0)
    a1 += Sum(sums.a1)
    a2 += Sum(sums.a2)
    a3 += Sum(sums.a3)
    a4 += Sum(sums.a4)
    a5 += Sum(sums.a5)
    b1 += Sum(sums.b1)
    b2 += Sum(sums.b2)
    b3 += Sum(sums.b3)
    b4 += Sum(sums.b4)
  }

  func addNumerator(to gradient: UnsafeMutablePointer<Float>) {
    gradient[0] += Float(a0.sum())
    gradient[1] += Float(a1.sum())
    gradient[2] += Float(a2.sum())
    gradient[3] += Float(a3.sum())
    gradient[4] += Float(a4.sum())
    gradient[5] += Float(a5.sum())
  }

  func addDenominator(
    to gradient: UnsafeMutablePointer<Float>, of b: UnsafeMutablePointer<Float>
  ) {
    gradient[0] += Float(signOf: b[0], magnitudeOf: 1) * Float(b1.sum())
    gradient[1] += Float(signOf: b[1], magnitudeOf: 1) * Float(b2.sum())
    gradient[2] += Float(signOf: b[2], magnitudeOf: 1) * Float(b3.sum())
    gradient[3] += Float(signOf: b[3], magnitudeOf: 1) * Float(b4.sum())
  }
}

extension SIMD8<Float> {
  /// A magnitude with another number's sign.
  @inline(__always)
  fileprivate func withSign(of other: Lanes) -> Lanes {
    let sign = unsafeBitCast(other, to: SIMD8<UInt32>.self) & 0x8000_0000
    return unsafeBitCast(unsafeBitCast(self, to: SIMD8<UInt32>.self) | sign, to: Lanes.self)
  }
}
