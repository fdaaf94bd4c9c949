package import Kernels

/// What a group's trained function has become.
package struct FunctionShape: Sendable, Equatable {
  package let layer: Int
  /// 1 before the layer's first matrix, 2 before its second.
  package let place: Int
  package let group: Int
  /// Largest less smallest value where the function was fitted.
  package let range: Float
  /// Root mean square of what it came away from its start there, as a share of the start's own.
  package let drift: Float
}

extension TransformerEngine {
  /// Of all layers that have such functions.
  package func functionShapes(parameters: FloatBuffer) -> [FunctionShape] {
    let view = ParameterView(parameters)
    return model.blocks.enumerated().flatMap { layer, block -> [FunctionShape] in
      block.feedForward.functions.enumerated().flatMap { index, places in
        places.shapes(view).enumerated().map { group, shape in
          FunctionShape(
            layer: layer, place: index + 1, group: group, range: shape.range, drift: shape.drift)
        }
      }
    }
  }
}

extension RationalPlaces {
  /// Each group's, over 61 points of ±3.
  fileprivate func shapes(_ parameters: ParameterView) -> [(range: Float, drift: Float)] {
    let groups = denominators.rows
    let (points, middle) = (61, 30)
    let memory = FloatBuffer(count: 3 * points * groups + 6 + 4 * groups)
    func matrix(_ part: Int) -> Matrix {
      Matrix(memory, offset: part * points * groups, rows: points, columns: groups)
    }
    let (x, now, first) = (matrix(0), matrix(1), matrix(2))
    for point in 0..<points {
      let value = Float(point - middle) / Float(middle) * RationalFunctions.range
      for group in 0..<groups { x[point, group] = value }
    }
    _ = functions(parameters).apply(x, output: now)
    let coefficients = 3 * points * groups
    _ = beginning(in: memory, at: coefficients, groups: groups).apply(x, output: first)
    return (0..<groups).map { group in
      let values = (0..<points).map { now[$0, group] }
      let away = (0..<points).reduce(Float(0)) { sum, point in
        let change = values[point] - first[point, group]
        return sum + change * change
      }
      let size = (0..<points).reduce(Float(0)) { $0 + first[$1, group] * first[$1, group] }
      return (
        values.reduce(-.infinity, largest) - values.reduce(.infinity, smallest),
        (away / size).squareRoot()
      )
    }
  }

  private func beginning(
    in memory: FloatBuffer, at offset: Int, groups: Int
  ) -> RationalFunctions {
    let (numerator, denominator) = start.coefficients
    for (index, value) in numerator.enumerated() { memory[offset + index] = value }
    for group in 0..<groups {
      for (index, value) in denominator.enumerated() {
        memory[offset + 6 + 4 * group + index] = value
      }
    }
    return RationalFunctions(
      numerator: Matrix(memory, offset: offset, rows: 1, columns: 6),
      denominators: Matrix(memory, offset: offset + 6, rows: groups, columns: 4))
  }
}

/// NaN once there is one.
private func largest(_ a: Float, _ b: Float) -> Float { a >= b || a.isNaN ? a : b }
private func smallest(_ a: Float, _ b: Float) -> Float { a <= b || a.isNaN ? a : b }
