import Kernels
import Models
import Testing
import Training

@Suite(.timeLimit(.minutes(15)))
struct RecordedRunTests {
  @Test(arguments: RecordedRun.names)
  func `tensors have the names and sizes that PyTorch was given`(name: String) throws {
    let run = try RecordedRun(name)
    let layout = ParameterLayout(run.configuration)
    #expect(layout.tensors.map(\.name) == run.description.tensors.map(\.name))
    #expect(layout.tensors.map(\.count) == run.description.tensors.map(\.count))
    #expect(layout.trunk.map(\.name) == (run.description.trunk ?? []).map(\.name))
  }

  @Test(arguments: RecordedRun.names)
  func `logits, loss and gradients are PyTorch's`(name: String) throws {
    let run = try RecordedRun(name)
    let engine = run.engine(WorkerPool(workers: 2))
    let parameters = run.flatParameters(engine.layout)
    let first = run.description.batches[0]
    let (logits, statistics) = first.withUnsafeBufferPointer { tokens in
      (
        engine.logits(
          parameters: parameters, tokens: tokens, rows: run.description.batch,
          settings: run.settings),
        engine.lossAndGradients(parameters: parameters, tokens: tokens, settings: run.settings)
      )
    }
    #expect(logits.count == run.logits.count)
    for (found, expected) in zip(logits, run.logits) { #expect(abs(found - expected) < 1e-5) }
    #expect(abs(statistics.loss - run.description.loss) < 2e-6)
    #expect(
      statistics.attentionLogitMax.count == run.description.attentionLogitMax.count)
    for (found, expected) in zip(statistics.attentionLogitMax, run.description.attentionLogitMax) {
      #expect(abs(found - expected) < 1e-5)
    }
    compareGradients(engine, run)
  }

  @Test(arguments: RecordedRun.names)
  func `ten steps of the optimizer give PyTorch's losses, norms and weights`(name: String) throws {
    let run = try RecordedRun(name)
    let pool = WorkerPool(workers: 2)
    let engine = run.engine(pool)
    let parameters = run.flatParameters(engine.layout)
    let optimizer = Optimizer(
      layout: engine.layout, pool: pool, kind: run.description.optimizer ?? .adamW)
    for (step, batch) in run.description.batches.enumerated() {
      let statistics = batch.withUnsafeBufferPointer {
        engine.lossAndGradients(parameters: parameters, tokens: $0, settings: run.settings)
      }
      let update = optimizer.update(
        parameters: parameters, sliceGradients: engine.sliceGradients, updates: step,
        rates: run.rates(step: step))
      #expect(abs(statistics.loss - run.description.losses[step]) < 2e-5, "step \(step)")
      let norm = run.description.gradNorms[step]
      #expect(abs(update.gradNorm - norm) < 1e-4 * norm, "step \(step)")
      #expect(update.isClipped == (norm > 1))
    }
    #expect(engine.layout.tensors.count == run.description.tensors.count)
    for (tensor, recorded) in zip(engine.layout.tensors, run.description.tensors) {
      let squares = (tensor.offset..<tensor.offset + tensor.count).reduce(0.0) {
        $0 + Double(parameters[$1]) * Double(parameters[$1])
      }
      #expect(abs(squares.squareRoot() - recorded.finalNorm) < 1e-4, "\(tensor.name)")
    }
  }

  private func compareGradients(_ engine: TransformerEngine, _ run: RecordedRun) {
    #expect(engine.layout.tensors.map(\.count) == run.gradients.map(\.count))
    for (tensor, expected) in zip(engine.layout.tensors, run.gradients) {
      let scale = max(1e-2, expected.map(abs).max() ?? 0)
      for (index, value) in expected.enumerated() {
        let found = engine.sliceGradients.reduce(0) { $0 + $1[tensor.offset + index] }
        #expect(abs(found - value) < 2e-5 * scale, "\(tensor.name)[\(index)]")
      }
    }
  }
}
