import ArgumentParser
import Dashboard
import Foundation
import Runs
import Screen
import Sessions
import Signals
import Telemetry

struct Replay: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Play a recording, or print one screen of it.",
    discussion: """
      Without a session it takes the latest one. A step beyond the run's end that an abandoned line \
      reached is shown of that line.
      """)

  @Argument(
    help: "a .seismo file, or a name that 'seismo sessions' lists (default: the latest)")
  var session: String?
  @Option(help: "an abandoned line: 1 for the one that is listed as NAME@1")
  var line: Int?
  @Option(help: "the step to show (default: the beginning to play, the end to print)")
  var at: Int?
  @Option(help: "recorded seconds, or with --by step steps, a second") var speed: Double?
  @Option(help: "time or step: what the speed counts") var by = Playback.Pace.time
  @Option(help: "the longest pause between two steps, recorded seconds")
  var idleCap = Playback.usualIdleCap
  @Option(
    help: "columns and rows of a printed screen, such as 120x40", transform: ScreenSize.init(words:)
  )
  var size: ScreenSize?
  @Option(help: "write one screen as SVG to this file, - for standard output") var svg: String?
  @Flag(help: "print one screen as text") var text = false
  @Option(help: "of a printed screen this pane alone, such as attention-logits")
  var pane: PaneName?
  @Option(help: "a session, or NAME@1, to draw over the charts; may be given several times")
  var overlay: [String] = []
  @Option(help: "theme: see seismo themes") var theme: String?

  mutating func validate() throws {
    if let at, at < 0 { throw ValidationError("--at \(at): give a step from 0") }
    if let speed, !(speed > 0 && speed <= 100_000) {
      throw ValidationError("--speed \(speed): give a number above 0, up to 100000")
    }
    guard idleCap > 0, idleCap <= 1e9 else {
      throw ValidationError("--idle-cap \(idleCap): give seconds above 0, up to 1e9")
    }
    if svg == "" { throw ValidationError("--svg: give a file name, or - for standard output") }
    guard overlay.count <= Overlay.most else {
      throw ValidationError("--overlay \(overlay[Overlay.most]): \(Overlay.most) runs at most")
    }
    if pane != nil && svg == nil && !text {
      throw ValidationError("--pane: give --svg or --text too; on a terminal enter zooms")
    }
    if svg != nil && text { throw ValidationError("--svg and --text: give one of them") }
  }

  mutating func run() throws {
    let damage = DamageReports()
    let (reference, history) = try recording(damage)
    let source = RunSource.recording(reference)
    let shelf = RunShelf()
    let overlays = try overlay.map { try Self.overlaid($0, by: shelf) }
    if svg != nil || text || isatty(STDOUT_FILENO) == 0 || isatty(STDIN_FILENO) == 0 {
      try printScreen(source, history, overlays)
      for found in damage.take() { Seismo.report(found.line) }
    } else {
      try play(source, history, overlays, from: shelf, damage)
    }
  }

  /// The run, or where `--at` lies beyond its end the newest line that reached it.
  private func recording(_ damage: DamageReports) throws -> (SessionReference, RunHistory) {
    let asked = try SessionReference(session ?? Self.latest(), line: line)
    let reader = try SessionReader(path: asked.path)
    let history = try reader.history(line: asked.line) { damage.add($0) }
    guard let at, asked.line == nil, at > history.stepsDone else { return (asked, history) }
    let reached = SessionSummary(path: asked.path).abandoned.last { $0.steps >= at }
    guard let reached else { return (asked, history) }
    let reference = SessionReference(path: asked.path, line: reached.number)
    let left = reached.leftAt.map { ", abandoned at step \(NumberText.grouped($0))" } ?? ""
    Seismo.report(
      "step \(NumberText.grouped(at)) lies beyond the \(NumberText.grouped(history.stepsDone))"
        + " steps of \(asked.name): this is \(reference.name)\(left)")
    return (reference, try reader.history(line: reached.number) { damage.add($0) })
  }

  /// What lays a session over the charts; one that is still being written grows there.
  private static func overlaid(_ words: String, by shelf: RunShelf) throws -> Action {
    let reference = try SessionReference(words)
    // A file that cannot be read is told under the name it was given by.
    _ = try SessionReader(path: reference.path)
    var run = ListedRun(sessionAt: reference.path)
    run.path += reference.suffix
    run.traits.name = reference.name
    return .runLoaded(run, try shelf.read(path: run.path))
  }

  static func latest() throws -> String {
    guard let latest = try SessionSummary.latest(in: SessionReference.folder) else {
      throw Failure(
        .badInput, "no session in sessions/: '\(Invocation.command)' records one")
    }
    return latest.path
  }

  /// One screen, without a terminal.
  private func printScreen(
    _ source: RunSource, _ history: RunHistory, _ overlays: [Action]
  ) throws {
    let look = try Look(theme: theme, depth: .rgb, symbols: .unicode)
    for warning in look.warnings { Seismo.report(warning) }
    var state = DashboardState(
      source: source, size: size?.size ?? Size(columns: 120, rows: 40),
      appearance: look.appearance)
    state.presetDefaults = PresetDefaults.all
    for action in [.recordingOpened(history)] + overlays { _ = update(&state, action) }
    let last = state.history.lastStep ?? 0
    state.playback = Playback(step: min(at ?? last, last))
    if let pane = pane?.pane { (state.arrangement.zoomed, state.arrangement.focus) = (pane, pane) }
    let grid = picture(state, size: pane == nil ? nil : state.size)
    guard let svg else {
      try StandardOutput.print(grid.lines.joined(separator: "\n"))
      return
    }
    try ScreenFile(path: svg).write(grid, title: source.name, theme: look.appearance.theme)
  }

  private func play(
    _ source: RunSource, _ history: RunHistory, _ overlays: [Action], from shelf: RunShelf,
    _ damage: DamageReports
  ) throws {
    let screen = try DashboardScreen(source: source, theme: theme, shelf: shelf)
    screen.take(.recordingOpened(history))
    for action in overlays { screen.take(action) }
    screen.play(from: at, speed: speed, pace: by, idleCap: idleCap)
    let departure = screen.run(
      records: { (damage.records(), 0) }, send: { _, _ in }, tend: { nil })
    try Viewing(theme: theme).goOn(after: (screen, departure))
  }
}

extension Playback.Pace: ExpressibleByArgument {}
