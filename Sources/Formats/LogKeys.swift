/// How trainers name what is no metric in a row of their logs.
enum LogKeys {
  /// What a key or a column is for.
  enum Role: Equatable {
    /// A step; of several in one row the lowest rank counts.
    case step(rank: Int)
    /// A time since 1970; where it is not `isCertain`, only if its number can be one.
    case time(isCertain: Bool)
    case epoch
    /// How many steps are planned.
    case total
    /// The number of a generation, as ours says it: steps tell the same.
    case generation
    case other
  }

  private static let steps = [
    "step", "_step", "global_step", "iteration", "iter", "current_steps", "steps", "train_step",
    "n_iter", "num_updates", "total_timesteps", "time/total_timesteps", "trainer/global_step",
    "timesteps_total", "env_step", "training_iteration",
    // As spreadsheets of people who write other languages head their columns.
    "schritt", "étape", "etape", "paso", "passo", "stap", "krok", "шаг", "步数", "ステップ",
  ]
  private static let times: [String: Bool] = [
    "wall_time": true, "_timestamp": true, "time": false, "timestamp": false, "ts": false,
    "datetime": false, "date": false,
  ]
  private static let totals: Set<String> = ["total_steps", "max_steps", "num_training_steps"]
  private static let roles: [String: Role] = {
    var roles: [String: Role] = ["epoch": .epoch, "generation": .generation]
    for (rank, name) in steps.enumerated() { roles[name] = .step(rank: rank) }
    for (name, isCertain) in times { roles[name] = .time(isCertain: isCertain) }
    for name in totals { roles[name] = .total }
    return roles
  }()

  /// In any case, with blanks or underscores.
  static func role(of key: String) -> Role {
    guard key.utf8.count <= 24 else { return .other }
    if let role = roles[key] { return role }
    let plain = key.lowercased().map { $0 == " " || $0 == "-" ? "_" : $0 }
    return roles[String(plain)] ?? .other
  }

  /// Whether a key is for the logger's own use.
  static func isHidden(_ key: String) -> Bool { key.hasPrefix("_") }

  /// The seconds since 1970 that a number is, in seconds or parts of one; nil where it is none.
  static func time(_ number: Double, isCertain: Bool) -> Double? {
    guard number.isFinite else { return nil }
    if number >= 1e17 { return number / 1e9 }
    if number >= 1e14 { return number / 1e6 }
    if number >= 1e11 { return number / 1e3 }
    return isCertain || number >= 1e8 ? number : nil
  }
}
