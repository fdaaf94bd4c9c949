import Kernels
import Models

/// A mixer of the tests' own: an exponential average of the positions before, channel by channel,
/// h_t = a·h_{t−1} + W·x_t.
struct DecayMixer: Layer {
  static let name = "decay"
  private let weight: TensorPlace
  private let decay: TensorPlace
  private let positions: Int

  init(_ configuration: ModelConfiguration, layer: Int, plan: inout TensorPlan) {
    let width = configuration.width
    weight = plan.add("mixer.weight", [width, width], .matrix)
    decay = plan.add(
      "mixer.decay", [width], .coefficients, initial: .repeating([0.9, 0.5, 0.1]))
    positions = configuration.context
  }

  static func weightsPerToken(_ configuration: ModelConfiguration) -> Int {
    configuration.width * configuration.width
  }

  static func keptPerToken(_ configuration: ModelConfiguration) -> Int { configuration.width }

  static func signals(_ configuration: ModelConfiguration) -> [LayerSignal] {
    [
      LayerSignal(name: "decay_square", reduction: .mean),
      LayerSignal(name: "decay_largest", reduction: .largest),
    ]
  }

  func memory(_ plan: inout MemoryPlan) -> any LayerPass {
    Pass(
      weight: weight, decay: decay, positions: positions,
      firstSignal: plan.signals(2).lowerBound, state: plan.matrix(columns: weight.rows),
      dState: plan.scratch { Scratch(dState: $0.matrix(columns: weight.rows)) }.dState)
  }

  private struct Scratch: Sendable {
    let dState: Matrix
  }

  private struct Pass: LayerPass {
    let weight: TensorPlace
    let decay: TensorPlace
    let positions: Int
    let firstSignal: Int
    var state: Matrix
    let dState: Matrix

    func prefix(_ rows: Int) -> Pass {
      var result = self
      result.state = state.rows(from: 0, count: rows)
      return result
    }

    func forward(_ input: Matrix, addingTo residual: Matrix, in pass: PassInputs) {
      let decay = pass.parameters[decay]
      multiply(input, transposed: pass.parameters[weight], into: state)
      var (squares, largest) = (0.0, 0.0)
      for row in 0..<input.rows {
        for column in 0..<input.columns {
          if row % positions > 0 { state[row, column] += decay[0, column] * state[row - 1, column] }
          residual[row, column] += state[row, column]
          squares += Double(state[row, column] * state[row, column])
          largest = max(largest, Double(abs(state[row, column])))
        }
      }
      pass.measure(squares, as: firstSignal)
      pass.measure(largest, as: firstSignal + 1)
    }

    func backward(
      _ dOutput: Matrix, input: Matrix, dInput: Matrix, gradients: PassGradients,
      in pass: PassInputs
    ) {
      let (decay, dDecay) = (pass.parameters[decay], gradients.tensors[decay])
      for row in (0..<input.rows).reversed() {
        let isLast = (row + 1) % positions == 0
        for column in 0..<input.columns {
          dState[row, column] = dOutput[row, column]
          if !isLast { dState[row, column] += decay[0, column] * dState[row + 1, column] }
          guard row % positions > 0 else { continue }
          dDecay[0, column] += dState[row, column] * state[row - 1, column]
        }
      }
      multiply(
        transposed: dState, input, into: gradients.tensors[weight], adding: gradients.adds)
      multiply(dState, pass.parameters[weight], into: dInput)
    }
  }
}

/// A feed-forward layer of the tests' own, of one tensor for all blocks: x·s + x².
struct ScaleFeedForward: Layer {
  static let name = "scale"
  private let width: Int
  private var scale: TensorPlace?

  init(_ configuration: ModelConfiguration, layer: Int, plan: inout TensorPlan) {
    width = configuration.width
  }

  mutating func planShared(_ plan: inout TensorPlan) {
    scale = plan.add("scale.shared", [width], .coefficients, initial: .repeating([0.5]))
  }

  static func weightsPerToken(_ configuration: ModelConfiguration) -> Int { 0 }
  static func keptPerToken(_ configuration: ModelConfiguration) -> Int { 0 }

  func memory(_ plan: inout MemoryPlan) -> any LayerPass {
    guard let scale else { preconditionFailure("memory for a plan that has not ended") }
    return Pass(scale: scale)
  }

  private struct Pass: LayerPass {
    let scale: TensorPlace

    func prefix(_ rows: Int) -> Pass { self }

    func forward(_ input: Matrix, addingTo residual: Matrix, in pass: PassInputs) {
      let scale = pass.parameters[scale]
      for row in 0..<input.rows {
        for column in 0..<input.columns {
          let x = input[row, column]
          residual[row, column] += x * (scale[0, column] + x)
        }
      }
    }

    func backward(
      _ dOutput: Matrix, input: Matrix, dInput: Matrix, gradients: PassGradients,
      in pass: PassInputs
    ) {
      let (scale, dScale) = (pass.parameters[scale], gradients.tensors[scale])
      for row in 0..<input.rows {
        for column in 0..<input.columns {
          let x = input[row, column]
          dInput[row, column] = dOutput[row, column] * (scale[0, column] + 2 * x)
          dScale[0, column] += dOutput[row, column] * x
        }
      }
    }
  }
}

extension LayerKind {
  static let decay = LayerKind(DecayMixer.self)
  static let scale = LayerKind(ScaleFeedForward.self)
}
