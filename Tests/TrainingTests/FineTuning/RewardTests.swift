import Foundation
import Kernels
import Models
import Signals
import Synchronization
import Telemetry
import Testing

@testable import Training

/// Runs that are trained for texts that are judged well.
@Suite(.timeLimit(.minutes(15)))
struct RewardTests {
  private static let letter = UInt8(ascii: "e")

  /// The share of a letter, times `scale`.
  private static func share(times scale: Double) -> TextReward {
    { _, text, _ in scale * Double(text.count { $0 == letter }) / Double(text.count) }
  }

  private static func options(_ others: [String: String] = [:]) -> [String: String] {
    let usual = [
      "method": "lora", "reward": "regex:e", "lr": "2e-2", "steps": "8", "eval-every": "0",
    ]
    return usual.merging(others) { $1 }
  }

  private static func run(
    _ others: [String: String] = [:], script: [ScriptedCommand] = [], checkpointFolder: URL? = nil,
    reward: @escaping TextReward
  ) throws -> TrainedRun {
    TrainedRun(
      records: TrainedRun.trainHere(
        try TrainingRun(
          configuration: FineTuningTests.configuration(options(others)),
          corpus: FineTuningTests.corpus, script: script, checkpointFolder: checkpointFolder,
          reward: reward)))
  }

  @Test func `what is rewarded becomes likelier, and the divergence holds it back`() throws {
    let count: TextReward = { _, text, _ in
      Double(text.count { $0 == UInt8(ascii: "e") }) / Double(text.count)
    }
    var rises: [Double] = []
    for divergence in ["0", "5"] {
      let configuration = try FineTuningTests.configuration([
        "method": "lora", "reward": "regex:e", "reward-divergence": divergence, "lr": "2e-2",
        "steps": "30", "eval-every": "0",
      ])
      func run(_ workers: Int) throws -> TrainedRun {
        var configuration = configuration
        configuration.workers = workers
        return TrainedRun(
          records: TrainedRun.trainHere(
            try TrainingRun(
              configuration: configuration, corpus: FineTuningTests.corpus, checkpointFolder: nil,
              reward: count)))
      }
      let one = try run(1)
      #expect(one.numbers == (try run(2)).numbers)
      // Without a pull nothing measures it.
      #expect(
        one.values(MetricCatalog.rewardDivergence).isEmpty == (divergence == "0"))
      let rewards = one.values(MetricCatalog.reward)
      #expect(rewards.count == 30)
      rises.append(rewards.suffix(8).reduce(0, +) / 8 - rewards.prefix(8).reduce(0, +) / 8)
    }
    #expect(rises[0] > 0.02 && rises[1] < rises[0], "\(rises)")
  }

  @Test func `the loss that is told is that of the answers, and no alarm is raised of it`() throws {
    let run = try Self.run(["steps": "80", "reward-divergence": "0", "reward-clip": "0"]) {
      // What it is worth turns over, so that what is minimised goes far to either side.
      _, text, _ in
      (text.count.isMultiple(of: 2) ? 1 : -1) * 200 * Double(text[0]) / 255
    }
    let losses = run.values(MetricCatalog.loss)
    #expect(losses.count == 80 && losses.allSatisfy { $0 > 0 })
    #expect(run.values(MetricCatalog.excessLoss).isEmpty)
    let objectives = run.values(MetricCatalog.rewardObjective)
    #expect(objectives.count == 80)
    #expect(objectives.max() ?? 0 > 10 && objectives.min() ?? 0 < -10, "\(objectives)")
    let alarms = run.events.filter { $0.kind == .alarm }.compactMap(\.alarmRule)
    #expect(!alarms.contains { "\($0.name)".hasPrefix("loss") || $0 == .noProgress }, "\(alarms)")
  }

  @Test func `an answer ends with what ends it`() throws {
    let texts = Texts()
    let run = try Self.run(["reward-end": "e", "steps": "4"]) { _, text, _ in
      texts.add(text)
      return Double(text.count)
    }
    // 16 bytes, of which 4 are the prompt, and the byte after them.
    #expect(texts.all.contains { $0.count < 13 } && texts.all.contains { $0.count == 13 })
    for text in texts.all {
      let end = text.firstIndex(of: Self.letter)
      #expect(end == nil ? text.count == 13 : end == text.count - 1, "\(text)")
    }
    // A greedy text and four others, eight windows a step.
    let drawn = texts.all.enumerated().filter { $0.offset % 5 != 0 }.map {
      Double($0.element.count)
    }
    let first = drawn.prefix(8).reduce(0, +) / 8
    #expect(abs(run.values(MetricCatalog.rewardLength)[0] - first) < 1e-9)
    #expect(run.values(MetricCatalog.reward)[0] == run.values(MetricCatalog.rewardLength)[0])
  }

  /// The bytes behind an answer's end are drawn too, and must move no weight: with the other ones that
  /// another seed of the sampler would give there, the run is the same.
  @Test func `what follows an answer's end counts nothing`() throws {
    let configuration = try FineTuningTests.configuration(Self.options(["reward-end": "e"]))
    let end = Self.letter
    let run = try TrainingRun(
      configuration: configuration, corpus: FineTuningTests.corpus, checkpointFolder: nil,
      reward: { _, text, _ in text.last == end ? 1 : 0.25 })
    var tokens = [Token](repeating: 0, count: run.tokens.count)
    try tokens.withUnsafeMutableBufferPointer { try run.windows.windows(from: 0, into: $0) }
    let step = ObjectiveStep(
      number: 0, firstWindow: 0, engine: run.engine, parameters: run.parameters,
      reference: run.reference, settings: run.lossSettings(at: 0), isWanted: { true })
    let loss = try #require(try run.objective?.prepare(step, &tokens))
    func gradient(_ tokens: [Token]) -> (StepStatistics, [[Float]]) {
      let statistics = tokens.withUnsafeBufferPointer {
        run.engine.lossAndGradients(
          parameters: run.parameters, tokens: $0, settings: step.settings, tokenLoss: loss)
      }
      let slices = run.engine.sliceGradients.map { slice in (0..<slice.count).map { slice[$0] } }
      return (statistics, slices)
    }
    let (statistics, plain) = gradient(tokens)
    var others = tokens
    var changed = 0
    for row in 0..<run.engine.batch {
      let window = row * 17..<(row + 1) * 17
      guard let place = tokens[window].dropFirst(4).firstIndex(of: Token(end)) else { continue }
      for index in place + 1..<window.upperBound {
        others[index] = 255 - others[index]
        changed += 1
      }
    }
    #expect(changed > 0)
    let (same, gradients) = gradient(others)
    #expect(gradients == plain)
    #expect(same.loss == statistics.loss && same.objective == statistics.objective)
    #expect(same.divergence == statistics.divergence)
  }

  @Test func `a reward far from its baseline counts no more than the bound`() throws {
    let has: @Sendable ([UInt8]) -> Bool = { $0.contains(Self.letter) }
    let bounded = try Self.run(["reward-clip": "1"]) { _, text, _ in has(text) ? 100 : 0 }
    let small = try Self.run(["reward-clip": "0"]) { _, text, _ in has(text) ? 1 : 0 }
    let free = try Self.run(["reward-clip": "0"]) { _, text, _ in has(text) ? 100 : 0 }
    #expect(bounded.values(MetricCatalog.loss) == small.values(MetricCatalog.loss))
    #expect(
      bounded.values(MetricCatalog.rewardObjective) == small.values(MetricCatalog.rewardObjective))
    #expect(bounded.values(MetricCatalog.loss) != free.values(MetricCatalog.loss))
  }

  @Test func `it goes on where the batch changes`() throws {
    let script = [(3, 16.0), (6, 4)].map {
      ScriptedCommand(step: $0, command: .set(name: "batch", value: .number($1)))
    }
    let run = try Self.run(script: script, reward: Self.share(times: 1))
    #expect(run.values(MetricCatalog.reward).count == 8)
    #expect(run.values(MetricCatalog.loss).allSatisfy { $0 > 0 && $0 < 6 })
  }

  @Test func `what judges may fail: a checkpoint of the last good weights goes on to the same end`()
    throws
  {
    struct Broken: Error, CustomStringConvertible {
      var description: String { "the judge is gone" }
    }
    let folder = FineTuningTests.folder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let texts = Texts()
    let judge = Self.share(times: 1)
    let broken = try Self.run(checkpointFolder: folder) { prompt, text, isWanted in
      texts.add(text)
      guard texts.all.count <= 35 else { throw Broken() }
      return try judge(prompt, text, isWanted)
    }
    // Ten texts a step.
    #expect(broken.values(MetricCatalog.reward).count == 3)
    let checkpoint = try CheckpointFolder.read(folder.path)
    #expect(checkpoint.step == 3)
    let fault = try #require(broken.events.last { $0.kind == .fault })
    #expect(
      fault.text.contains("the judge is gone; go on from \(checkpoint.path)"), "\(fault.text)")
    let whole = try Self.run(reward: judge)
    let rest = TrainedRun(
      records: TrainedRun.trainHere(
        try TrainingRun(
          resuming: checkpoint, configuration: FineTuningTests.configuration(Self.options()),
          corpus: FineTuningTests.corpus, script: [], checkpointFolder: nil, reward: judge)))
    for name in [MetricCatalog.loss, MetricCatalog.reward, MetricCatalog.rewardDivergence] {
      #expect(broken.values(name) + rest.values(name) == whole.values(name))
    }
  }

  @Test func `who asks for the end waits for no judge`() throws {
    let folder = FineTuningTests.folder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let (asked, isOver) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
    let end = Mutex<TrainingEnd?>(nil)
    let hung: TextReward = { _, _, isWanted in
      asked.signal()
      while isWanted() { usleep(1000) }
      struct Unwanted: Error {}
      throw Unwanted()
    }
    let run = try TrainingRun(
      configuration: FineTuningTests.configuration(Self.options()),
      corpus: FineTuningTests.corpus, checkpointFolder: folder, reward: hung)
    let trainer = Trainer(run) { _ in }
    trainer.start { found in
      end.withLock { $0 = found }
      isOver.signal()
    }
    asked.wait()
    trainer.post(.stop, by: "keys")
    isOver.wait()
    #expect(end.withLock { $0 }?.outcome == .stopped)
    #expect(try CheckpointFolder.read(folder.path).step == 0)
  }
}

/// What was judged, in its order.
private final class Texts: Sendable {
  private let texts = Mutex<[[UInt8]]>([])

  func add(_ text: [UInt8]) { texts.withLock { $0.append(text) } }

  var all: [[UInt8]] { texts.withLock { $0 } }
}
