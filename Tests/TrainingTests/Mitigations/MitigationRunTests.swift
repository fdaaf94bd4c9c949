import Models
import Telemetry
import Testing

@testable import Training

/// What the mitigations must do to a run, as the papers tell it.
@Suite(.timeLimit(.minutes(15)))
struct MitigationRunTests {
  private func mean(_ values: ArraySlice<Double>) -> Double {
    values.reduce(0, +) / Double(values.count)
  }

  @Test func `z-loss holds log Z near 0, and the loss is as low`() async throws {
    let train = { (zLoss: Double) in
      try await TrainedRun {
        $0.steps = 300
        $0.learningRate = 0.03
        $0.zLoss = zLoss
      }
    }
    let (free, held) = (try await train(0), try await train(1e-2))
    let drift = { (run: TrainedRun) in
      mean(run.values(MetricCatalog.logZ).map(abs)[200...])
    }
    #expect(drift(held) < 0.5 && drift(held) < drift(free) / 2, "\(drift(held)), \(drift(free))")
    let losses = [free, held].map { mean($0.values(MetricCatalog.loss)[200...]) }
    #expect(losses[1] < losses[0] + 0.05, "\(losses)")
  }

  @Test func `Muon at AdamW's rate comes about as far`() async throws {
    let loss = { (optimizer: OptimizerKind) async throws -> Double in
      let run = try await TrainedRun {
        $0.steps = 300
        $0.optimizer = optimizer
        $0.learningRate = 3e-3
      }
      return mean(run.values(MetricCatalog.loss)[250...])
    }
    let (adam, muon) = (try await loss(.adamW), try await loss(.muon))
    #expect(muon < adam + 0.1, "\(muon), \(adam)")
  }

  @Test(arguments: ["logit_softcap 3", "output_softcap 5"])
  func `a soft cap leaves a model that still learns`(setting: String) async throws {
    let run = try await TrainedRun(script: [(50, "set \(setting)")]) {
      $0.steps = 200
      $0.learningRate = 0.01
    }
    let losses = run.values(MetricCatalog.loss)
    #expect(mean(losses[180...]) < mean(losses[40..<50]) - 0.2)
  }

  @Test func `frozen blocks stay as they are and the others go on`() async throws {
    let run = try await TrainedRun(script: [(10, "set freeze 1")]) { $0.steps = 41 }
    let norm = { (tensor: String, step: Int) in
      run.samples[step][MetricName("param_norm/\(tensor)")]
    }
    for tensor in ["embed", "L0.qkv", "L0.down"] {
      #expect(norm(tensor, 10) == norm(tensor, 40), "\(tensor)")
    }
    for tensor in ["L1.qkv", "head"] { #expect(norm(tensor, 10) != norm(tensor, 40), "\(tensor)") }
  }
}
