internal import Kernels

/// A bottleneck adapter: half a block's output h becomes h + W_up·GELU(W_down·h), W_up = 0 at first.
///
/// - Source: Houlsby et al. 2019 (1902.00751), without their biases
struct BottleneckAdapter: Sendable {
  /// W_down [r, D], W_up [D, r]
  private let network: GELUNetwork
  /// r of the widest one.
  private let widest: Int
  /// Its number among the adapter's modules where what it adds is measured; else nil.
  private let measured: Int?

  var module: AdapterModule { AdapterModule(down: network.up.weight, up: network.down.weight) }

  /// Nil where another adapter is trained, or none, or nothing is left of this one.
  init?(
    _ configuration: ModelConfiguration, name: String, number: Int, plan: inout TensorPlan
  ) {
    guard let whole = configuration.adapter, whole.method == .bottleneck,
      let adapter = plan.nextModule()
    else { return nil }
    let width = configuration.width
    widest = whole.rank
    measured = configuration.isMasked ? number : nil
    network = GELUNetwork(
      up: plan.addTrained(name + ".adapter_down.weight", [adapter.rank, width], .adapter),
      down: plan.addTrained(
        name + ".adapter_up.weight", [width, adapter.rank], .adapter, initial: .repeating([0])))
  }

  /// The pass of `base`, half a block, with this behind it.
  func memory(behind base: any LayerPass, _ plan: inout MemoryPlan) -> any LayerPass {
    let columns = network.up.weight.rows
    return Pass(
      base: base, network: network, output: plan.matrix(columns: network.up.weight.columns),
      kept: GELUActivations(rows: plan.rows, columns: columns, plan.arena),
      scratch: plan.scratch { plan in
        Scratch(
          dOutput: plan.matrix(columns: network.up.weight.columns),
          dHidden: plan.matrix(columns: widest),
          added: measured == nil ? nil : plan.matrix(columns: network.up.weight.columns))
      }, measured: measured)
  }

  func inference(behind base: any LayerInference, _ plan: inout InferencePlan) -> any LayerInference
  {
    let memory = plan.memory
    return Inference(
      base: base, network: network, output: memory.matrix(columns: network.up.weight.columns),
      kept: GELUActivations(rows: memory.rows, columns: network.up.weight.rows, memory.arena))
  }

  /// [M, D], [M, r] and, where it is measured, [M, D]
  private struct Scratch: Sendable {
    let dOutput: Matrix
    let dHidden: Matrix
    let added: Matrix?
  }

  private struct Pass: LayerPass {
    var base: any LayerPass
    let network: GELUNetwork
    /// h [M, D]
    var output: Matrix
    var kept: GELUActivations
    let scratch: Scratch
    let measured: Int?

    var routing: ExpertRouting? { base.routing }

    func prefix(_ rows: Int) -> Pass {
      var result = self
      result.base = base.prefix(rows)
      result.output = output.rows(from: 0, count: rows)
      result.kept = kept.prefix(rows)
      return result
    }

    func forward(_ input: Matrix, addingTo residual: Matrix, in pass: PassInputs) {
      output.clear()
      base.forward(input, addingTo: output, in: pass)
      addRows(output, to: residual)
      guard let measured, let added = scratch.added?.rows(from: 0, count: input.rows) else {
        return network.forward(output, addingTo: residual, kept: kept, in: pass)
      }
      added.clear()
      network.forward(output, addingTo: added, kept: kept, in: pass)
      pass.sums.adapterShares[measured] = sumOfShares(added, of: output)
      addRows(added, to: residual)
    }

    func backward(
      _ dOutput: Matrix, input: Matrix, dInput: Matrix, gradients: PassGradients,
      in pass: PassInputs
    ) {
      let rows = input.rows
      let own = scratch.dOutput.rows(from: 0, count: rows)
      copyRows(dOutput, into: own)
      network.backward(
        dOutput, input: output, kept: kept,
        dHidden: scratch.dHidden.reshaped(rows: rows, columns: network.up.weight.rows), dInput: own,
        adding: true,
        gradients: gradients, in: pass)
      base.backward(own, input: input, dInput: dInput, gradients: gradients, in: pass)
    }
  }

  private struct Inference: LayerInference {
    var base: any LayerInference
    let network: GELUNetwork
    var output: Matrix
    var kept: GELUActivations

    func prefix(_ rows: Int) -> Inference {
      var result = self
      result.base = base.prefix(rows)
      result.output = output.rows(from: 0, count: rows)
      result.kept = kept.prefix(rows)
      return result
    }

    func forward(
      _ input: Matrix, addingTo residual: Matrix, of texts: TextRows, in pass: PassInputs
    ) {
      output.clear()
      base.forward(input, addingTo: output, of: texts, in: pass)
      addRows(output, to: residual)
      network.forward(output, addingTo: residual, kept: kept, in: pass)
    }

    func copy(_ positions: Int, from slot: Int, to other: Int) {
      base.copy(positions, from: slot, to: other)
    }
  }
}
