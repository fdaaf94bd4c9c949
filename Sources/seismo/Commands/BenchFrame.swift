import ArgumentParser
import Dashboard
import Foundation
import Screen
import Sessions
import Signals
import Telemetry
import Terminal

/// Measures what a frame costs: the screen from the state, and, on a terminal, the bytes sent.
struct BenchFrame: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench-frame",
    abstract: "Time how long a frame of the dashboard takes to draw.",
    discussion: """
      Each frame is one recorded step further, as in a run that is watched; then zooms, boxes and a \
      frame in which nothing has changed. Where standard output is a terminal the frames are drawn \
      on it. Processor time, so that other processes do not count.
      """,
    shouldDisplay: false)

  @Option(help: "a recording") var session = "sessions/rescue.seismo"
  @Option(help: "columns and rows", transform: ScreenSize.init(words:)) var size: ScreenSize?
  @Option(help: "frames of each kind") var frames = 200

  mutating func validate() throws {
    guard (1...1_000_000).contains(frames) else {
      throw ValidationError("--frames \(frames): give a whole number from 1 to 1000000")
    }
  }

  mutating func run() throws {
    let history = try SessionReader(path: session).history()
    let terminal = isatty(STDOUT_FILENO) == 0 ? nil : CursesTerminal(capabilities: try .detected())
    try terminal?.enter()
    let lines = measure(history, on: terminal)
    terminal?.leave()
    for line in lines { try StandardOutput.print(line) }
  }

  private func measure(_ history: RunHistory, on terminal: CursesTerminal?) -> [String] {
    let size = size?.size ?? terminal?.size ?? Size(columns: 200, rows: 60)
    var state = DashboardState(
      source: RunSource(kind: .replay, name: "bench", path: session), size: size)
    _ = update(&state, .recordingOpened(history))
    let last = state.recordedSteps.upperBound
    func frame() -> Double {
      Self.processorTime {
        let grid = view(state)
        terminal?.draw(grid)
      }
    }
    func report(_ name: String, _ change: (Int) -> Void) -> String {
      let times = (0..<frames).map { index in
        change(index)
        return frame()
      }.sorted()
      let middle = times[times.count / 2]
      let most = times[Int(0.95 * Double(times.count - 1))]
      return String(
        format: "%dx%d, %@: median %.2f ms, 19 in 20 within %.2f, longest %.2f", size.columns,
        size.rows, name, middle, most, times[times.count - 1])
    }
    func press(_ keys: Key...) {
      for key in keys { _ = update(&state, .keyPressed(key)) }
    }
    let first = max(0, last - frames)
    func next(_ index: Int) { state.playback?.jump(to: min(first + index, last)) }
    var lines = [report("one step more", next), report("unchanged") { _ in }]
    state.viewport.zoom = .last(300)
    lines.append(report("300 steps, one more", next))
    state.viewport.zoom = .all
    press(.character("x"))
    lines.append(report("with a cursor that moves") { _ in press(.left) })
    press(.escape, .character(":"))
    lines.append(report("behind the palette", next))
    press(.escape, .character("?"))
    lines.append(report("behind the help", next))
    return lines
  }

  /// Milliseconds of this process.
  private static func processorTime(_ body: () -> Void) -> Double {
    func now() -> Double {
      var time = timespec()
      clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
      return Double(time.tv_sec) * 1e3 + Double(time.tv_nsec) / 1e6
    }
    let start = now()
    body()
    return now() - start
  }
}
