package import Screen
import Signals
package import Telemetry

/// How the screen looks.
package struct Appearance: Sendable, Hashable {
  package var theme: Theme
  /// All themes there are to choose from.
  package var themes: [Theme]
  package var depth: ColorDepth
  package var symbols: Symbols

  package init(
    theme: Theme = .dark, themes: [Theme] = Theme.builtIn, depth: ColorDepth = .rgb,
    symbols: Symbols = .unicode
  ) {
    self.theme = theme.adapted(to: depth)
    self.themes = themes
    self.depth = depth
    self.symbols = symbols
  }
}

/// A word to the person that passes by itself.
package struct Toast: Sendable, Hashable {
  package var text: String
  package var role: Role
  /// Seconds since 1970.
  package var until: Double
}

/// See ``DashboardState/clockFace``.
package struct ClockFace: Sendable, Hashable {
  let toast: Toast?
  let silence: Int?
  /// Whether a replay goes on.
  let playback: Bool?
  let playhead: Int
  let recorder: String?
  let source: SourceState?
  let refusal: String?
}

/// What is wrong around the run, not in it.
package struct Trouble: Sendable, Hashable {
  /// What keeps records from being written.
  package var recorder: String?
  package var droppedUpdates = 0
  /// When the last record came, seconds since 1970.
  package var lastArrival: Double?
  /// How a source of another process stands; nil where there is no other.
  package var source: SourceState?
}
