internal import Kernels

/// What a group-rational function begins as: its coefficients in powers of x.
enum RationalStart: Sendable {
  case identity
  /// Within 1e-4 of x·σ(x) for |x| ≤ 3, 0.008 for |x| ≤ 6.
  case swish

  private var numerator: [Double] {
    switch self {
    case .identity: [0, 1, 0, 0, 0, 0]
    case .swish: [0, 0.5, 0.25, 0.05326628, 0.005803035, 0.0002751961]
    }
  }

  private var denominator: [Double] {
    switch self {
    case .identity: [0, 0, 0, 0]
    case .swish: [0, 0.10652899, 0, 0.00055023]
    }
  }

  /// Var(x)/E[F(x)²] of a standard normal x.
  var variance: Float {
    switch self {
    case .identity: 1
    case .swish: 2.8178
    }
  }

  /// a₀…a₅ and b₁…b₄, as they multiply powers of x over the range of the fit.
  var coefficients: (numerator: [Float], denominator: [Float]) {
    func scaled(_ values: [Double], from first: Int) -> [Float] {
      var power = first == 0 ? 1 : Double(RationalFunctions.range)
      return values.map { value in
        defer { power *= Double(RationalFunctions.range) }
        return Float(value * power)
      }
    }
    return (scaled(numerator, from: 0), scaled(denominator, from: 1))
  }
}

/// Where a group-rational function's coefficients lie.
package struct RationalPlaces: Sendable {
  let start: RationalStart
  let numerator: TensorPlace
  let denominators: TensorPlace

  /// Eight groups, or as many of 4, 2 and 1 as divide the columns.
  init(_ name: String, _ start: RationalStart, columns: Int, plan: inout TensorPlan) {
    self.start = start
    let groups = [8, 4, 2].first { columns % $0 == 0 } ?? 1
    let (a, b) = start.coefficients
    numerator = plan.add(name + ".numerator", [a.count], .coefficients, initial: .repeating(a))
    denominators = plan.add(
      name + ".denominators", [groups, b.count], .coefficients, initial: .repeating(b))
  }

  func functions(_ parameters: ParameterView) -> RationalFunctions {
    RationalFunctions(numerator: parameters[numerator], denominators: parameters[denominators])
  }

  /// dx in the place of dy.
  func backward(
    _ dOutput: Matrix, x: Matrix, gradients: PassGradients, _ parameters: ParameterView
  ) {
    functions(parameters).backward(
      dOutput, x: x, dNumerator: gradients.tensors[numerator],
      dDenominators: gradients.tensors[denominators])
  }
}
