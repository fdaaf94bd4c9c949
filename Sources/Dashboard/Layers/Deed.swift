import Signals
import Telemetry

/// What a layer asks of the dashboard.
enum Deed: Sendable, Hashable {
  /// Run the action of this name.
  case run(String)
  /// Give the run a command.
  case ask(Command)
  /// Do what the palette's words say.
  case obey(Command)
  case remember(String)
  case say(String, Role, seconds: Double = 4)
  /// Show the list of runs, with those at this path too.
  case browse(String)
  case open(ListedRun)
  /// Draw a run over the charts, or take it away.
  case toggleOverlay(ListedRun)
  case showKeysOfBrowser
  case filter(String)
  case go(toStep: Int)
  case zoom(ValueZoom)
  case pin(PaneID)
  case unpin(PaneID)
  /// Draw all with this theme.
  case look(at: Theme)
  /// Keep the theme that all is drawn with.
  case keepTheme
  /// Something for the shell alone.
  case effect(Effect)
}

extension DashboardState {
  /// Does what a layer asked for, and tells what the shell has to do.
  mutating func perform(_ deed: Deed) -> [Effect] {
    switch deed {
    case .run(let name): return run(named: name)
    case .ask(let command): return ask(command)
    case .obey(let command): return obey(command)
    case .remember(let words): return remember(words)
    case .browse(let path): return browseRuns(in: path)
    case .open(let run): return open(run)
    case .toggleOverlay(let run): return toggleOverlay(run)
    case .keepTheme: return [.changeTheme(name: appearance.theme.name)]
    case .effect(let effect): return [effect]
    case .go(let step): return go(to: step)
    case .pin(let pane): return pin(pane)
    case .unpin(let pane): return unpin(pane)
    case .say(let words, let role, let seconds): say(words, role, seconds: seconds)
    case .showKeysOfBrowser: layers.append(BrowserHelp())
    case .filter(let text): filter(by: text)
    case .zoom(let zoom): show(values: zoom)
    case .look(let theme): appearance.theme = theme
    }
    return []
  }
}
