internal import Kernels

/// SVFit: W = U·diag(σ)·Vᵀ, of which the r largest singular values are trained:
/// y = x·Wᵀ + ((x·V)∘δ)·Uᵀ, δ = σ − σ₀ = 0 at first.
///
/// dδ_i = Σ_t (u_i·dy_t)·(v_i·x_t). δ is trained in the place of σ, so that W is what it was to the
/// last bit, and so that no decay pulls σ to 0. U and V are computed from W, once.
/// - Source: Sun et al. 2024 (2409.05926)
struct SingularAdapter: LinearAdapter {
  private let weight: TensorPlace
  /// δ [1, r]
  private let change: TensorPlace
  /// Uᵀ [r, out] and Vᵀ [r, in]
  private let left: TensorPlace
  private let right: TensorPlace

  var rank: Int { left.rows }

  init(
    _ configuration: AdapterConfiguration, weight: TensorPlace, name: String,
    plan: inout TensorPlan
  ) {
    let rank = configuration.rank
    self.weight = weight
    change = plan.addTrained(name + ".svfit_change", [rank], .coefficients)
    left = plan.addDerived(name + ".svfit_left", [rank, weight.rows])
    right = plan.addDerived(name + ".svfit_right", [rank, weight.columns])
  }

  func forward(
    _ x: Matrix, addingTo y: Matrix, _ scratch: AdapterScratch, _ parameters: ParameterView
  ) {
    multiply(x, transposed: parameters[right], into: scratch.inner)
    scaleColumns(scratch.inner, by: parameters[change])
    multiply(scratch.inner, parameters[left], into: y, adding: true)
  }

  func backward(
    _ dY: Matrix, input x: Matrix, addingTo dX: Matrix, _ scratch: AdapterScratch,
    _ gradients: PassGradients, _ parameters: ParameterView
  ) {
    multiply(x, transposed: parameters[right], into: scratch.inner)
    multiply(dY, transposed: parameters[left], into: scratch.dInner)
    addColumnProducts(scratch.inner, scratch.dInner, to: gradients.tensors[change])
    scaleColumns(scratch.dInner, by: parameters[change])
    multiply(scratch.dInner, parameters[right], into: dX, adding: true)
  }

  func merge(into weight: Matrix, _ parameters: ParameterView) {
    let scaled = FloatBuffer(count: left.rows * left.columns)
    let rows = Matrix(scaled, rows: left.rows, columns: left.columns)
    for row in 0..<rows.rows {
      for column in 0..<rows.columns {
        rows[row, column] = parameters[change][0, row] * parameters[left][row, column]
      }
    }
    multiply(transposed: rows, parameters[right], into: weight, adding: true)
  }

  func derive(_ trunk: ParameterView) {
    SingularVectors(of: trunk[weight], count: left.rows).write(
      left: trunk[left], right: trunk[right])
  }
}
