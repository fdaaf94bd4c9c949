import Screen
import Signals
import Telemetry

@testable import Dashboard

/// A folder of recorded runs as the shelf would list it.
enum SampleRuns {
  static let now = SampleRun.time(of: 1_401) + 7_500

  static let all: [ListedRun] = [
    rescue, healthy, plain, killed, collapse, line, unread, broken,
  ]

  static let rescue = run("gpt-rescue", .live, SampleRun.rescue, steps: 1_401) { run in
    run.details.isPresent = true
    run.details.totalSteps = 4_000
    run.details.lastWritten = SampleRuns.now - 3
    run.traits.tags = ["paper", "keep"]
    run.traits.notes = ["qk-layernorm by hand: compare with the plain one"]
    run.details.checkpoints = 3
  }

  static let healthy = run("healthy", .finished, SampleRun(seed: 9).history, steps: 1_401) { run in
    run.traits.options["lr"] = "0.003"
    run.details.rate = 0.003
    run.details.events = []
    run.details.lastWritten = SampleRuns.now - 1_260
  }

  static let plain = run(
    "1.6M-plain-0.1", .diverged, SampleRun(steps: 800, divergesAt: 700, seed: 3).history, steps: 800
  ) { run in
    run.details.folder = "rates"
    run.details.rate = 0.1
    run.traits.options["lr"] = "0.1"
    run.details.lastWritten = SampleRuns.now - 86_400
  }

  static let killed = run("w2-killed", .killed, SampleRun(steps: 300, seed: 4).history, steps: 300)
  {
    $0.details.lastWritten = SampleRuns.now - 200_000
    $0.details.checkpoints = 1
  }

  static let collapse = run(
    "collapse", .stopped, SampleRun(steps: 900, seed: 5).history, steps: 900
  ) { $0.details.lastWritten = SampleRuns.now - 300_000 }

  /// From step 250 on it went another way once.
  static let line = run(
    "collapse@1", .stopped, SampleRun(steps: 700, seed: 6).history, steps: 700
  ) { run in
    var whole = SampleRun(steps: 700, seed: 6).history["loss"] ?? Series()
    run.path = collapse.path + "@1"
    run.details.loss = CurveOutline(of: whole.cut(from: 250))
    run.details.line = RunDetails.Origin(of: collapse.path, leftAt: 250)
    run.details.lastWritten = collapse.details.lastWritten
    run.details.events = []
  }

  static let unread = run("not-read-yet", .unread, RunHistory(), steps: 0)

  static let broken = run("broken", .unreadable, RunHistory(), steps: 0) {
    $0.details.flaw = "runs/broken.seismo is no session of Seismo but another kind of file"
    $0.details.lastWritten = SampleRuns.now - 400_000
  }

  private static func run(
    _ name: String, _ standing: RunDetails.Standing, _ history: RunHistory, steps: Int,
    _ change: (inout ListedRun) -> Void = { _ in }
  ) -> ListedRun {
    var traits = RunTraits()
    traits.name = name
    traits.state = "\(standing)"
    traits.options = history.description?.options ?? [:]
    traits.options["preset"] = "tiny"
    var run = ListedRun(
      path: "/runs/\(name).seismo", steps: steps, finalLoss: history["loss"]?.lastValue,
      traits: traits)
    run.details.standing = standing
    run.details.folder = "runs"
    run.details.totalSteps = steps
    run.details.rate = 0.04
    run.details.bytes = 825_344
    run.details.loss = CurveOutline(of: history["loss"] ?? Series())
    run.details.events = history.events.filter { [.alarm, .set, .diverged].contains($0.kind) }
    if let held = history[MetricCatalog.evalLoss] {
      run.details.heldOutCurve = CurveOutline(of: held, reach: 0)
      run.details.heldOut = held.lastStep.map { StepValue(step: $0, value: held.lastValue ?? .nan) }
      run.details.best = zip(held.steps, held.values).filter { $0.1.isFinite }
        .min { $0.1 < $1.1 }.map { StepValue(step: $0.0, value: $0.1) }
    }
    change(&run)
    run.traits.numbers = [.steps: Double(steps), .alarms: 0]
    run.traits.numbers[.loss] = run.details.heldOut?.value
    return run
  }

  /// The list of runs over a live run, after `keys`.
  static func browsing(
    _ columns: Int = 120, _ rows: Int = 40, runs: [ListedRun] = all, _ keys: [Key] = []
  ) -> DashboardState {
    var state = UpdateTests.live(columns, rows)
    _ = update(&state, .ticked(now: now))
    _ = update(&state, .keyPressed(.character("O")))
    _ = update(&state, .runsListed(runs, in: ["runs", "rates"]))
    for key in keys { _ = update(&state, .keyPressed(key)) }
    state.toast = nil
    return state
  }
}
