import Foundation
import Runs
import Seismo
import Sessions
import Signals
import Sweeps
import Telemetry
import Testing

/// What goes wrong with a cell is told in a line, costs nothing that was there, and the rest goes on.
@Suite(.timeLimit(.minutes(15)))
struct SweepFaultTests {
  private let sweeps: SweepHarness

  init() throws { sweeps = try SweepHarness() }

  @Test
  func `a cell that diverges ends early and counts, one that fails is told, the rest goes on`()
    throws
  {
    defer { sweeps.remove() }
    let absent = sweeps.folder.appending(path: "absent.txt").path
    let text = sweeps.folder.appending(path: "text.txt").path
    try Data(String(repeating: "a line of text\n", count: 600).utf8)
      .write(to: URL(fileURLWithPath: text))
    let plan = try sweeps.plan([
      "lr": "1e-3,900", "data": "\(absent),\(text)", "steps": "400", "grad-clip": "0",
    ])
    let log = sweeps.run(plan)
    let failed = log.own.filter { $0.state == .failed }
    #expect(failed.count == 2 && failed.allSatisfy { $0.reason?.contains("absent.txt") == true })
    let diverged = try #require(log.own.first { $0.state == .diverged })
    #expect(diverged.options["lr"] == "900.0" && diverged.steps < 400)
    let curve = try #require(plan.results().groups.first { $0.options["data"] == text }?.curve)
    #expect(curve.points.count == 2)
    #expect(curve.points.last?.loss == diverged.initialLoss)
    #expect(plan.results().ended.count == 2)
  }

  @Test func `a cell that another process writes is left alone, and one of another run`()
    async throws
  {
    defer { sweeps.remove() }
    let plan = try sweeps.plan(["lr": "1e-3,1e-2"])
    let other = try Run(
      options: plan.cells[0].options.merging(["steps": "1000000"]) { $1 },
      session: plan.folder.session(of: plan.cells[0]))
    other.start()
    let log = sweeps.run(plan)
    #expect(log.own.map(\.options["lr"]) == ["0.01"])
    #expect(log.left.count == 1 && log.left[0].hasSuffix("or both with --claim"))
    other.post(.stop)
    _ = try await other.end()
    let after = sweeps.run(plan)
    #expect(after.own.map(\.state) == [.failed])
    #expect(after.own.first?.reason?.contains("is another run's, its steps differs") == true)
  }

  @Test func `a damaged cell is left as it is`() throws {
    defer { sweeps.remove() }
    let plan = try sweeps.plan(["lr": "1e-3,1e-2"])
    let session = plan.folder.session(of: plan.cells[0])
    let damage = Data("no session of anything".utf8)
    try damage.write(to: URL(fileURLWithPath: session))
    let log = sweeps.run(plan)
    #expect(log.own.map(\.state).count { $0 == .finished } == 1)
    let reason = log.own.first { $0.state == .failed }?.reason ?? ""
    #expect(reason.contains("0001-lr0.001.seismo is no session of Seismo"), "\(reason)")
    #expect(reason.hasSuffix("move it away to have the cell run again"), "\(reason)")
    #expect(try Data(contentsOf: URL(fileURLWithPath: session)) == damage)
  }

  @Test func `a cell whose files cannot be written says what helps, and runs once they can`() throws
  {
    defer { sweeps.remove() }
    let plan = try sweeps.plan(["lr": "1e-3,1e-2"])
    // A folder in its place keeps a file from being written, to root as well.
    let result = "\(plan.folder.path)/\(plan.cells[0].name).json"
    try FileManager.default.createDirectory(atPath: result, withIntermediateDirectories: true)
    let log = sweeps.run(plan)
    #expect(log.own.count { $0.state == .finished } == 1)
    let reason = log.own.first { $0.state == .failed }?.reason ?? ""
    #expect(reason.contains("0001-lr0.001.json cannot be written: "), "\(reason)")
    #expect(reason.hasSuffix("or give another --folder"), "\(reason)")
    try FileManager.default.removeItem(atPath: result)
    #expect(sweeps.run(plan).own.map(\.state) == [.finished])
    #expect(plan.results().ended.count == 2)
  }
}
