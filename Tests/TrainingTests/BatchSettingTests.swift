import Foundation
import Models
import Telemetry
import Testing

@testable import Training

@Suite(.timeLimit(.minutes(15)))
struct BatchSettingTests {
  @Test func `a batch that changes goes on with the window after the last one seen`() {
    var batch = BatchSize(8)
    #expect((0...3).map(batch.firstWindow) == [0, 8, 16, 24])
    batch.set(12, at: 3)
    #expect((3...5).map(batch.firstWindow) == [24, 36, 48])
    batch.set(8, at: 5)
    #expect((5...7).map(batch.firstWindow) == [48, 56, 64])
    #expect(batch.first == 8)
  }

  @Test func `batches that were left out are counted in the size they had`() {
    var batch = BatchSize(8)
    batch.leaveOut(batches: 5)
    #expect(batch.firstWindow(of: 12) == 17 * 8)
    batch.set(4, at: 12)
    #expect((12...13).map(batch.firstWindow) == [136, 140])
    batch.set(16, at: 13)
    batch.leaveOut(batches: 2)
    #expect((13...14).map(batch.firstWindow) == [172, 188])
  }

  @Test(arguments: [#""value":0"#, #""value":6"#, #""value":8000000"#])
  func `a stored batch that no run can have had is refused`(value: String) throws {
    let stored = String(decoding: try JSONEncoder().encode(BatchSize(8)), as: UTF8.self)
    #expect(try JSONDecoder().decode(BatchSize.self, from: Data(stored.utf8)) == BatchSize(8))
    let damaged = stored.replacing(#""value":8"#, with: value)
    #expect(damaged != stored)
    #expect(throws: DecodingError.self) {
      try JSONDecoder().decode(BatchSize.self, from: Data(damaged.utf8))
    }
  }

  @Test(arguments: [Preset.tiny, .moeTiny], [2, 3])
  func `workers change no bit of a run whose batch changes`(
    preset: Preset, workers: Int
  ) async throws {
    let script = [(4, "set batch 20"), (9, "undo"), (12, "set batch 4")]
    let configure: (Int) -> (inout TrainingConfiguration) -> Void = { workers in
      { configuration in
        configuration.steps = 16
        configuration.workers = workers
      }
    }
    let one = try await TrainedRun(preset, script: script, configure(1))
    let more = try await TrainedRun(preset, script: script, configure(workers))
    #expect(one.numbers == more.numbers)
    #expect(
      one.events.filter { $0.kind == .set }.map(\.text) == [
        "set batch 8 → 20", "set batch 20 → 8", "set batch 8 → 4",
      ])
  }

  @Test func `a larger batch steadies the gradient as much as the noise says`() async throws {
    let run = try await TrainedRun(script: [(40, "set batch 128")]) {
      $0.steps = 80
      $0.batch = 4
      $0.learningRate = 0
      $0.minimumLearningRate = 0
    }
    // The weights stay as they are, so that losses differ by their batches alone.
    let spread = { (losses: ArraySlice<Double>) -> Double in
      let mean = losses.reduce(0, +) / Double(losses.count)
      let squares = losses.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
      return (squares / Double(losses.count)).squareRoot()
    }
    let losses = run.values(MetricCatalog.loss)
    let ratio = spread(losses[..<40]) / spread(losses[40...])
    #expect(ratio > 3 && ratio < 10, "\(ratio), expected about the root of 32")
  }

  @Test func `a batch that the slices do not divide or the memory does not hold is refused`()
    throws
  {
    var machine = TrainerStateMachine(
      settings: LiveSettings(TrainingConfiguration(preset: .tiny)),
      conditions: SettingConditions(), largestBatch: 1000)
    let refusals = try ["6", "2000"].map {
      machine.apply(try Command(words: "set batch \($0)"), by: "you", at: 1, wallTime: 0)
        .events.map(\.text)
    }
    #expect(
      refusals == [
        ["set batch 6 refused: a step's windows are cut in 4 equal slices: give a multiple of 4"],
        [
          "set batch 2000 refused: more than 1000 windows do not fit this machine's memory:"
            + " give fewer"
        ],
      ])
    #expect(machine.settings.batch == BatchSize(16))
    let error = #expect(throws: CommandError.self) { try Command(words: "set batch 2.5") }
    #expect(
      error?.description == "'2.5' is no value for batch: give a whole number from 1 to 4096")
  }
}
