/// How trainers name what is no metric in a line of their logs.
enum LogKeys {
  static let steps = ["step", "_step", "global_step", "iteration", "iter"]
  static let times = ["wall_time", "time", "_timestamp", "timestamp", "ts"]

  /// Whether a key is for the logger's own use.
  static func isHidden(_ key: String) -> Bool { key.hasPrefix("_") }
}
