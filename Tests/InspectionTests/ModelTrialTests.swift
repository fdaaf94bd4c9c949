import Foundation
import Kernels
import Models
import TestSupport
import Testing
import Training

@testable import Inspection

/// A checkpoint's loss with weights that were rounded, left out or disturbed.
@Suite(.timeLimit(.minutes(15)))
struct ModelTrialTests {
  private let folder: TestFolder
  private let text = (0..<3000).map { UInt8(97 + ($0 * $0 / 7) % 13) }

  init() throws { folder = try TestFolder() }

  private func trial(
    experts: Bool = false, workers: Int = 1, sharing: Double = 0
  ) throws -> ModelTrial {
    var shape = ModelConfiguration(width: 16, layers: 2, heads: 2, context: 16)
    if experts { shape.experts = ExpertConfiguration(count: 3, width: 8, active: 2) }
    shape.sharing = sharing
    let layout = ParameterLayout(shape)
    let weights = FloatBuffer(count: layout.count)
    initialise(parameters: weights, layout: layout, seed: 3)
    SharedParameters(layout: layout, seed: 3, pool: WorkerPool(workers: 1))?.begin(at: weights)
    let zeros = FloatBuffer(count: layout.count)
    let path = try CheckpointFolder.write(
      CheckpointContents(
        configuration: shape, layout: layout, qkLayerNormWeight: 0, parameters: weights,
        firstMoments: zeros, secondMoments: zeros), step: 1, run: ["seed": 3], to: folder.path("c"))
    let evaluation = try Evaluation(
      checkpoint: CheckpointFolder.read(path),
      corpus: Corpus(bytes: text, name: "text", description: "text"), workers: workers)
    return try ModelTrial(
      evaluation, windows: evaluation.windows, most: 8, pool: WorkerPool(workers: workers))
  }

  @Test func `the loss as it is is the evaluation's, and finer formats cost less`() throws {
    let trial = try trial()
    #expect(trial.windows == 8)
    let found = RoundedLoss(trial, alone: 2)
    #expect(found.loss == trial.loss() && found.tokens == 8 * 16)
    func rise(_ format: NumberFormat, _ scale: ScaleGroup) throws -> Double {
      let entry = try #require(
        found.entries.first { $0.format == format && $0.scale == scale })
      return abs(entry.loss - found.loss)
    }
    #expect(found.entries.count == 18)
    #expect(try rise(.int8, .row) < 0.01 && rise(.int8, .row) > 0)
    #expect(try rise(.int8, .row) < rise(.int4, .tensor))
    #expect(found.sensitivities.count == 2 * trial.matrices.count)
    // The checkpoint's own weights are what they were.
    #expect(trial.loss() == found.loss)
  }

  @Test func `rounding in a model is the rounding that the survey tells of`() throws {
    let trial = try trial()
    let tensor = try #require(trial.layout["lm_head.weight"])
    trial.trial.copy(from: trial.parameters)
    trial.trial.round(tensor, to: .nf4, .block64)
    let sums = difference(
      trial.parameters, trial.trial, from: tensor.offset, count: tensor.count)
    let report = try #require(
      survey(trial.checkpoint.path).first { $0.name == tensor.name })
    let cost = try #require(report.cost(.nf4, .block64))
    #expect(abs(10 * log10(sums.first / sums.squares) - cost.decibels) < 0.01)
    let outside = difference(trial.parameters, trial.trial, from: 0, count: tensor.offset)
    #expect(outside.squares == 0)
  }

  @Test func `at temperature 1 it is the loss itself, and divergence is never below 0`() throws {
    let trial = try trial()
    let curve = TemperatureCurve(trial, windows: 4)
    let point = try #require(curve.points.first { $0.temperature == 1 })
    #expect(abs(point.loss - trial.loss(limit: 4)) < 1e-5)
    for point in curve.points {
      #expect(point.divergence.count == 3 && point.divergence.allSatisfy { $0 >= 0 })
    }
    // What rounding changed in the logits counts for more the lower the temperature.
    let (cold, hot) = (curve.points[0], curve.points[curve.points.count - 1])
    for format in 0..<3 { #expect(cold.divergence[format] > hot.divergence[format]) }
  }

  @Test func `a head without outputs is dead, experts share all tokens`() throws {
    let trial = try trial(experts: true)
    let outputs = try #require(trial.layout["model.layers.1.self_attn.dense.weight"])
    for row in 0..<16 {
      for column in 8..<16 { trial.parameters[outputs.offset + row * 16 + column] = 0 }
    }
    let layers = LayerUse.all(trial, alone: 4)
    #expect(layers.count == 2)
    #expect(layers[1].headWorth[1] == 0 && layers[1].deadHeads.contains(1))
    #expect(layers[0].headWorth.allSatisfy { $0 != 0 })
    for layer in layers {
      #expect(layer.logitMax.count == 2 && layer.entropy > 0)
      #expect(abs(layer.load.reduce(0, +) - 1) < 1e-12 && layer.load.count == 3)
      #expect(abs(layer.likeness) < 0.5)
    }
  }

  @Test
  func `features are a layer more than the model has, and the head makes its logits of the last`()
    throws
  {
    let trial = try trial()
    let features = trial.features(windows: 3)
    #expect(features.count == 3 && features.allSatisfy { $0.count == 3 * 16 * 16 })
    let head = try #require(trial.layout["lm_head.weight"])
    let logits = trial.logits(trial.parameters, windows: 3)
    for row in [0, 20, 47] {
      for token in [0, 100, 255] {
        var product = 0.0
        for column in 0..<16 {
          product +=
            Double(features[2][row * 16 + column])
            * Double(trial.parameters[head.offset + token * 16 + column])
        }
        #expect(abs(product - Double(logits[row * 256 + token])) < 1e-4)
      }
    }
  }

  @Test
  func `measures know the distance from the start and find where noise costs a tenth of a nat`()
    throws
  {
    let trial = try trial()
    let start = FloatBuffer(count: trial.layout.count)
    start.copy(from: trial.parameters)
    let tensor = trial.matrices[1]
    start[tensor.offset] += 3
    start[tensor.offset + 1] += 4
    let found = GeneralisationMeasures(trial, start: start, samples: 100, alone: 2)
    #expect(abs(found.distance - 5) < 1e-5)
    #expect(found.sharpness > 0 && found.sharpness < 2)
    #expect(found.relativeSharpness > 0)
    #expect(found.margin < 0, "a new model does not know the next byte")
    #expect(found.stableRanks > Double(trial.matrices.count))
    let square = found.distance * found.distance / (4 * found.sharpness * found.sharpness)
    let bound = ((square + log(100 / found.sharpness) + 10) / 100).squareRoot()
    #expect(found.boundFromStart == bound)
  }

  @Test func `numbers that many weights read count once, and noise moves their readers`() throws {
    let trial = try trial(sharing: 0.4)
    let array = try #require(trial.layout.sharedArray)
    let shared = try #require(
      SharedParameters(layout: trial.layout, seed: 3, pool: WorkerPool(workers: 1)))
    let start = FloatBuffer(count: trial.layout.count)
    start.copy(from: trial.parameters)
    start[array.offset] += 3
    start[array.offset + 1] += 4
    shared.expand(start)
    let found = GeneralisationMeasures(trial, shared: shared, start: start, samples: 100, alone: 2)
    #expect(abs(found.distance - 5) < 1e-5)
    var squares = 0.0
    for tensor in trial.layout.tensors where trial.layout.isTrained(tensor) {
      for index in tensor.offset..<tensor.offset + tensor.count {
        squares += Double(trial.parameters[index]) * Double(trial.parameters[index])
      }
    }
    #expect(abs(found.norm - squares.squareRoot()) < 1e-4 * found.norm)
    let matrices = trial.matrices.count { $0.role != .sharedArray }
    #expect(found.stableRanks > Double(matrices) && found.sharpness > 0)
    // Noise that stayed in the array would cost what noise in the other tensors alone does.
    let alone = GeneralisationMeasures(trial, start: start, samples: 100, alone: 2)
    #expect(found.sharpness < alone.sharpness)
  }

  @Test func `one worker or two tell the same`() throws {
    let (one, two) = (try trial(workers: 1), try trial(workers: 2))
    #expect(
      RoundedLoss(one, alone: 2).entries.map(\.loss)
        == RoundedLoss(two, alone: 2).entries.map(\.loss))
  }
}
