import Foundation
import Synchronization
import Telemetry
import Testing

@testable import Training

/// Runs that diverge while somebody is there to take them back.
@Suite(.timeLimit(.minutes(15))) struct DivergenceTests {
  /// A run that stands still until its rate is set to one that blows it up at step 12, and what
  /// somebody does about it.
  private final class Attended: Sendable {
    private let trainer = Mutex<Trainer?>(nil)
    private let records = Mutex<[RunRecord]>([])
    private let answers = Mutex<[CommandAnswer]>([])
    private let isBlownUp = Mutex(false)
    private let blowsUp: Bool
    private let onDivergence: @Sendable (Attended) -> Void

    init(blowsUp: Bool = true, onDivergence: @escaping @Sendable (Attended) -> Void = { _ in }) {
      self.blowsUp = blowsUp
      self.onDivergence = onDivergence
    }

    func train(isAttended: Bool = true) async throws -> TrainingOutcome {
      let folder = try ScratchFolder()
      var configuration = TrainingConfiguration.small(.tiny)
      configuration.steps = 40
      configuration.learningRate = 1e12
      configuration.gradClip = 0
      configuration.checkpointEvery = 10
      configuration.evalEvery = 0
      let script = [
        ScriptedCommand(step: 0, command: .set(name: "lr.multiplier", value: .number(0)))
      ]
      let run = try TrainingRun(
        configuration: configuration, corpus: Corpus.synthetic(seed: 1, bytes: 20_000),
        script: script, checkpointFolder: folder.url)
      let trainer = Trainer(run) { [self] in take($0) }
      self.trainer.withLock { $0 = trainer }
      if isAttended { trainer.attend() }
      return await withCheckedContinuation { continuation in
        trainer.start { continuation.resume(returning: $0.outcome) }
      }
    }

    func post(_ command: Command) {
      trainer.withLock { $0 }?.post(command, by: "you") { [self] answer in
        answers.withLock { $0.append(answer) }
      }
    }

    func leave() { trainer.withLock { $0 }?.endAttendance() }

    private func take(_ record: RunRecord) {
      records.withLock { $0.append(record) }
      if case .samples(let samples) = record, samples.step == 11, blowsUp {
        let isFirst = isBlownUp.withLock { isBlownUp in
          defer { isBlownUp = true }
          return !isBlownUp
        }
        if isFirst { post(.set(name: "lr.multiplier", value: .number(1))) }
      }
      if case .state(.diverged) = record { onDivergence(self) }
    }

    var told: [CommandAnswer] { answers.withLock { $0 } }
    var all: [RunRecord] { records.withLock { $0 } }

    var states: [RunState] {
      all.compactMap { if case .state(let state) = $0 { state } else { nil } }
    }

    /// All that no clock says, bit by bit, of the newest sample of each step.
    var numbersByStep: [Int: [UInt64]] {
      let samples = all.compactMap { if case .samples(let samples) = $0 { samples } else { nil } }
      return Dictionary(samples.map { ($0.step, $0.unclocked) }) { $1 }
    }
  }

  @Test func `a run that diverged goes back and on, as one that never did, bit for bit`()
    async throws
  {
    let straight = Attended(blowsUp: false)
    #expect(try await straight.train() == .finished)
    let back = Attended { run in
      run.post(.checkpoint)
      run.post(.rewind(checkpoint: "10", skip: 0))
    }
    #expect(try await back.train() == .finished)
    #expect(back.states == [.running, .diverged, .running, .finished])
    #expect(back.numbersByStep == straight.numbersByStep)
    let generations = back.all.compactMap {
      if case .generation(let step) = $0 { step } else { nil }
    }
    #expect(generations == [10])
    #expect(back.told.map(\.isApplied) == [true, false, true])
    #expect(back.told[1].text.hasPrefix("the run has diverged: rewind goes back"))
  }

  @Test func `one that has no such checkpoint waits on, and is left as it is`() async throws {
    let run = Attended { run in
      run.post(.rewind(checkpoint: "7", skip: 0))
      run.post(.stop)
    }
    #expect(try await run.train() == .diverged)
    #expect(run.states == [.running, .diverged])
    #expect(run.told.map(\.isApplied) == [true, false, true])
  }

  @Test func `it ends where nobody is there, or they leave`() async throws {
    let alone = Attended()
    #expect(try await alone.train(isAttended: false) == .diverged)
    let left = Attended { $0.leave() }
    #expect(try await left.train() == .diverged)
    #expect(left.states == alone.states)
  }
}
