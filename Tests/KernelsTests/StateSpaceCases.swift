import Foundation
import Kernels

/// What a layer of state spaces is made of.
extension KernelCase {
  static let stateSpaces: [KernelCase] =
    [(1, 1, 1, 1, 16), (5, 2, 3, 1, 2), (7, 2, 8, 2, 3), (33, 1, 17, 3, 16)].map {
      selectiveScan(positions: $0.0, windows: $0.1, channels: $0.2, factors: $0.3, chunk: $0.4)
    }
    + [(1, 2, 3), (2, 1, 8), (6, 2, 17)].flatMap {
      [convolution($0.0, $0.1, $0.2), runningMean($0.0, $0.1, $0.2)]
    }
    + [1, 8, 19].flatMap { [gate(3, $0), modulate(3, $0), rectify(3, $0)] }

  /// Inputs: x, rows of [r|B|C], W_Δ, b_Δ, A_log, K.
  static func selectiveScan(
    positions: Int, windows: Int, channels: Int, factors: Int, chunk: Int
  ) -> KernelCase {
    let rows = positions * windows
    @Sendable func scan(_ inputs: [Matrix]) -> SelectiveScan {
      SelectiveScan(
        deltaWeight: inputs[2], deltaBias: inputs[3], logRate: inputs[4], skip: inputs[5])
    }
    @Sendable func run(_ inputs: [Matrix], _ scratch: ScanScratch, _ kept: Matrix, _ arena: Arena)
      -> Matrix
    {
      let y = arena.matrix(rows: rows, columns: channels)
      _ = scan(inputs).forward(
        inputs[0], selection: inputs[1], positions: positions, scratch: scratch, kept: kept, into: y
      )
      return y
    }
    @Sendable func memory(_ arena: Arena) -> (ScanScratch, Matrix) {
      let scratch = ScanScratch(channels: channels, chunk: chunk, arena: arena)
      return (
        scratch,
        arena.matrix(rows: scratch.kept(rows: rows, positions: positions), columns: channels)
      )
    }
    let row = Shape(1, channels)
    return KernelCase(
      description: "selectiveScan T \(positions) c \(channels) R \(factors) chunks of \(chunk)",
      inputs: [
        Shape(rows, channels), Shape(rows, factors + 2), Shape(factors, channels), row, row, row,
      ],
      forward: { inputs, arena in
        let (scratch, kept) = memory(arena)
        return run(inputs, scratch, kept, arena)
      },
      reference: { inputs in
        var y = inputs[0]
        for channel in 0..<channels {
          var h = 0.0
          for row in 0..<rows {
            if row % positions == 0 { h = 0 }
            let q = (0..<factors).reduce(inputs[3][0, channel]) {
              $0 + inputs[1][row, $1] * inputs[2][$1, channel]
            }
            let (delta, x) = (log1p(exp(q)), inputs[0][row, channel])
            h = exp(-delta * exp(inputs[4][0, channel])) * h + delta * inputs[1][row, factors] * x
            y[row, channel] = inputs[1][row, factors + 1] * h + inputs[5][0, channel] * x
          }
        }
        return y
      },
      backward: { inputs, _, dOutput, arena in
        let (scratch, kept) = memory(arena)
        _ = run(inputs, scratch, kept, arena)
        let gradients = inputs.map { arena.matrix(rows: $0.rows, columns: $0.columns) }
        scan(inputs).backward(
          dOutput, x: inputs[0], selection: inputs[1], positions: positions, kept: kept,
          scratch: scratch, dx: gradients[0], dSelection: gradients[1], gradients: scan(gradients))
        return gradients
      },
      tolerance: 5e-5)
  }

  /// Inputs: x, weight, bias.
  static func convolution(_ positions: Int, _ windows: Int, _ channels: Int) -> KernelCase {
    let rows = positions * windows
    @Sendable func convolution(_ inputs: [Matrix]) -> CausalConvolution {
      CausalConvolution(weight: inputs[1], bias: inputs[2])
    }
    return KernelCase(
      description: "causalConvolution T \(positions) c \(channels)",
      inputs: [Shape(rows, channels), Shape(3, channels), Shape(1, channels)],
      forward: { inputs, arena in
        let output = arena.matrix(rows: rows, columns: channels)
        convolution(inputs).forward(
          inputs[0], positions: positions, output: output,
          slope: arena.matrix(rows: rows, columns: channels))
        return output
      },
      reference: { inputs in
        var y = inputs[0]
        for row in 0..<rows {
          for channel in 0..<channels {
            var p = inputs[2][0, channel]
            for tap in 0..<3 where row % positions >= 2 - tap {
              p += inputs[1][tap, channel] * inputs[0][row - 2 + tap, channel]
            }
            y[row, channel] = p / (1 + exp(-p))
          }
        }
        return y
      },
      backward: { inputs, _, dOutput, arena in
        let made = (0..<2).map { _ in arena.matrix(rows: rows, columns: channels) }
        convolution(inputs).forward(
          inputs[0], positions: positions, output: made[0], slope: made[1])
        let gradients = inputs.map { arena.matrix(rows: $0.rows, columns: $0.columns) }
        convolution(inputs).backward(
          Numbers(dOutput).matrix(arena), x: inputs[0], positions: positions, slope: made[1],
          dx: gradients[0], gradients: convolution(gradients))
        return gradients
      })
  }

  static func runningMean(_ positions: Int, _ windows: Int, _ width: Int) -> KernelCase {
    let rows = positions * windows
    return KernelCase(
      description: "runningMean T \(positions) D \(width)", inputs: [Shape(rows, width)],
      forward: { inputs, arena in
        let output = arena.matrix(rows: rows, columns: width)
        Kernels.runningMean(
          inputs[0], positions: positions, sum: arena.matrix(rows: 1, columns: width),
          output: output)
        return output
      },
      reference: { inputs in
        var mean = inputs[0]
        for row in 0..<rows {
          let first = row - row % positions
          for column in 0..<width {
            let sum = (first...row).reduce(0) { $0 + inputs[0][$1, column] }
            mean[row, column] = sum / Double(row - first + 1)
          }
        }
        return mean
      },
      backward: { _, _, dOutput, arena in
        let dx = arena.matrix(rows: rows, columns: width)
        runningMeanBackward(
          dOutput, positions: positions, sum: arena.matrix(rows: 1, columns: width), addingTo: dx)
        return [dx]
      })
  }

  static func gate(_ rows: Int, _ width: Int) -> KernelCase {
    KernelCase(
      description: "gate [\(rows), \(width)]", inputs: [Shape(rows, width), Shape(rows, width)],
      forward: { inputs, arena in
        let output = arena.matrix(rows: rows, columns: width)
        Kernels.gate(inputs[0], by: inputs[1], output: output)
        return output
      },
      reference: { inputs in
        var y = inputs[0]
        for index in y.values.indices {
          let z = inputs[1].values[index]
          y.values[index] *= z / (1 + exp(-z))
        }
        return y
      },
      backward: { inputs, _, dOutput, arena in
        let dx = Numbers(dOutput).matrix(arena)
        let dGate = arena.matrix(rows: rows, columns: width)
        gateBackward(dx, inputs[0], by: inputs[1], dGate: dGate)
        return [dx, dGate]
      })
  }

  /// Inputs: the mixed channels, the layer's input, the gates' logits, the scale.
  static func modulate(_ rows: Int, _ width: Int) -> KernelCase {
    let whole = Shape(rows, width)
    return KernelCase(
      description: "modulate [\(rows), \(width)]", inputs: [whole, whole, whole, Shape(1, 1)],
      forward: { inputs, arena in
        let output = arena.matrix(rows: rows, columns: width)
        Kernels.modulate(
          inputs[0], inputs[1], gates: Numbers(inputs[2]).matrix(arena), scale: inputs[3],
          output: output)
        return output
      },
      reference: { inputs in
        var y = inputs[0]
        for index in y.values.indices {
          y.values[index] *=
            inputs[3][0, 0] * inputs[1].values[index] / (1 + exp(-inputs[2].values[index]))
        }
        return y
      },
      backward: { inputs, _, dOutput, arena in
        let gates = Numbers(inputs[2]).matrix(arena)
        let made = (0..<3).map { _ in arena.matrix(rows: rows, columns: width) }
        Kernels.modulate(inputs[0], inputs[1], gates: gates, scale: inputs[3], output: made[0])
        let dLogits = Numbers(dOutput).matrix(arena)
        let dScale = arena.matrix(rows: 1, columns: 1)
        modulateBackward(
          dLogits, inputs[0], inputs[1], gates: gates, scale: inputs[3], dMixed: made[1],
          dx: made[2], dScale: dScale)
        return [made[1], made[2], dLogits, dScale]
      })
  }

  static func rectify(_ rows: Int, _ width: Int) -> KernelCase {
    KernelCase(
      description: "rectify [\(rows), \(width)]", inputs: [Shape(rows, width)],
      forward: { inputs, arena in
        let output = Numbers(inputs[0]).matrix(arena)
        Kernels.rectify(output)
        return output
      },
      reference: { inputs in
        var y = inputs[0]
        for index in y.values.indices { y.values[index] = max(y.values[index], 0) }
        return y
      },
      backward: { _, output, dOutput, arena in
        let dx = Numbers(dOutput).matrix(arena)
        rectifyBackward(dx, output: output)
        return [dx]
      })
  }
}
