import Foundation
import Telemetry

/// Who looks on while this process trains.
enum Watcher {
  case dashboard
  case lines
  case json

  /// Of the conduct's headless and json, a flag each, and what standard input and output are.
  init(_ conduct: [String: String], data: String?) {
    func isOn(_ name: String) -> Bool {
      conduct[name].flatMap { SettingValue(words: $0) }?.isOn ?? false
    }
    let isDumb = ["", "dumb", "unknown"].contains(
      ProcessInfo.processInfo.environment["TERM"] ?? "")
    // Keys come from the terminal itself, so that data may come from standard input.
    let hasKeys = isatty(STDIN_FILENO) != 0 || data == "-"
    let hasScreen = isatty(STDOUT_FILENO) != 0 && hasKeys && !isDumb
    self = isOn("json") ? .json : isOn("headless") || !hasScreen ? .lines : .dashboard
  }
}
