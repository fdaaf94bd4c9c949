package import Telemetry

/// Why there is no screen to draw on.
package enum TerminalError: Error, Hashable, Sendable, CustomStringConvertible {
  /// Nothing can be opened: no controlling terminal, or not one at all.
  case noTerminal(path: String, reason: SystemFault)
  /// TERM names one that can't place its cursor, such as `dumb`.
  case unusable(terminalType: String)
  /// curses gives up on a description that terminfo has.
  case refused(terminalType: String)

  package var description: String {
    switch self {
    case .noTerminal(let path, let reason):
      "no terminal at \(path) (\(reason)): use --headless"
    case .unusable(let terminalType):
      "terminal type '\(terminalType)' can't draw a screen: set TERM, or use --headless"
    case .refused(let terminalType):
      "curses can't start on terminal type '\(terminalType)': set TERM to xterm, or use --headless"
    }
  }
}
