import Kernels
import Testing

@Suite(.timeLimit(.minutes(15)))
struct KernelCaseTests {
  @Test(arguments: KernelCase.all)
  func `a kernel computes what its reference says`(kernel: KernelCase) {
    let arena = Arena()
    let inputs = randomInputs(kernel)
    let output = kernel.forward(inputs.map { $0.matrix(arena) }, arena)
    let expected = kernel.reference(inputs)
    #expect(distance(Numbers(output), expected) < kernel.tolerance)
  }

  @Test(arguments: KernelCase.all)
  func `a backward pass agrees with central differences`(kernel: KernelCase) {
    let arena = Arena()
    let inputs = randomInputs(kernel)
    let matrices = inputs.map { $0.matrix(arena) }
    let output = kernel.forward(matrices, arena)
    var random = SeededRandom(seed: 77)
    let dOutput = Numbers.random(Shape(output.rows, output.columns), &random)
    let gradients = kernel.backward(matrices, output, dOutput.matrix(arena), arena)
    for (index, gradient) in gradients.enumerated() {
      let (found, expected) = differences(kernel, inputs, index, dOutput, Numbers(gradient))
      let scale = max(1, expected.map(abs).max() ?? 0)
      for (a, b) in zip(found, expected) {
        #expect(abs(a - b) < 4 * kernel.tolerance * scale, "input \(index)")
      }
    }
  }

  private func randomInputs(_ kernel: KernelCase) -> [Numbers] {
    var random = SeededRandom(seed: 5)
    return kernel.inputs.map { Numbers.random($0, &random) }
  }

  private func distance(_ a: Numbers, _ b: Numbers) -> Double {
    let scale = max(1, b.values.map(abs).max() ?? 0)
    return zip(a.values, b.values).map { abs($0 - $1) / scale }.max() ?? .infinity
  }

  /// A dozen or so elements of one input's gradient, and the same by differences of the reference.
  private func differences(
    _ kernel: KernelCase, _ inputs: [Numbers], _ index: Int, _ dOutput: Numbers,
    _ gradient: Numbers
  ) -> ([Double], [Double]) {
    let count = inputs[index].values.count
    let elements = stride(from: 0, to: count, by: max(1, count / 12))
    let expected = elements.map { element -> Double in
      let value = { (step: Double) -> Double in
        var moved = inputs
        moved[index].values[element] += step
        return zip(kernel.reference(moved).values, dOutput.values).reduce(0) { $0 + $1.0 * $1.1 }
      }
      return (value(1e-5) - value(-1e-5)) / 2e-5
    }
    return (elements.map { gradient.values[$0] }, expected)
  }
}
