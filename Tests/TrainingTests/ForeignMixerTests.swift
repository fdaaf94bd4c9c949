import Foundation
import Kernels
import Models
import Signals
import Telemetry
import Testing

@testable import Training

/// A mixer that is registered nowhere: each position adds W times the one before it.
private struct PreviousPosition: Layer {
  static let name = "previous"
  private let weight: TensorPlace
  private let positions: Int

  init(_ configuration: ModelConfiguration, layer: Int, plan: inout TensorPlan) {
    let width = configuration.width
    weight = plan.add("mixer.weight", [width, width], .matrix)
    positions = configuration.context
  }

  static func weightsPerToken(_ configuration: ModelConfiguration) -> Int {
    configuration.width * configuration.width
  }

  static func keptPerToken(_ configuration: ModelConfiguration) -> Int { configuration.width }

  static func signals(_ configuration: ModelConfiguration) -> [LayerSignal] {
    [LayerSignal(name: "mixed_largest", reduction: .largest)]
  }

  func memory(_ plan: inout MemoryPlan) -> any LayerPass {
    Pass(
      weight: weight, positions: positions, signal: plan.signals(1).lowerBound,
      mixed: plan.matrix(columns: weight.rows),
      dMixed: plan.scratch { Scratch(dMixed: $0.matrix(columns: weight.rows)) }.dMixed)
  }

  private struct Scratch: Sendable {
    let dMixed: Matrix
  }

  private struct Pass: LayerPass {
    let weight: TensorPlace
    let positions: Int
    let signal: Int
    var mixed: Matrix
    let dMixed: Matrix

    func prefix(_ rows: Int) -> Pass {
      var result = self
      result.mixed = mixed.rows(from: 0, count: rows)
      return result
    }

    func forward(_ input: Matrix, addingTo residual: Matrix, in pass: PassInputs) {
      multiply(input, transposed: pass.parameters[weight], into: mixed)
      var largest = 0.0
      for row in 0..<input.rows where row % positions > 0 {
        for column in 0..<input.columns {
          residual[row, column] += mixed[row - 1, column]
          largest = max(largest, Double(abs(mixed[row - 1, column])))
        }
      }
      pass.measure(largest, as: signal)
    }

    func backward(
      _ dOutput: Matrix, input: Matrix, dInput: Matrix, gradients: PassGradients,
      in pass: PassInputs
    ) {
      for row in 0..<input.rows {
        let isLast = (row + 1) % positions == 0
        for column in 0..<input.columns {
          dMixed[row, column] = isLast ? 0 : dOutput[row + 1, column]
        }
      }
      multiply(
        transposed: dMixed, input, into: gradients.tensors[weight], adding: gradients.adds)
      multiply(dMixed, pass.parameters[weight], into: dInput)
    }
  }
}

@Suite(.timeLimit(.minutes(15)))
struct ForeignMixerTests {
  private static func run(
    _ mixers: [LayerKind], _ change: @escaping (inout TrainingConfiguration) -> Void = { _ in }
  ) async throws -> TrainedRun {
    try await TrainedRun {
      $0.model.mixers = mixers
      $0.steps = 120
      change(&$0)
    }
  }

  @Test(arguments: [OptimizerKind.adamW, .muon])
  func `a mixer that nobody registered is trained, and what it measures is recorded`(
    optimizer: OptimizerKind
  ) async throws {
    let run = try await Self.run([LayerKind(PreviousPosition.self)]) { $0.optimizer = optimizer }
    let losses = run.samples.compactMap { $0[MetricCatalog.loss] }
    #expect(losses.count == 120)
    let (first, last) = (try #require(losses.first), try #require(losses.last))
    #expect(last < first - 1)
    let step = try #require(run.samples.last { $0[MetricCatalog.loss] != nil })
    #expect(step["mixed_largest/0"] ?? 0 > 0 && step["mixed_largest/1"] ?? 0 > 0)
    // Nothing is told that there is not: it has no attention.
    #expect(!step.names.contains { $0.path.hasPrefix("attention") })
    #expect(step["activation_rms/1"] ?? 0 > 0)
  }

  @Test
  func `mixers by layer keep their own numbers, and qk-clip finds the heads there are`() async throws {
    let run = try await Self.run([LayerKind(PreviousPosition.self), .attention]) {
      $0.steps = 20
      $0.qkClip = 1
    }
    let step = try #require(run.samples.last { $0[MetricCatalog.loss] != nil })
    #expect(step["mixed_largest/0"] ?? 0 > 0 && step["mixed_largest/1"] == nil)
    #expect(step[MetricCatalog.attentionLogitMax(layer: 0)] == nil)
    #expect(step[MetricCatalog.attentionLogitMax(layer: 1)] != nil)
  }

  @Test
  func `a checkpoint names the layers that are not the usual ones, and no others`() {
    var model = TrainingConfiguration.small(.tiny).model
    let plain = StoredModel(model)
    #expect(plain.mixers == nil && plain.feedForward == nil)
    model.mixers = [.attention, LayerKind(PreviousPosition.self)]
    let stored = StoredModel(model)
    #expect(stored.mixers?.map(\.rawValue) == ["attention", "previous"])
    #expect(stored.configuration(tensors: 100)?.mixers == model.mixers)
    #expect(LayerKind(rawValue: "previous") == nil)
  }
}
