import Foundation
import Runs
import Seismo
import Sessions
import Signals
import Synchronization
import Telemetry
import Testing

/// Runs of one process.
@Suite(.timeLimit(.minutes(15)))
struct SideBySideTests {
  let folder: URL

  init() throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "runs-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  /// Steers a run at given steps, from the run's own queue, so that each command has its step.
  private final class Helmsman: Sendable {
    let run = Mutex<Run?>(nil)
    let commands: [Int: Command]

    init(_ commands: [Int: Command]) {
      self.commands = commands
    }

    func take(_ record: RunRecord) {
      switch record {
      case .samples(let samples):
        if let command = commands[samples.step] { post(command) }
      case .state(.paused): post(.resume)
      default: break
      }
    }

    private func post(_ command: Command) {
      run.withLock { $0?.post(command) }
    }
  }

  private func start(
    _ name: String, seed: Int, _ commands: [Int: Command] = [:]
  ) throws -> Run {
    let helmsman = Helmsman(commands)
    let run = try Run(
      options: ["preset": "tiny", "steps": "60", "seed": "\(seed)", "workers": "2"],
      session: folder.appending(path: "\(name).seismo").path
    ) { helmsman.take($0) }
    helmsman.run.withLock { $0 = run }
    run.start()
    return run
  }

  /// Every number that is no clock's, by metric and step.
  private func numbers(_ run: Run) throws -> [MetricName: [UInt64]] {
    let history = try SessionReader(path: run.session).history()
    let names = history.names.filter { MetricCatalog.family(of: $0)?.isMeasuredByClock == false }
    return names.reduce(into: [:]) { numbers, name in
      numbers[name] = (history[name]?.values ?? []).map(\.bitPattern)
    }
  }

  private static let commands: [Int: Command] = [
    10: .set(name: "z_loss", value: .number(1e-4)),
    20: .set(name: "lr.multiplier", value: .number(3)),
    30: .pause, 40: .checkpoint,
  ]

  @Test func `two runs at once, one of them steered, are each as they are alone, bit for bit`()
    async throws
  {
    defer { try? FileManager.default.removeItem(at: folder) }
    let steered = try start("steered", seed: 1, Self.commands)
    let other = try start("other", seed: 2)
    #expect(try await other.end().outcome == .finished)
    #expect(try await steered.end().outcome == .finished)

    let steeredAlone = try start("steered-alone", seed: 1, Self.commands)
    _ = try await steeredAlone.end()
    let otherAlone = try start("other-alone", seed: 2)
    _ = try await otherAlone.end()

    let (one, two) = (try numbers(steered), try numbers(other))
    #expect(one["loss"]?.count == 60 && two["loss"]?.count == 60)
    #expect(try one == numbers(steeredAlone))
    #expect(try two == numbers(otherAlone))
    #expect(one != two)
  }

  @Test func `a run hands out its records and answers commands`() async throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let run = try Run(
      options: ["preset": "tiny", "steps": "40", "workers": "1"],
      session: folder.appending(path: "a.seismo").path)
    let records = run.records()
    run.post(.pause)
    run.start()
    let answer = try await run.send("set z_loss 1e-3")
    #expect(answer.isApplied && answer.step == 0)
    let refused = await run.send(.rewind(checkpoint: "good", skip: 0))
    #expect(!refused.isApplied)
    await #expect(throws: CommandError.self) { try await run.send("sing") }
    run.post(.resume)
    var steps: [Int] = []
    var events: [String] = []
    var names: [String] = []
    for await record in records {
      switch record {
      case .samples(let samples): if samples["loss"] != nil { steps.append(samples.step) }
      case .event(let event): if event.kind == .set { events.append(event.name ?? "") }
      case .description(let description): names.append(description.name)
      default: break
      }
    }
    #expect(steps == Array(0..<40))
    #expect(events == ["z_loss"])
    #expect(names == ["a"])
    #expect(records.omitted == 0)
    let end = try await run.end()
    #expect(end.outcome == .finished && end.checkpointFlaw == nil)
    #expect(await run.send(.pause).text == "the run is over")
  }

  @Test func `a run that is stopped leaves a checkpoint, from which another goes on`() async throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let first = try start("first", seed: 3, [20: .stop])
    let end = try await first.end()
    #expect(end.outcome == .stopped)
    let checkpoint = try #require(end.lastCheckpoint)
    let rest = try Run(
      session: folder.appending(path: "rest.seismo").path, resuming: checkpoint.path)
    rest.start()
    #expect(try await rest.end().outcome == .finished)
    let whole = try start("whole", seed: 3)
    _ = try await whole.end()
    let (tail, all) = (try numbers(rest)["loss"], try numbers(whole)["loss"])
    #expect(tail?.count == 39)
    #expect(tail == all.map { Array($0.suffix(39)) })
  }

  @Test func `what is wrong is told before anything starts, in a line`() {
    #expect(throws: (any Error).self) { try Run(options: ["preset": "nothing"]) }
    let taken = folder.appending(path: "taken.seismo").path
    #expect(FileManager.default.createFile(atPath: taken, contents: nil))
    let error = #expect(throws: RunError.self) { try Run(session: taken) }
    #expect(error?.description.contains("exists: choose another --session") == true)
    try? FileManager.default.removeItem(at: folder)
  }
}
