import Foundation
import Kernels

extension KernelCase {
  static let all: [KernelCase] =
    [1, 3, 9].flatMap { rows in
      [2, 5, 7, 8, 24].flatMap { [layerNorm(rows, $0), layerNorm(rows, $0, isCentred: false)] }
    }
    + [1, 3].flatMap { rows in [1, 5, 8, 17].map { swiGLU(rows, $0) } }
    + [1, 3].flatMap { rows in [1, 5, 8, 17].map { gelu(rows, $0) } }
    + [(1, 1, 1), (3, 5, 1), (2, 16, 8), (300, 12, 4), (9, 40, 2)].map {
      rational($0.0, $0.1, $0.2)
    }
    + [1, 3].flatMap { rows in [1, 5, 8, 19].map { recurrentCell(rows, $0) } }
    + stateSpaces
    + [(1, 1, 2), (3, 2, 6), (5, 3, 16), (4, 1, 18)].map { rotary($0.0, $0.1, $0.2) }
    + [(1, 1), (5, 3), (8, 16), (65, 7)].flatMap {
      [product($0.0, $0.1, 6), linear($0.0, $0.1, 6)]
    }
    + [(1, 4, 4), (3, 2, 5), (8, 6, 3), (17, 8, 8), (65, 7, 5), (130, 16, 8)].map {
      attention($0.0, $0.1, $0.2)
    } + [(3, 2, 5), (17, 8, 8), (65, 7, 5)].map { attention($0.0, $0.1, $0.2, cap: 1.5) }

  static func layerNorm(_ rows: Int, _ width: Int, isCentred: Bool = true) -> KernelCase {
    let epsilon = isCentred ? 1e-5 : 1e-3
    return KernelCase(
      description: "\(isCentred ? "layerNorm" : "rmsNorm") [\(rows), \(width)]",
      inputs: [Shape(rows, width), Shape(1, width)],
      forward: { inputs, arena in
        let kept = NormKept(inputs[0], inputs[1], isCentred, Float(epsilon), arena)
        return kept.output
      },
      reference: { inputs in
        let x = inputs[0]
        var y = x
        for row in 0..<rows {
          let values = (0..<width).map { x[row, $0] }
          let mean = isCentred ? values.reduce(0, +) / Double(width) : 0
          let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(width)
          for column in 0..<width {
            y[row, column] =
              (values[column] - mean) / (variance + epsilon).squareRoot() * inputs[1][0, column]
          }
        }
        return y
      },
      backward: { inputs, _, dOutput, arena in
        let kept = NormKept(inputs[0], inputs[1], isCentred, Float(epsilon), arena)
        let dx = arena.matrix(rows: rows, columns: width)
        let dGain = arena.matrix(rows: 1, columns: width)
        layerNormBackward(
          dOutput, normalised: kept.normalised, reciprocal: kept.reciprocal, gain: inputs[1],
          isCentred: isCentred, addingTo: dx, dGain: dGain)
        return [dx, dGain]
      },
      // Two nearly equal numbers have a reciprocal deviation that amplifies rounding.
      tolerance: 1e-4)
  }

  static func swiGLU(_ rows: Int, _ width: Int) -> KernelCase {
    KernelCase(
      description: "swiGLU [\(rows), \(width)]", inputs: [Shape(rows, width), Shape(rows, width)],
      forward: { inputs, arena in
        let output = arena.matrix(rows: rows, columns: width)
        Kernels.swiGLU(gate: inputs[0], value: inputs[1], output: output)
        return output
      },
      reference: { inputs in
        var y = inputs[0]
        for row in 0..<rows {
          for column in 0..<width {
            let gate = inputs[0][row, column]
            y[row, column] = gate / (1 + exp(-gate)) * inputs[1][row, column]
          }
        }
        return y
      },
      backward: { inputs, _, dOutput, arena in
        // The gate's gradient takes the output's place, as in the layer.
        let dGate = Numbers(dOutput).matrix(arena)
        let dValue = arena.matrix(rows: rows, columns: width)
        swiGLUBackward(
          dGate, gate: inputs[0], value: inputs[1], dGate: dGate, dValue: dValue)
        return [dGate, dValue]
      })
  }

  static func gelu(_ rows: Int, _ width: Int) -> KernelCase {
    KernelCase(
      description: "gelu [\(rows), \(width)]", inputs: [Shape(rows, width)],
      forward: { inputs, arena in
        let output = arena.matrix(rows: rows, columns: width)
        Kernels.gelu(Numbers(inputs[0]).matrix(arena), output: output)
        return output
      },
      reference: { inputs in
        var y = inputs[0]
        for index in y.values.indices {
          let x = y.values[index]
          y.values[index] =
            x / 2 * (1 + tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
        }
        return y
      },
      backward: { inputs, _, dOutput, arena in
        let slope = Numbers(inputs[0]).matrix(arena)
        Kernels.gelu(slope, output: arena.matrix(rows: rows, columns: width))
        let dx = Numbers(dOutput).matrix(arena)
        geluBackward(dx, slope: slope)
        return [dx]
      })
  }

  /// Inputs: x, the numerator's coefficients, the denominators'.
  static func rational(_ rows: Int, _ width: Int, _ groups: Int) -> KernelCase {
    KernelCase(
      description: "rational [\(rows), \(width)] in \(groups)",
      inputs: [Shape(rows, width), Shape(1, 6), Shape(groups, 4)],
      forward: { inputs, arena in
        let output = arena.matrix(rows: rows, columns: width)
        _ = RationalFunctions(numerator: inputs[1], denominators: inputs[2])
          .apply(inputs[0], output: output)
        return output
      },
      reference: { inputs in
        var output = inputs[0]
        let (a, b) = (inputs[1], inputs[2])
        for row in 0..<rows {
          for column in 0..<width {
            let (y, group) = (inputs[0][row, column] / 3, column / (width / groups))
            let p = (0..<6).reduce(0.0) { $0 + a[0, $1] * pow(y, Double($1)) }
            let q = (0..<4).reduce(1.0) { $0 + abs(b[group, $1]) * pow(abs(y), Double($1 + 1)) }
            output[row, column] = p / q
          }
        }
        return output
      },
      backward: { inputs, _, dOutput, arena in
        let dx = Numbers(dOutput).matrix(arena)
        let dNumerator = arena.matrix(rows: 1, columns: 6)
        let dDenominators = arena.matrix(rows: groups, columns: 4)
        RationalFunctions(numerator: inputs[1], denominators: inputs[2]).backward(
          dx, x: inputs[0], dNumerator: dNumerator, dDenominators: dDenominators)
        return [dx, dNumerator, dDenominators]
      })
  }

  /// Inputs: the products of r, z, n and the state's n; both biases; the state.
  static func recurrentCell(_ rows: Int, _ width: Int) -> KernelCase {
    KernelCase(
      description: "recurrentCell [\(rows), \(width)]",
      inputs: [
        Shape(rows, 4 * width), Shape(1, 3 * width), Shape(1, 3 * width), Shape(rows, width),
      ],
      forward: { inputs, arena in
        let next = arena.matrix(rows: rows, columns: width)
        Kernels.recurrentCell(
          Numbers(inputs[0]).matrix(arena), inputBias: inputs[1], stateBias: inputs[2],
          state: inputs[3], next: next)
        return next
      },
      reference: { inputs in
        var next = inputs[3]
        let (gates, b, c) = (inputs[0], inputs[1], inputs[2])
        func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }
        for row in 0..<rows {
          for i in 0..<width {
            let (j, k) = (width + i, 2 * width + i)
            let r = sigmoid(gates[row, i] + b[0, i] + c[0, i])
            let z = sigmoid(gates[row, j] + b[0, j] + c[0, j])
            let n = tanh(gates[row, k] + b[0, k] + r * (gates[row, 3 * width + i] + c[0, k]))
            next[row, i] = (1 - z) * n + z * inputs[3][row, i]
          }
        }
        return next
      },
      backward: { inputs, _, dOutput, arena in
        let gates = Numbers(inputs[0]).matrix(arena)
        Kernels.recurrentCell(
          gates, inputBias: inputs[1], stateBias: inputs[2], state: inputs[3],
          next: arena.matrix(rows: rows, columns: width))
        let dState = Numbers(dOutput).matrix(arena)
        let dGates = arena.matrix(rows: rows, columns: 4 * width)
        let biases = (0..<2).map { _ in arena.matrix(rows: 1, columns: 3 * width) }
        recurrentCellBackward(
          dState, gates: gates, state: inputs[3], dGates: dGates, dInputBias: biases[0],
          dStateBias: biases[1])
        return [dGates, biases[0], biases[1], dState]
      })
  }

  static func rotary(_ positions: Int, _ heads: Int, _ width: Int) -> KernelCase {
    let rotary = RotaryPositions(positions: positions, headWidth: width)
    return KernelCase(
      description: "rotary T \(positions) H \(heads) Dh \(width)",
      inputs: [Shape(2 * positions * heads, width)],
      forward: { inputs, arena in
        let output = arena.matrix(rows: inputs[0].rows, columns: width)
        rotary.rotate(inputs[0], heads: heads, into: output, scale: 0.75)
        return output
      },
      reference: { inputs in
        let x = inputs[0]
        var y = x
        for row in 0..<x.rows {
          for pair in 0..<width / 2 {
            let position = Double(row / heads % positions)
            let angle = position * pow(10_000, -2 * Double(pair) / Double(width))
            let (a, b) = (x[row, pair], x[row, width / 2 + pair])
            y[row, pair] = 0.75 * (a * cos(angle) - b * sin(angle))
            y[row, width / 2 + pair] = 0.75 * (b * cos(angle) + a * sin(angle))
          }
        }
        return y
      },
      backward: { _, _, dOutput, arena in
        let dx = Numbers(dOutput).matrix(arena)
        rotary.rotateBackward(dx, heads: heads, into: dx, scale: 0.75)
        return [dx]
      })
  }
}

/// A LayerNorm run with the memory it keeps.
private struct NormKept {
  let normalised: Matrix
  let reciprocal: Matrix
  let output: Matrix

  init(_ x: Matrix, _ gain: Matrix, _ isCentred: Bool, _ epsilon: Float, _ arena: Arena) {
    normalised = arena.matrix(rows: x.rows, columns: x.columns)
    reciprocal = arena.matrix(rows: 1, columns: x.rows)
    output = arena.matrix(rows: x.rows, columns: x.columns)
    layerNorm(
      x, gain: gain, isCentred: isCentred, epsilon: epsilon, normalised: normalised,
      reciprocal: reciprocal, output: output)
  }
}
