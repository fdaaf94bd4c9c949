internal import Kernels

/// LoRA: y = x·Wᵀ + (α/r)·(x·Aᵀ)·Bᵀ, B = 0 at first.
///
/// A [r, in] is drawn from U(±1/sqrt(in)). dB = (α/r)·dYᵀ·(x·Aᵀ), dA = (α/r)·(dY·B)ᵀ·x: x·Aᵀ is
/// computed again for them, which costs less than the memory to keep it.
/// - Source: Hu et al. 2021 (2106.09685); the names are PEFT's
struct LowRankAdapter: LinearAdapter {
  /// [r, in] and [out, r]
  private let down: TensorPlace
  private let up: TensorPlace
  private let scale: Float

  var rank: Int { down.rows }
  var module: AdapterModule { AdapterModule(down: down, up: up) }

  init(
    _ configuration: AdapterConfiguration, weight: TensorPlace, name: String,
    plan: inout TensorPlan
  ) {
    let rank = configuration.rank
    down = plan.addTrained(
      name + ".lora_A.weight", [rank, weight.columns], .adapter,
      initial: .uniform(1 / Float(weight.columns).squareRoot()))
    up = plan.addTrained(
      name + ".lora_B.weight", [weight.rows, rank], .adapter, initial: .repeating([0]))
    scale = Float(configuration.alpha / Double(rank))
  }

  func forward(
    _ x: Matrix, addingTo y: Matrix, _ scratch: AdapterScratch, _ parameters: ParameterView
  ) {
    multiply(x, transposed: parameters[down], into: scratch.inner)
    scaleRows(scratch.inner, by: scale)
    multiply(scratch.inner, transposed: parameters[up], into: y, adding: true)
  }

  func backward(
    _ dY: Matrix, input x: Matrix, addingTo dX: Matrix, _ scratch: AdapterScratch,
    _ gradients: PassGradients, _ parameters: ParameterView
  ) {
    let (inner, dInner, tensors) = (scratch.inner, scratch.dInner, gradients.tensors)
    multiply(x, transposed: parameters[down], into: inner)
    scaleRows(inner, by: scale)
    multiply(transposed: dY, inner, into: tensors[up], adding: gradients.adds)
    multiply(dY, parameters[up], into: dInner)
    scaleRows(dInner, by: scale)
    multiply(transposed: dInner, x, into: tensors[down], adding: gradients.adds)
    multiply(dInner, parameters[down], into: dX, adding: true)
  }

  func merge(into weight: Matrix, _ parameters: ParameterView) {
    let arena = Arena()
    let scaled = arena.matrix(rows: weight.rows, columns: parameters[up].columns)
    copyRows(parameters[up], into: scaled)
    scaleRows(scaled, by: scale)
    multiply(scaled, parameters[down], into: weight, adding: true)
  }
}
