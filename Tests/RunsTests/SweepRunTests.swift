import Dispatch
import Foundation
import Runs
import Seismo
import Sessions
import Signals
import Sweeps
import Synchronization
import Telemetry
import Testing
import Training

@Suite(.timeLimit(.minutes(15)))
struct SweepRunTests {
  private let sweeps: SweepHarness

  init() throws { sweeps = try SweepHarness() }

  /// Every number that is no clock's, by metric and step.
  private func numbers(_ session: String) throws -> [MetricName: [UInt64]] {
    let history = try SessionReader(path: session).history()
    let names = history.names.filter { MetricCatalog.family(of: $0)?.isMeasuredByClock == false }
    return names.reduce(into: [:]) { numbers, name in
      numbers[name] = (history[name]?.values ?? []).map(\.bitPattern)
    }
  }

  @Test func `a cell has the bits of the same run by itself, and its result is that run's`()
    async throws
  {
    defer { sweeps.remove() }
    let plan = try sweeps.plan(["lr": "1e-3,1e-1", "qk-layernorm": "off,on"])
    let log = sweeps.run(plan)
    #expect(log.own.count == 4)
    for cell in plan.cells {
      let alone = try Run(
        options: cell.options,
        session: sweeps.folder.appending(path: "alone-\(cell.number).seismo").path)
      alone.start()
      #expect(try await alone.end().outcome == .finished)
      #expect(try numbers(plan.folder.session(of: cell)) == numbers(alone.session))
      let history = try SessionReader(path: alone.session).history()
      let result = try #require(plan.folder.result(of: cell))
      #expect(result.state == .finished && result.steps == 30 && result.tokens == 30 * 64)
      #expect(result.finalLoss == history["loss"]?.lastValue)
      #expect(result.evalLoss == history["loss/eval"]?.lastValue)
      #expect(history["loss/eval"]?.lastStep == 30)
      #expect(result.initialLoss == history["loss/eval"]?.value(at: 0))
      #expect(result.attentionLogitMax == history["attention_logit_max"]?.lastValue)
      #expect(result.options == cell.options)
    }
    let again = sweeps.run(plan)
    #expect(again.own.isEmpty)
    #expect(plan.results().groups.count == 2)
  }

  @Test func `a sweep that is ended goes on from its checkpoints, to the same bits`() throws {
    defer { sweeps.remove() }
    let whole = try sweeps.plan(["lr": "1e-3,1e-2", "steps": "60"], in: "whole")
    sweeps.run(whole)
    let broken = try sweeps.plan(["lr": "1e-3,1e-2", "steps": "60"], in: "broken")
    let box = Mutex<SweepRun?>(nil)
    let log = SweepHarness.Log { _, record in
      guard case .samples(let samples) = record, samples.step == 20 else { return }
      box.withLock { $0 }?.stop(by: "test")
    }
    let first = SweepRun(broken) { log.take($0) }
    box.withLock { $0 = first }
    first.run()
    #expect(first.isStopping && log.own.isEmpty)
    #expect(broken.results().ended.isEmpty)
    let rest = sweeps.run(broken)
    #expect(rest.own.map(\.state) == [.finished, .finished])
    for cell in broken.cells {
      #expect(
        try numbers(broken.folder.session(of: cell)) == numbers(whole.folder.session(of: cell)))
      func result(in plan: SweepPlan) throws -> CellResult {
        var result = try #require(plan.folder.result(of: cell))
        (result.seconds, result.session) = (0, "")
        return result
      }
      #expect(try result(in: broken) == result(in: whole))
    }
  }

  @Test
  func `halving ends the worse cells at a ninth and a third, and the best has its usual bits`()
    throws
  {
    defer { sweeps.remove() }
    let given = ["lr": "1e-5,1e-4,1e-3,3e-3,1e-2,2e-2,3e-2,5e-2,1e-1", "steps": "90"]
    let whole = try sweeps.plan(given, in: "whole")
    sweeps.run(whole)
    let halved = try sweeps.plan(given, in: "halved", halving: 3)
    let log = sweeps.run(halved)
    #expect(log.own.count == 9 && log.left.isEmpty)
    let results = halved.results().ended
    #expect(results.map(\.steps).sorted() == [10, 10, 10, 10, 10, 10, 30, 30, 90])
    #expect(results.filter { $0.state == .stopped }.count == 8)
    for result in results where result.state == .stopped {
      let rank = result.steps == 10 ? "of 9 by" : "of 3 by"
      #expect(
        result.reason?.hasPrefix("left out by halving after \(result.steps) steps: rank") == true)
      #expect(result.reason?.contains(rank) == true)
    }
    let last = try #require(halved.cells.first { halved.folder.result(of: $0)?.steps == 90 })
    func numbers(_ plan: SweepPlan) throws -> [UInt64] {
      try SessionReader(path: plan.folder.session(of: last)).history()["loss"]?.values
        .map(\.bitPattern) ?? []
    }
    #expect(try numbers(halved) == numbers(whole) && numbers(whole).count == 90)
    #expect(sweeps.run(halved).own.isEmpty)
  }

  @Test func `what a kill left half done is done again, and what lacks its result alone is not`()
    throws
  {
    defer { sweeps.remove() }
    let plan = try sweeps.plan(["lr": "1e-3,1e-2,1e-1"])
    sweeps.run(plan)
    let before = plan.results().ended
    let places = plan.cells.map { plan.folder.session(of: $0) }
    // The first has its session, the second not even a whole one, the third nothing.
    for cell in plan.cells {
      try FileManager.default.removeItem(atPath: "\(plan.folder.path)/\(cell.name).json")
    }
    try Data().write(to: URL(fileURLWithPath: places[1]))
    try SessionFiles(path: places[2]).remove(withCheckpoints: true)
    let stamp = SessionFiles(path: places[0]).stamp
    #expect(sweeps.run(plan).own.count == 3)
    #expect(SessionFiles(path: places[0]).stamp == stamp)
    for (one, other) in zip(plan.results().ended, before) {
      #expect(one.evalLoss == other.evalLoss && one.gradRMS == other.gradRMS)
    }
  }

  @Test func `processes that share a folder run each cell once`() throws {
    defer { sweeps.remove() }
    let plan = try sweeps.plan(["lr": "1e-3..1e-1*6", "steps": "10"], jobs: 1, stale: 100)
    let logs = [SweepHarness.Log(), SweepHarness.Log(), SweepHarness.Log()]
    DispatchQueue.concurrentPerform(iterations: 3) { index in
      SweepRun(plan) { logs[index].take($0) }.run()
    }
    #expect(logs.map(\.own.count).reduce(0, +) == 6)
    #expect(plan.results().ended.count == 6)
    let names = try FileManager.default.contentsOfDirectory(atPath: plan.folder.path)
    #expect(names.filter { $0.contains("claim") || $0.hasPrefix(".") } == [])
  }

  @Test func `the cell of a claimant that is gone is taken again, that of one that lives is not`()
    throws
  {
    defer { sweeps.remove() }
    let plan = try sweeps.plan(["lr": "1e-3", "steps": "5"], stale: 60)
    let claim = "\(plan.folder.path)/\(plan.cells[0].name).claim-1"
    try Data("somebody".utf8).write(to: URL(fileURLWithPath: claim))
    let log = SweepHarness.Log()
    let waiting = SweepRun(plan) { log.take($0) }
    let isOver = DispatchSemaphore(value: 0)
    Thread.detachNewThread {
      waiting.run()
      isOver.signal()
    }
    #expect(isOver.wait(timeout: .now() + 1.5) == .timedOut)
    #expect(log.own.isEmpty)
    try FileManager.default.setAttributes(
      [.modificationDate: Date(timeIntervalSinceNow: -3600)], ofItemAtPath: claim)
    #expect(isOver.wait(timeout: .now() + 300) == .success)
    #expect(log.own.map(\.state) == [.finished])
  }

  @Test func `an alarm about attention logits says what a sweep of the run's size says`() throws {
    defer { sweeps.remove() }
    let plan = try sweeps.plan(["lr": "1e-3,1e-2", "seed": "1,2"], in: "sweeps/rates")
    sweeps.run(plan)
    let best = try #require(plan.results().groups[0].curve.best)
    func told(_ options: [String: String], _ rule: AlarmRule) throws -> String {
      let configuration = try TrainingConfiguration(
        options: plan.cells[0].options.merging(options) { $1 })
      let advice = SweepAdvice(configuration, in: sweeps.folder.appending(path: "sweeps").path)
      var event = RunEvent(step: 3, wallTime: 0, kind: .alarm, by: "run", text: "high")
      event.name = rule.name
      let record = advice.told(.event(event))
      guard case .event(let after) = record else { return "" }
      return after.text
    }
    let text = try told(["lr": "0.009"], .attentionLogitsHigh)
    #expect(text.hasPrefix("high; ") && text.contains("sweeps/rates: rate 0.01"))
    #expect(text.contains("the best is \(String(format: "%.3g", best.rate))"))
    #expect(try told(["lr": "5"], .attentionLogitsDiverging).contains("no cell has a rate near"))
    #expect(try told(["lr": "0.009"], .lossSpike) == "high")
    #expect(try told(["layers": "2"], .attentionLogitsHigh) == "high")
  }

  @Test func `another grid in the folder is refused, or added`() throws {
    defer { sweeps.remove() }
    let place = SweepFolder(path: sweeps.folder.appending(path: "s").path)
    func grid(_ rates: String) throws -> Grid {
      try Grid([GridTable(["preset": ["tiny"], "lr": [rates]])])
    }
    let first = try place.adopt(grid("1e-3,1e-2"), extending: false)
    #expect(try place.adopt(grid("0.001,0.01"), extending: false).isSame(as: first))
    #expect(throws: SweepError.otherGrid(folder: place.path)) {
      try place.adopt(grid("1e-3"), extending: false)
    }
    let longer = try place.adopt(grid("1e-2,1e-1"), extending: true)
    #expect(longer.cells.map { $0.options["lr"] } == ["0.001", "0.01", "0.1"])
    #expect(longer.cells.prefix(2).map(\.name) == first.cells.map(\.name))
    #expect(try place.grid().isSame(as: longer))
    #expect(throws: SweepError.noSweep(folder: "nowhere")) {
      try SweepFolder(path: "nowhere").grid()
    }
  }
}
