import Foundation
import Telemetry
import Kernels
import Testing

@testable import Training

/// Noise in the training windows: what it does to bytes, and to a run.
@Suite(.timeLimit(.minutes(15)))
struct CorruptionTests {
  private static let corpus = Corpus(
    bytes: [UInt8](repeating: 65, count: 20_000), name: "A", description: "A")

  private func rows(_ corruption: Corruption?, from first: Int, count: Int) throws -> [[Token]] {
    let source = try WindowSource(
      corpus: Self.corpus, context: 99, order: .shuffled, seed: 1, corruption: corruption)
    var bytes = [Token](repeating: 0, count: count * 100)
    try bytes.withUnsafeMutableBufferPointer { try source.windows(from: first, into: $0) }
    return (0..<count).map { Array(bytes[$0 * 100..<($0 + 1) * 100]) }
  }

  @Test func `so many windows are clean, and so many bytes of the others redrawn evenly`() throws {
    let corruption = Corruption(share: 0.3, cleanShare: 0.1, seed: 4)
    let windows = try rows(corruption, from: 0, count: 4000)
    let noisy = windows.indices.filter { corruption.isNoisy(window: $0) }
    // Ten standard deviations of a binomial with 4,000 draws are 190.
    #expect(abs(noisy.count - 3600) < 190)
    for index in windows.indices where !noisy.contains(index) {
      #expect(windows[index].allSatisfy { $0 == 65 })
    }
    var counts = [Int](repeating: 0, count: 256)
    for byte in noisy.flatMap({ windows[$0] }) { counts[Int(byte)] += 1 }
    let each = Double(noisy.count * 100) * 0.3 / 256
    counts[65] -= noisy.count * 100 - Int((Double(noisy.count * 100) * 0.3).rounded())
    // Chi-square with 255 degrees of freedom has 0.999 of itself below 330; the byte that stays
    // also has the spread of how many are redrawn.
    let others = counts.indices.filter { $0 != 65 }
    let square = others.reduce(0.0) { $0 + pow(Double(counts[$1]) - each, 2) / each }
    #expect(square < 330)
    #expect(abs(Double(counts[65]) - each) < 10 * (Double(noisy.count * 100) * 0.21).squareRoot())
  }

  @Test func `a window has the same noise in any batch, and another one for another seed`() throws {
    let corruption = Corruption(share: 0.5, cleanShare: 0, seed: 4)
    let all = try rows(corruption, from: 0, count: 12)
    #expect(try rows(corruption, from: 5, count: 3) == Array(all[5..<8]))
    #expect(Set(all).count == 12)
    let other = Corruption(share: 0.5, cleanShare: 0, seed: 5)
    #expect(try rows(other, from: 0, count: 12) != all)
    #expect(try rows(nil, from: 0, count: 12).joined().allSatisfy { $0 == 65 })
  }

  @Test func `what is held out and what is probed has no noise`() throws {
    let source = try WindowSource(
      corpus: Self.corpus, context: 99, order: .file, seed: 1,
      corruption: Corruption(share: 1, cleanShare: 0, seed: 1))
    #expect(try source.heldOut().allSatisfy { $0 == 65 })
    #expect(try source.probe(rows: 4).allSatisfy { $0 == 65 })
  }

  @Test func `the loss is told of each window's noise, or of none`() {
    var noise: [Float] = [9]
    let corrected = Corruption(share: 0.25, cleanShare: 0.5, seed: 2)
    corrected.tell(&noise, from: 7, count: 40)
    #expect(noise == (7..<47).map { corrected.isNoisy(window: $0) ? 0.25 : 0 })
    #expect(Set(noise) == [0, 0.25])
    Corruption(share: 0.25, cleanShare: 0.5, loss: .plain, seed: 2).tell(&noise, from: 7, count: 40)
    #expect(noise.isEmpty)
  }

  private static func noisy(
    _ configuration: inout TrainingConfiguration, loss: NoiseLoss = .corrected, workers: Int = 1
  ) {
    configuration.steps = 40
    configuration.evalEvery = 20
    configuration.corrupt = 0.5
    configuration.clean = 0.25
    configuration.noiseLoss = loss
    configuration.workers = workers
  }

  @Test(arguments: NoiseLoss.allCases)
  func `any number of workers gives the bits of one`(loss: NoiseLoss) async throws {
    let one = try await TrainedRun { Self.noisy(&$0, loss: loss) }
    let three = try await TrainedRun { Self.noisy(&$0, loss: loss, workers: 3) }
    #expect(one.numbers == three.numbers && one.numbers.count >= 40)
  }

  @Test func `a run goes on from its checkpoint bit for bit`() async throws {
    let folder = try ScratchFolder()
    let whole = try await TrainedRun(script: [(20, "checkpoint")], checkpointFolder: folder.url) {
      Self.noisy(&$0)
    }
    let path = "\(folder.path)/\(CheckpointFolder.folderName(step: 20))"
    let rest = try await TrainedRun(resuming: CheckpointFolder.read(path))
    for (step, numbers) in rest.numbersByStep {
      #expect(numbers == whole.numbersByStep[step], "step \(step)")
    }
    #expect(rest.numbersByStep.count >= 20)
  }

  @Test func `noise is in the training loss, and only there`() async throws {
    let clean = try await TrainedRun {
      Self.noisy(&$0); $0.corrupt = 0
    }
    let noisy = try await TrainedRun { Self.noisy(&$0) }
    let plain = try await TrainedRun { Self.noisy(&$0, loss: .plain) }
    // Before the first update the held-out loss is that of the same weights on the same text.
    #expect(noisy.values(MetricCatalog.evalLoss)[0] == clean.values(MetricCatalog.evalLoss)[0])
    #expect(plain.values(MetricCatalog.evalLoss)[0] == clean.values(MetricCatalog.evalLoss)[0])
    let losses = [clean, noisy, plain].map { $0.values(MetricCatalog.loss) }
    #expect(Set(losses.map { $0[0] }).count == 3)
    #expect(losses[0][39] < losses[1][39])
  }
}
