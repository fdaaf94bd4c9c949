import Telemetry
import Testing

@testable import Training

/// What a model writes while it is trained.
@Suite(.timeLimit(.minutes(15)))
struct SampleProbeTests {
  private func run(
    _ preset: Preset = .tiny, workers: Int = 1, every: Int, prompt: String = "a"
  ) async throws -> TrainedRun {
    try await TrainedRun(preset) {
      $0.steps = 9
      $0.workers = workers
      $0.sampleEvery = every
      $0.samplePrompt = prompt
    }
  }

  @Test(arguments: [Preset.tiny, .moeTiny])
  func `a run that writes has the losses of one that does not, to the bit`(preset: Preset)
    async throws
  {
    let (quiet, writing) = (
      try await run(preset, every: 0), try await run(preset, workers: 2, every: 4)
    )
    #expect(quiet.values(MetricCatalog.loss) == writing.values(MetricCatalog.loss))
    #expect(quiet.values(MetricCatalog.gradNorm) == writing.values(MetricCatalog.gradNorm))
    #expect(!quiet.events.contains { $0.kind == .sample })
    let samples = writing.events.filter { $0.kind == .sample }
    #expect(samples.map(\.step) == [0, 4, 8] && samples.allSatisfy { $0.name == "a" })
    #expect(samples.allSatisfy { $0.values["logprob"] ?? 0 < 0 && $0.values["ms"] ?? 0 > 0 })
    let again = try await run(preset, every: 4).events.filter { $0.kind == .sample }
    #expect(samples.map(\.text) == again.map(\.text) && Set(samples.map(\.text)).count == 3)
  }

  @Test func `what is written is what sample writes with the same weights`() async throws {
    let samples = try await run(every: 8).events.filter { $0.kind == .sample }
    let configuration = TrainingConfiguration.small(.tiny)
    let engine = configuration.model.randomInferenceEngine(workers: 1)
    let bytes = Int(samples[0].values["bytes"] ?? 0)
    let sample = Continuation(of: [97], tokens: bytes, texts: 1, engine: engine)
      .samples(0..<1, rule: SamplingRule(), seed: configuration.seed)[0]
    #expect(samples[0].text == sample.line && samples[0].values["logprob"] == sample.logProbability)
  }

  @Test func `more than a twentieth of the time is refused`() throws {
    var configuration = TrainingConfiguration.small(.tiny)
    configuration.sampleEvery = 1
    let least = SampleProbe.leastSteps(configuration)
    #expect(least > 1)
    var options = configuration.options
    let refusal = #expect(throws: ConfigurationError.self) {
      try TrainingConfiguration(options: options)
    }
    #expect(refusal.map { "\($0)".contains("give --sample-every \(least) or more") } == true)
    options["sample-every"] = "\(least)"
    let allowed = try TrainingConfiguration(options: options)
    #expect(SampleProbe.bytes(allowed) >= SampleProbe.fewest)
    #expect(allowed.options["sample-prompt"] == "\n")
  }
}
