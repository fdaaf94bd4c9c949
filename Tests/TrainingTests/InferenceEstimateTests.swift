import Models
import Testing

@testable import Training

/// What writing costs, and over which settings it is fastest.
@Suite(.timeLimit(.minutes(15)))
struct InferenceEstimateTests {
  @Test func `operations are those of the formulas, and a mixture's those of its active experts`() {
    let dense = ModelConfiguration(width: 64, layers: 2, heads: 2, context: 64)
    let cost = InferenceCost(dense)
    // n = 12·L·D², and 256·D of the logits.
    let (n, logits) = (12.0 * 2 * 64 * 64, 256.0 * 64)
    #expect(cost.flops(prompt: 16) == 2 * n * 16 + 2.0 * 2 * 64 * 16 * 16 + 2 * logits)
    #expect(cost.flops(at: 20) == 2 * (n + logits) + 4.0 * 2 * 64 * 21)
    // No more is looked back to than the context.
    #expect(cost.flops(at: 500) == cost.flops(at: 63))
    #expect(cost.cacheBytes(positions: 500) == 8 * 2 * 64 * 64)
    var shared = dense
    shared.setArchitecture(.llama)
    shared.keyValueHeads = 1
    #expect(InferenceCost(shared).cacheBytes(positions: 500) == 8 * 2 * 32 * 64)
    var mixture = dense
    mixture.experts = ExpertConfiguration(count: 8, width: 128, active: 2)
    // Two experts of 2·D·128, attention's 4·D².
    #expect(
      InferenceCost(mixture).flops(at: 0)
        == 2 * (2.0 * (4 * 64 * 64 + 2 * 2 * 64 * 128) + logits) + 4.0 * 2 * 64)
  }

  @Test(arguments: [1, 2])
  func `an estimate grows with the prompt, the bytes and the place`(workers: Int) {
    var model = ModelConfiguration(width: 32, layers: 1, heads: 2, context: 64)
    model.experts = ExpertConfiguration(count: 4, width: 16, active: 2)
    let engine = model.randomInferenceEngine(workers: workers)
    let estimate = InferenceEstimate(engine, texts: 4)
    #expect(estimate.texts == 4 / workers)
    #expect(estimate.secondsOfPass(at: 0) > 0)
    #expect(estimate.secondsOfPass(at: 60) >= estimate.secondsOfPass(at: 1))
    #expect(estimate.seconds(prompt: 8, tokens: 2) < estimate.seconds(prompt: 8, tokens: 40))
    #expect(estimate.measured(prompt: 8, tokens: 3, tries: 1) > 0)
  }

  private static let learned: ModelConfiguration = {
    var model = ModelConfiguration(width: 16, layers: 1, heads: 2, context: 8)
    model.setArchitecture(.gpt2)
    return model
  }()

  @Test func `where positions are learned a full text's later half is read again`() {
    func passes(_ model: ModelConfiguration) -> (read: [Int], places: [Int], written: Int) {
      var (read, places, written): ([Int], [Int], Int) = ([], [], 0)
      model.forEachPass(prompt: 6, tokens: 9) { index, place, writes in
        read.append(index)
        places.append(place)
        written += writes ? 1 : 0
      }
      return (read, places, written)
    }
    let learned = passes(Self.learned)
    #expect(learned.read == [6, 7, 4, 5, 6, 7, 8, 9, 10, 11, 8, 9, 10, 11, 12, 13])
    #expect(learned.places == [6, 7, 0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3, 4, 5])
    #expect(learned.written == 8)
    var turned = Self.learned
    turned.setArchitecture(.persimmon)
    #expect(passes(turned).read == Array(6..<14) && passes(turned).written == 8)
  }

  @Test func `what is read again is in the estimate, in seconds and in operations`() {
    let model = Self.learned
    let estimate = InferenceEstimate(model.randomInferenceEngine(workers: 1), texts: 2)
    let cost = InferenceCost(model)
    // Positions 6 and 7, then 0 to 3 again, 4 and 5.
    let seconds =
      [6, 7, 4, 5].map { estimate.secondsOfPass(at: $0) }.reduce(0, +)
      + (0..<4).map { estimate.secondsOfPass(at: $0, writes: false) }.reduce(0, +)
    #expect(abs(estimate.secondsOfWriting(prompt: 6, tokens: 5) / seconds - 1) < 1e-9)
    #expect(estimate.seconds(prompt: 6, tokens: 5) > seconds)
    #expect(estimate.secondsOfPass(at: 3, writes: false) < estimate.secondsOfPass(at: 3))
    let flops = [6, 7, 0, 1, 2, 3, 4, 5].reduce(0.0) { $0 + cost.flops(at: $1) }
    #expect(cost.flops(prompt: 6, tokens: 5) == cost.flops(prompt: 6) + flops)
    // No more of a prompt is read than the context.
    #expect(cost.flops(prompt: 30) == cost.flops(prompt: 8))
  }

  private func landscape(_ rates: [[Double]]) -> SamplingLandscape {
    SamplingLandscape(
      points: rates.enumerated().flatMap { workers, row in
        row.enumerated().map { place, rate in
          SamplingLandscape.Point(batch: 1 << place, workers: workers + 1, bytesPerSecond: rate)
        }
      })
  }

  @Test func `an even landscape has one peak and no step back`() {
    let even = landscape([[1, 2, 3], [2, 4, 6]])
    #expect(even.best == .init(batch: 4, workers: 2, bytesPerSecond: 6))
    #expect(even.irregularity == .init(steps: 7, backward: 0, worst: 0, peaks: 1))
  }

  @Test func `an uneven one has its steps back counted, and its peaks`() {
    let uneven = landscape([[1, 8, 4], [2, 4, 6]])
    // 8 → 4 to more texts, and 8 → 4 to more cores; 8 and 6 are peaks.
    #expect(uneven.irregularity == .init(steps: 7, backward: 2, worst: 0.5, peaks: 2))
  }

  @Test func `settings are measured once each`() {
    let model = ModelConfiguration(width: 16, layers: 1, heads: 1, context: 20)
    let measured = SamplingLandscape(model, batches: [1, 3], workers: [1, 2])
    #expect(measured.points.map(\.batch) == [1, 3, 1, 3])
    #expect(measured.points.map(\.workers) == [1, 1, 2, 2])
    #expect(measured.points.allSatisfy { $0.bytesPerSecond > 0 })
  }
}
