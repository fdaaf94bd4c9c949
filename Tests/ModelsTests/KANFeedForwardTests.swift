import Foundation
import Kernels
import Testing

@testable import Models

/// What group-rational functions begin as, and what is told of them.
@Suite(.timeLimit(.minutes(15)))
struct KANFeedForwardTests {
  private static var small: ModelConfiguration {
    var configuration = SmallModel.dense
    configuration.feedForward = .kat
    return configuration
  }

  private func values(_ start: RationalStart, _ x: [Float]) -> [Float] {
    let (a, b) = start.coefficients
    let memory = FloatBuffer(count: 2 * x.count + a.count + b.count)
    for (index, value) in (x + a + b).enumerated() { memory[index] = value }
    let output = Matrix(memory, offset: x.count + 10, rows: 1, columns: x.count)
    _ = RationalFunctions(
      numerator: Matrix(memory, offset: x.count, rows: 1, columns: 6),
      denominators: Matrix(memory, offset: x.count + 6, rows: 1, columns: 4)
    ).apply(Matrix(memory, rows: 1, columns: x.count), output: output)
    return output.values
  }

  @Test func `functions begin as the identity and as swish`() {
    let x = (-60...60).map { Float($0) / 10 }
    for (x, identity, swish) in zip3(x, values(.identity, x), values(.swish, x)) {
      #expect(abs(identity - x) < 1e-6 * max(1, abs(x)))
      let expected = x / (1 + exp(-x))
      #expect(abs(swish - expected) < (abs(x) <= 3 ? 1e-4 : 0.009), "\(x)")
    }
  }

  @Test(arguments: [RationalStart.identity, .swish])
  func `outputs of the first matrices have a variance of one`(start: RationalStart) {
    var random = RandomStream(seed: 3)
    let x = (0..<4096).map { _ in Float(random.normal()) }
    let square = values(start, x).reduce(0.0) { $0 + Double($1) * Double($1) } / Double(x.count)
    #expect(abs(square * Double(start.variance) - 1) < 0.1, "\(square)")
    let layout = ParameterLayout(Self.wide)
    let parameters = FloatBuffer(count: layout.count)
    initialise(parameters: parameters, layout: layout, seed: 2)
    let name = start == .identity ? "dense_h_to_4h" : "dense_4h_to_h"
    for tensor in layout.tensors where tensor.name.hasSuffix("mlp.\(name).weight") {
      let sum = (tensor.offset..<tensor.offset + tensor.count).reduce(0.0) {
        $0 + Double(parameters[$1]) * Double(parameters[$1])
      }
      let variance = sum / Double(tensor.count) * Double(tensor.fanIn)
      #expect(abs(variance / Double(start.variance) - 1) < 0.05, "\(tensor.name)")
    }
  }

  private static var wide: ModelConfiguration {
    var configuration = ModelConfiguration(width: 64, layers: 1, heads: 2, context: 8)
    configuration.feedForward = .kat
    return configuration
  }

  @Test func `coefficients begin alike in all groups, of which there are as many as divide`() {
    for (width, groups) in [(64, 8), (12, 4), (14, 2)] {
      var configuration = ModelConfiguration(width: width, layers: 1, heads: 1, context: 4)
      configuration.feedForward = .kat
      let tensors = ParameterLayout(configuration).tensors.filter { $0.role == .coefficients }
      #expect(tensors.map(\.shape) == [[6], [groups, 4], [6], [8, 4]])
      #expect(tensors.allSatisfy { !$0.role.isDecayed })
    }
  }

  @Test func `a function's shape is its own, and its drift nothing at the start`() throws {
    let engine = TransformerEngine(
      configuration: Self.wide, batch: 2, pool: WorkerPool(workers: 1))
    let parameters = FloatBuffer(count: engine.layout.count)
    initialise(parameters: parameters, layout: engine.layout, seed: 2)
    let shapes = engine.functionShapes(parameters: parameters)
    #expect(shapes.count == 16 && shapes.allSatisfy { $0.drift == 0 })
    #expect(shapes.filter { $0.place == 1 }.allSatisfy { abs($0.range - 6) < 1e-5 })
    #expect(shapes.filter { $0.place == 2 }.allSatisfy { abs($0.range - 3.136) < 0.01 })
    let tensor = try #require(engine.layout["model.layers.0.mlp.act1.denominators"])
    // Q = 1 + |y| in the third group: F = x/(1 + |x|/3) there.
    parameters[tensor.offset + 8] = -1
    let moved = engine.functionShapes(parameters: parameters)
    let changed = moved.filter { $0.drift > 0 }
    #expect(changed.map(\.group) == [2] && changed.map(\.place) == [1])
    #expect(abs(changed[0].range - 3) < 1e-5)
  }

  @Test func `inputs beyond the fit and the largest reciprocal are told by layer`() {
    let model = SmallModel(Self.small, batch: 4)
    let statistics = model.lossAndGradients(LossSettings())
    #expect(
      Self.small.signals.map(\.kind.name).prefix(3) == [
        "kat_beyond_first", "kat_beyond_second", "kat_reciprocal_max",
      ])
    #expect(statistics.signals.count == 6)
    for layer in 0..<2 {
      let told = statistics.signals[3 * layer..<3 * layer + 3].map { $0 }
      #expect((0...0.3).contains(told[0]) && (0...0.5).contains(told[1]))
      #expect(told[2] > 0.5 && told[2] <= 1)
    }
    let many = SmallModel(Self.small, batch: 4, workers: 2)
    #expect(many.lossAndGradients(LossSettings()) == statistics)
  }
}

private func zip3<A, B, C>(_ a: [A], _ b: [B], _ c: [C]) -> [(A, B, C)] {
  zip(a, zip(b, c)).map { ($0, $1.0, $1.1) }
}
