import ArgumentParser
import Dashboard
import Foundation
import Screen
import Sessions
import Signals
import Telemetry

struct Replay: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Play a recording, or print one screen of it.",
    discussion: "Without a session it takes the latest one.")

  @Argument(help: "a .seismo file (default: the latest in sessions/)") var session: String?
  @Option(help: "the step to show (default: the beginning to play, the end to print)")
  var at: Int?
  @Option(help: "recorded seconds a second") var speed: Double?
  @Option(help: "columns and rows of a printed screen, such as 120x40")
  var size: ScreenSize?
  @Option(help: "write one screen as SVG to this file, - for standard output") var svg: String?
  @Flag(help: "print one screen as text") var text = false
  @Option(help: "a session to draw over the charts; may be given several times")
  var overlay: [String] = []
  @Option(help: "theme: see seismo themes") var theme: String?

  mutating func validate() throws {
    if let at, at < 0 { throw ValidationError("--at \(at): give a step from 0") }
    if let speed, !(speed > 0 && speed <= 100_000) {
      throw ValidationError("--speed \(speed): give a number above 0, up to 100000")
    }
    if svg == "" { throw ValidationError("--svg: give a file name, or - for standard output") }
    if svg != nil && text { throw ValidationError("--svg and --text: give one of them") }
  }

  mutating func run() throws {
    let path = try session ?? Self.latest()
    let records = try SessionReader(path: path).records()
    let name = URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent
    let source = RunSource(
      kind: .replay, name: name, path: Invocation.shown(path),
      refusal: "a recording cannot be changed")
    let overlays = try overlay.map { path in
      Action.runLoaded(ListedRun(SessionSummary(path: path)), try RunShelf.history(path: path))
    }
    if svg != nil || text || isatty(STDOUT_FILENO) == 0 || isatty(STDIN_FILENO) == 0 {
      try printScreen(source, records, overlays)
    } else {
      try play(source, records, overlays)
    }
  }

  static func latest() throws -> String {
    guard let latest = try SessionSummary.latest(in: "sessions") else {
      throw Failure(
        .badInput, "no session in sessions/: '\(Invocation.command)' records one")
    }
    return latest.path
  }

  /// One screen, without a terminal.
  private func printScreen(
    _ source: RunSource, _ records: [RunRecord], _ overlays: [Action]
  ) throws {
    let look = try Look(theme: theme, depth: .rgb, symbols: .unicode)
    for warning in look.warnings { Seismo.report(warning) }
    var state = DashboardState(
      source: source, size: size?.size ?? Size(columns: 120, rows: 40),
      appearance: look.appearance)
    for action in [.recordsArrived(records)] + overlays { _ = update(&state, action) }
    state.toast = nil
    let last = state.history.lastStep ?? 0
    state.playback = Playback(step: min(at ?? last, last))
    let grid = view(state)
    guard let svg else {
      try StandardOutput.print(grid.lines.joined(separator: "\n"))
      return
    }
    try ScreenFile(path: svg).write(grid, title: source.name, theme: look.appearance.theme)
  }

  private func play(
    _ source: RunSource, _ records: [RunRecord], _ overlays: [Action]
  ) throws {
    let screen = try DashboardScreen(source: source, theme: theme)
    screen.take(records)
    for action in overlays { screen.take(action) }
    screen.play(from: at, speed: speed)
    _ = screen.run(records: { ([], 0) }, send: { _, _ in }, tend: { nil })
    try screen.endRequest.leaveIfAsked()
  }
}
