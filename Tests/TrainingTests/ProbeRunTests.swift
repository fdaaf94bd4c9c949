import Kernels
import Telemetry
import Testing

@testable import Training

/// What a step tells beside its losses.
@Suite(.timeLimit(.minutes(15)))
struct ProbeRunTests {
  @Test func `the shares of a step's time are of all phases and add up to 1`() async throws {
    let run = try await TrainedRun(.moeTiny) { $0.steps = 12 }
    let names = [
      "data", "forward", "backward", "optimizer", "statistics", "recording", "waiting",
    ].map { MetricCatalog.stepShare(phase: $0) }
    #expect(StepPhases.names == names)
    for samples in run.samples {
      let shares = try names.map { try #require(samples[$0]) }
      #expect(shares.allSatisfy { $0 >= 0 })
      #expect(abs(shares.reduce(0, +) - 1) < 1e-9)
      #expect(shares[1] > 0 && shares[2] > 0 && shares[3] > 0)
    }
  }

  @Test func `every head's largest logit is told on request, and the largest is the layer's`()
    async throws
  {
    let run = try await TrainedRun {
      $0.steps = 5
      $0.tellsHeadLogits = true
    }
    for samples in run.samples {
      for layer in 0..<2 {
        let heads = (0..<2).compactMap {
          samples[MetricCatalog.attentionLogitMax(layer: layer, head: $0)]
        }
        #expect(heads.count == 2 && heads[0] != heads[1])
        #expect(heads.max() == samples[MetricCatalog.attentionLogitMax(layer: layer)])
      }
    }
    let plain = try await TrainedRun { $0.steps = 2 }
    #expect(
      plain.values(MetricCatalog.attentionLogitMax(layer: 0, head: 0)).isEmpty)
  }

  @Test func `the cosine is that of the changes of two steps that follow one another`() {
    let weights = FloatBuffer(count: 70_000)
    let probe = UpdateCosine(parameters: weights.count, pool: WorkerPool(workers: 2))
    var cosines: [Int: Double] = [:]
    for step in 0..<45 {
      probe.keep(weights, step: step)
      // Two numbers in different pieces; at first both grow, then one of them swings back.
      weights[3] += 1
      weights[69_999] += step == 41 ? -2 : 1
      cosines[step] = probe.cosine(weights, step: step)
    }
    #expect(cosines.keys.sorted() == [1, 21, 41])
    #expect(abs((cosines[21] ?? 0) - 1) < 1e-6)
    #expect(abs((cosines[41] ?? 0) + 1 / 10.0.squareRoot()) < 1e-6)
  }

  @Test func `at a rate too high for the valley successive updates agree less`() async throws {
    let cosine = { (rate: Double) async throws -> Double in
      let run = try await TrainedRun {
        $0.steps = 60
        $0.optimizer = .sgd
        $0.learningRate = rate
        $0.schedule = .constant
        $0.gradClip = 0
      }
      return try #require(run.values(MetricCatalog.updateCosine).last)
    }
    let (calm, wild) = (try await cosine(1e-3), try await cosine(10))
    #expect(calm > 0.9 && wild < calm - 0.03, "\(calm), \(wild)")
  }

  @Test func `the probe tells how sure its differences are, by the spread over its windows`()
    async throws
  {
    let run = try await TrainedRun { $0.steps = 80 }
    let multipliers = MetricCatalog.probeMultipliers
    let probes = run.samples.filter { $0[MetricCatalog.probeLoss(multiplier: 0)] != nil }
    #expect(probes.count >= 2)
    for samples in probes {
      #expect(samples[MetricCatalog.probeError(multiplier: 0)] == nil)
      let errors = multipliers.dropFirst().compactMap {
        samples[MetricCatalog.probeError(multiplier: $0)]
      }
      #expect(errors.count == multipliers.count - 1)
      #expect(errors.allSatisfy { $0 > 0 && $0 < 1 })
      // In the straight part of the curve twice the update has twice the error.
      #expect((1.5...2.5).contains(errors[1] / errors[0]), "\(errors)")
    }
    let still = try await TrainedRun(script: [(0, "set lr.multiplier 0")]) { $0.steps = 2 }
    #expect(still.samples.first?[MetricCatalog.probeError(multiplier: 16)] == 0)
  }
}
