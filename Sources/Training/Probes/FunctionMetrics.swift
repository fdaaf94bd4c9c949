import Models
import Telemetry

/// What the trained functions of feed-forward layers have become.
struct FunctionMetrics: Probe {
  /// Nil for a model without such functions.
  init?(_ run: ProbedRun) {
    let model = run.configuration.model
    guard (0..<model.layers).contains(where: { model.feedForward(inLayer: $0) == .kat }) else {
      return nil
    }
  }

  /// Told beside the tensors' own numbers.
  func isDue(in step: ProbedStep) -> Bool { step.number % TensorMetrics.interval == 0 }

  func afterUpdate(of step: ProbedStep, _ outcome: StepOutcome, into samples: inout StepSamples) {
    let shapes = step.engine.functionShapes(parameters: step.parameters)
    for shape in shapes {
      let name = MetricCatalog.functionRange(
        layer: shape.layer, place: shape.place, group: shape.group)
      samples.add(name, Double(shape.range))
    }
    for shape in shapes {
      let name = MetricCatalog.functionDrift(
        layer: shape.layer, place: shape.place, group: shape.group)
      samples.add(name, Double(shape.drift))
    }
  }
}
