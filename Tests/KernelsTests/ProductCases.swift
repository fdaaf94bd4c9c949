import Foundation
import Kernels

extension KernelCase {
  /// C = A·B; its gradients use the other two forms.
  static func product(_ rows: Int, _ inner: Int, _ columns: Int) -> KernelCase {
    KernelCase(
      description: "product [\(rows), \(inner)]·[\(inner), \(columns)]",
      inputs: [Shape(rows, inner), Shape(inner, columns)],
      forward: { inputs, arena in
        let output = arena.matrix(rows: rows, columns: columns)
        multiply(inputs[0], inputs[1], into: output)
        return output
      },
      reference: { inputs in
        var y = Numbers(rows, columns)
        for row in 0..<rows {
          for column in 0..<columns {
            y[row, column] = (0..<inner).reduce(0) {
              $0 + inputs[0][row, $1] * inputs[1][$1, column]
            }
          }
        }
        return y
      },
      backward: { inputs, _, dOutput, arena in
        let dA = arena.matrix(rows: rows, columns: inner)
        let dB = arena.matrix(rows: inner, columns: columns)
        multiply(dOutput, transposed: inputs[1], into: dA)
        multiply(transposed: inputs[0], dOutput, into: dB, adding: true)
        return [dA, dB]
      })
  }

  /// y = x·Wᵀ.
  static func linear(_ rows: Int, _ inner: Int, _ columns: Int) -> KernelCase {
    KernelCase(
      description: "linear [\(rows), \(inner)]·[\(columns), \(inner)]ᵀ",
      inputs: [Shape(rows, inner), Shape(columns, inner)],
      forward: { inputs, arena in
        let output = arena.matrix(rows: rows, columns: columns)
        multiply(inputs[0], transposed: inputs[1], into: output)
        return output
      },
      reference: { inputs in
        var y = Numbers(rows, columns)
        for row in 0..<rows {
          for column in 0..<columns {
            y[row, column] = (0..<inner).reduce(0) {
              $0 + inputs[0][row, $1] * inputs[1][column, $1]
            }
          }
        }
        return y
      },
      backward: { inputs, _, dOutput, arena in
        let dx = arena.matrix(rows: rows, columns: inner)
        let dWeight = arena.matrix(rows: columns, columns: inner)
        multiply(dOutput, inputs[1], into: dx)
        multiply(transposed: dOutput, inputs[0], into: dWeight)
        return [dx, dWeight]
      })
  }

  static func attention(
    _ positions: Int, _ queryWidth: Int, _ valueWidth: Int, cap: Float = 0
  ) -> KernelCase {
    KernelCase(
      description: "attention T \(positions) Dqk \(queryWidth) Dh \(valueWidth) cap \(cap)",
      inputs: [
        Shape(positions, queryWidth), Shape(positions, queryWidth), Shape(positions, valueWidth),
      ],
      forward: { inputs, arena in AttentionRun(inputs, arena, cap: cap).output },
      reference: { inputs in
        let (output, _) = attentionReference(
          inputs, scale: Double(AttentionRun.scale), cap: Double(cap))
        return output
      },
      backward: { inputs, _, dOutput, arena in
        let run = AttentionRun(inputs, arena, cap: cap)
        let gradients = inputs.map { arena.matrix(rows: $0.rows, columns: $0.columns) }
        causalAttentionBackward(
          dOutput, output: run.output, query: inputs[0], key: inputs[1], value: inputs[2],
          scale: AttentionRun.scale, cap: cap, logSumExp: run.logSumExp, dQuery: gradients[0],
          dKey: gradients[1], dValue: gradients[2], scratch: run.scratch)
        return gradients
      }, tolerance: 1e-4)
  }
}

struct AttentionRun {
  static let scale: Float = 0.375
  let output: Matrix
  let logSumExp: Matrix
  let scratch: AttentionScratch
  var statistics = AttentionStatistics()

  init(_ inputs: [Matrix], _ arena: Arena, cap: Float = 0) {
    output = arena.matrix(rows: inputs[0].rows, columns: inputs[2].columns)
    logSumExp = arena.matrix(rows: 1, columns: inputs[0].rows)
    scratch = AttentionScratch(arena: arena, positions: inputs[0].rows)
    causalAttention(
      query: inputs[0], key: inputs[1], value: inputs[2], scale: Self.scale, cap: cap,
      output: output, logSumExp: logSumExp, scratch: scratch, statistics: &statistics)
  }
}

/// The output and each row's probabilities.
func attentionReference(
  _ inputs: [Numbers], scale: Double, cap: Double = 0
) -> (Numbers, [[Double]]) {
  let (query, key, value) = (inputs[0], inputs[1], inputs[2])
  var output = Numbers(query.rows, value.columns)
  var probabilities: [[Double]] = []
  for row in 0..<query.rows {
    let logits = (0...row).map { other in
      let z = scale * (0..<query.columns).reduce(0) { $0 + query[row, $1] * key[other, $1] }
      return cap > 0 ? cap * tanh(z / cap) : z
    }
    let largest = logits.max() ?? 0
    let weights = logits.map { exp($0 - largest) }
    let sum = weights.reduce(0, +)
    probabilities.append(weights.map { $0 / sum })
    for column in 0..<value.columns {
      output[row, column] = (0...row).reduce(0) { $0 + weights[$1] / sum * value[$1, column] }
    }
  }
  return (output, probabilities)
}

/// Sizes around every border of the product: six and four rows, sixteen columns, 192 packed rows,
/// 256 steps of depth.
enum ProductSizes {
  static let rows = Array(1...14) + [193, 199]
  static let columns = [1, 7, 8, 9, 15, 16, 17, 33, 130]
  static let depths = [1, 7, 8, 9, 257]
}
