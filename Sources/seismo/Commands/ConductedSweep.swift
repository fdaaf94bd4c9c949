import Dashboard
import Dispatch
import Foundation
import Runs
import Sessions
import Signals
import Sweeps
import Synchronization

/// A sweep of this process as the command line conducts it: on a screen or told of line by line,
/// ended by signals, with what it found at its end.
final class ConductedSweep {
  enum Watcher {
    case screen(theme: String?)
    case lines, json
    /// What it finds is shown afterwards.
    case silent
  }

  private let plan: SweepPlan
  private let watcher: Watcher
  private let run: SweepRun
  private let desk: SweepDesk
  private let board: SweepBoard?
  private var interrupts: Interrupts?

  init(plan: SweepPlan, watcher: Watcher) {
    (self.plan, self.watcher) = (plan, watcher)
    let desk = SweepDesk(plan, watcher)
    let board: SweepBoard? = if case .screen = watcher { SweepBoard(plan) } else { nil }
    (self.desk, self.board) = (desk, board)
    run = SweepRun(plan) { news in
      board?.take(news)
      desk.take(news)
    }
  }

  func conduct() throws {
    signal(SIGHUP, SIG_IGN)
    let request = EndRequest()
    listen(request)
    if case .screen(let theme) = watcher {
      try watch(theme, request)
    } else {
      run.run()
    }
    try reportEnd(request)
  }

  private func listen(_ request: EndRequest) {
    interrupts = Interrupts([SIGINT, SIGTERM]) { [run] number in
      switch request.take(number) {
      case .end: break
      case .same: return
      case .endAtOnce: _exit(128 + number)
      }
      run.stop(by: number == SIGINT ? "SIGINT" : "SIGTERM")
    }
  }

  private func reportEnd(_ request: EndRequest) throws {
    let folder = Invocation.shown(plan.folder.path)
    let back = "go on with '\(Invocation.command) sweep \(folder)'"
    switch request.number {
    case 0: break
    case SIGINT: throw Failure(.interrupted, "interrupted: \(back)")
    default: throw Failure(.terminated, "terminated: \(back)")
    }
    switch watcher {
    case .silent: break
    case .json:
      if let refusal = desk.refusal { throw StandardOutput.failure(refusal) }
      try StandardOutput.print(desk.results(of: presentPlan).json)
    case .lines, .screen:
      for line in SweepSummary(desk.results(of: presentPlan)).lines {
        try StandardOutput.print(line)
      }
      StandardOutput.say("look at it  \(Invocation.command) sweep \(folder)\n")
    }
    let failed = desk.failures
    guard failed == 0 else {
      throw Failure(
        .failed, "\(failed) cell\(failed == 1 ? "" : "s") failed: \(back) to try again")
    }
  }

  /// The grid may have grown meanwhile.
  private var presentPlan: SweepPlan { board?.plan ?? plan }
}

extension ConductedSweep {
  /// Shows the sweep, and the runs that are opened from it, until the person leaves.
  private func watch(_ theme: String?, _ request: EndRequest) throws {
    guard let board else { return }
    run.start()
    var earlier: SweepState?
    var words: String?
    while true {
      let screen = try screen(board, earlier: earlier, theme, request)
      if let words { screen.say(words) }
      let departure = screen.run { [run] in run.isAtWork }
      earlier = screen.state
      switch departure {
      case .opens(let number):
        words = visit(board.plan.folder.session(of: board.plan.cells[number - 1]), theme, request)
      case .left(.leave): return run.wait()
      case .left(.stop):
        run.stop(by: "you")
        return run.wait()
      case .left(.detach):
        run.stop(by: "you")
        run.wait()
        return try goOnElsewhere()
      case .terminalGone: return run.wait()
      }
    }
  }

  private func screen(
    _ board: SweepBoard, earlier: SweepState?, _ theme: String?, _ request: EndRequest
  ) throws -> SweepScreen {
    try SweepScreen(
      board: board, earlier: earlier, theme: theme, endRequest: request,
      addRate: { [self] in try add(rate: $0, board) },
      endCell: { [self] number in run.end(board.plan.cells[number - 1], by: "you") })
  }

  /// Shows a cell's run until the person comes back.
  /// - Returns: why it cannot be shown; nil where it was.
  private func visit(_ session: String, _ theme: String?, _ request: EndRequest) -> String? {
    defer { listen(request) }
    do {
      try Viewing(isVisit: true, theme: theme).begin(with: session)
      return nil
    } catch let failure as Failure where failure.exit == .interrupted {
      request.make(SIGINT)
      run.stop(by: "SIGINT")
      return nil
    } catch {
      return "\(error)"
    }
  }

  /// Starts another process that runs the rest without a screen.
  private func goOnElsewhere() throws {
    var arguments = [
      "seismo", "sweep", plan.folder.path, "--headless", "--jobs", "\(plan.jobs)",
      "--checkpoint-seconds", "\(plan.checkpointSeconds)",
    ]
    if let halving = plan.halving { arguments += ["--halving", "\(halving)"] }
    try Detachment.spawn(Invocation.executable, arguments) { [plan] in
      plan.cells.contains { WriterLock.isHeld(session: plan.folder.session(of: $0)) }
    }
    StandardOutput.say("the cells go on without a screen\n")
  }

  /// Adds cells with `rate` to those that differ in nothing but rate and seed.
  /// - Returns: how many.
  private func add(rate: Double, _ board: SweepBoard) throws -> Int {
    let present = board.plan
    let added = try present.grid.tables.map { table throws(GridError) in
      var given = table.given
      given["lr"] = [rate.rateText]
      return try GridTable(given, zips: table.zips)
    }
    let grid = try present.folder.adopt(Grid(added), extending: true)
    let plan = try SweepPlan(
      folder: present.folder, grid: grid, jobs: present.jobs,
      checkpointSeconds: present.checkpointSeconds, stale: present.stale,
      halving: present.halving)
    board.extend(to: plan)
    run.extend(to: plan)
    return plan.cells.count - present.cells.count
  }
}
