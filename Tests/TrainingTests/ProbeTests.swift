import Foundation
import Kernels
import Models
import Sessions
import Signals
import Telemetry
import Testing

@testable import Training

/// How far the weights have come in the steps that it looks at: a probe that no catalog knows, with
/// a state and a tensor of its own.
private struct Drift: Probe {
  struct State: Codable, Sendable {
    var path: Double
    var steps: Int
  }

  static let length: MetricName = "drift/path"
  static let turn: MetricName = "drift/turn"

  let key = "drift"
  private let before: FloatBuffer
  /// The update that it looked at last.
  private let last: FloatBuffer
  private var state = State(path: 0, steps: 0)

  init(_ run: ProbedRun) {
    before = FloatBuffer(count: run.layout.count)
    last = FloatBuffer(count: run.layout.count)
  }

  func isDue(in step: ProbedStep) -> Bool { step.number % 3 != 1 }

  func beforeUpdate(of step: ProbedStep) { before.copy(from: step.weights) }

  mutating func afterUpdate(
    of step: ProbedStep, _ outcome: StepOutcome, into samples: inout StepSamples
  ) {
    var (square, product) = (0.0, 0.0)
    for index in 0..<before.count {
      let change = step.weights[index] - before[index]
      square += Double(change * change)
      product += Double(change * last[index])
      last[index] = change
    }
    state.path += square.squareRoot()
    state.steps += 1
    samples.add(Self.length, state.path)
    if state.steps > 1 { samples.add(Self.turn, product) }
  }

  func state(at step: Int) -> State? { state }

  func tensors(at step: Int) -> [StoredTensor] {
    [StoredTensor(name: "drift_last", shape: [last.count], buffer: last)]
  }

  mutating func resume(
    _ state: State?, from checkpoint: Checkpoint
  ) throws(CheckpointError) {
    self.state = state ?? State(path: 0, steps: 0)
    for index in 0..<last.count { last[index] = 0 }
    for tensor in tensors(at: checkpoint.step) where checkpoint.holds(tensor) {
      try checkpoint.load(tensor)
    }
  }
}

/// A probe is a file and a line in a list, wherever that list is.
@Suite(.timeLimit(.minutes(15)))
struct ProbeTests {
  private static let makers = ProbeCatalog.makers + [{ Drift($0) }]

  private func configure(_ configuration: inout TrainingConfiguration) {
    configuration.steps = 24
    configuration.checkpointEvery = 5
  }

  /// The bits of what the test's own probe told, by step.
  private func told(_ run: TrainedRun) -> [Int: [UInt64]] {
    let named = run.samples.map { samples in
      let values = [samples[Drift.length], samples[Drift.turn]]
      return (samples.step, values.compactMap { $0?.bitPattern })
    }
    return Dictionary(named) { $1 }.filter { !$0.value.isEmpty }
  }

  @Test func `one that is written here is run and changes nothing`() async throws {
    let run = try await TrainedRun(probes: Self.makers, configure)
    let without = try await TrainedRun(.tiny, configure)
    #expect(told(run).keys.sorted() == (0..<24).filter { $0 % 3 != 1 })
    #expect(told(run)[0]?.count == 1 && told(run)[2]?.count == 2)
    #expect(run.numbers == without.numbers)
    for samples in run.samples where samples[Drift.length] != nil {
      let phases = StepPhases.names.count
      let own = samples.names.dropLast(phases).filter { $0.path.hasPrefix("drift") }
      #expect(Array(samples.names.dropLast(phases).suffix(own.count)) == own)
    }
  }

  @Test func `it is recorded, and read again to the last bit`() async throws {
    let folder = try ScratchFolder()
    let path = folder.path + "/run.seismo"
    let run = try await TrainedRun(probes: Self.makers, configure)
    let recorder = Recorder(store: try SessionStore(creating: path))
    for record in run.records { recorder.record(record) }
    try recorder.close()
    let records = try SessionReader(path: path).records()
    let history = RunHistory(records)
    let read = try #require(history[Drift.length])
    let expected = told(run)
    #expect(read.steps == expected.keys.sorted() && read.count == 16)
    #expect(read.values.map(\.bitPattern) == read.steps.compactMap { expected[$0]?[0] })
    #expect(history[Drift.turn]?.count == 15)
  }

  @Test func `it goes on from any checkpoint as if the run had never stopped`() async throws {
    let folder = try ScratchFolder()
    let whole = try await TrainedRun(
      probes: Self.makers, checkpointFolder: folder.url, configure)
    let entries = try CheckpointFolder.list(in: folder.path)
    #expect(entries.map(\.step) == [0, 5, 10, 15, 20, 24])
    for entry in entries.dropLast() {
      let rest = try await TrainedRun(
        resuming: CheckpointFolder.read(entry.path), probes: Self.makers)
      #expect(told(rest) == told(whole).filter { $0.key >= entry.step }, "from \(entry.step)")
      #expect(rest.numbers == Array(whole.numbers.dropFirst(entry.step)))
    }
  }

  @Test func `it goes back with its run`() async throws {
    let folder = try ScratchFolder()
    let straight = try await TrainedRun(probes: Self.makers, configure)
    let back = try await TrainedRun(
      script: [(17, "rewind 10")], probes: Self.makers, checkpointFolder: folder.url, configure)
    #expect(back.generations == [10])
    #expect(told(back) == told(straight))
  }

  @Test func `a run goes on without it, and it begins in a run that was without`() async throws {
    let folder = try ScratchFolder()
    let with = try ScratchFolder()
    let plain = try await TrainedRun(.tiny, checkpointFolder: folder.url, configure)
    let whole = try await TrainedRun(
      probes: Self.makers, checkpointFolder: with.url, configure)
    let without = try await TrainedRun(
      resuming: CheckpointFolder.read(with.path + "/step-000000010"))
    #expect(without.numbers == Array(plain.numbers.dropFirst(10)))
    #expect(told(without).isEmpty)
    let begun = try await TrainedRun(
      resuming: CheckpointFolder.read(folder.path + "/step-000000010"), probes: Self.makers)
    let paths = { (run: TrainedRun) in
      run.values(Drift.length).map { $0 - (run.values(Drift.length).first ?? 0) }
    }
    let later = whole.samples.filter { $0.step >= 10 }.compactMap { $0[Drift.length] }
    #expect(paths(begun).count == later.count && paths(begun).count == 9)
    for (one, other) in zip(paths(begun), later.map { $0 - later[0] }) {
      #expect(abs(one - other) < 1e-9)
    }
  }

  @Test func `a state that cannot be one is damage, before anything is taken over`() async throws {
    let folder = try ScratchFolder()
    let whole = try await TrainedRun(
      probes: Self.makers, checkpointFolder: folder.url, configure)
    let path = folder.path + "/step-000000010"
    let file = URL(fileURLWithPath: path + "/run.json")
    let text = try String(contentsOf: file, encoding: .utf8)
    let damaged = text.replacing("\"steps\" : 7", with: "\"steps\" : \"seven\"")
    #expect(damaged != text)
    try Data(damaged.utf8).write(to: file)
    let error = await #expect(throws: CheckpointError.self) {
      _ = try await TrainedRun(resuming: CheckpointFolder.read(path), probes: Self.makers)
    }
    #expect(error?.description.contains("run.drift.steps") == true, "\(String(describing: error))")
    // A run that is to go back there refuses to, and goes on as it was.
    let later = try CheckpointFolder.read(folder.path + "/step-000000015")
    let rest = try await TrainedRun(
      TrainingRun(
        resuming: later,
        configuration: TrainingConfiguration(options: later.continuation().options),
        corpus: Corpus.synthetic(seed: 1, bytes: 20_000),
        script: [ScriptedCommand(step: 17, command: Command(words: "rewind 10"))],
        probes: Self.makers, checkpointFolder: folder.url))
    #expect(rest.generations.isEmpty)
    #expect(rest.events.contains { $0.kind == .refused && $0.text.contains("run.drift.steps") })
    #expect(rest.numbers == Array(whole.numbers.dropFirst(15)))
  }
}
