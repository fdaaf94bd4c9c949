import Dashboard
import Foundation
import Screen
import Synchronization
import Telemetry
import Terminal

/// The dashboard on a real terminal: keys in, cells out, one loop that owns the state.
final class DashboardScreen {
  enum Departure {
    case left(Leave)
    /// The terminal went away; the run does not.
    case terminalGone
  }

  private static let frameSeconds = 1.0 / 30
  private static let liveSeconds = 0.1

  private var state: DashboardState
  private let terminal: CursesTerminal
  private let endRequest = EndRequest()
  private var lastDrawn = 0.0
  private var departure: Departure?

  init(source: RunSource, theme: String?, playback: Playback? = nil) throws {
    terminal = CursesTerminal()
    try terminal.enter()
    let look = Look(theme: theme, capabilities: terminal.capabilities)
    state = DashboardState(
      source: source, size: terminal.size, appearance: look.appearance, now: Self.now())
    if let playback { state.playback = playback }
    for warning in look.warnings { _ = update(&state, .consoleLineCaptured(warning)) }
  }
}
