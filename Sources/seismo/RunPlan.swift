import Foundation
import Telemetry
import Training

/// What is to be trained, from where, recorded where, and who watches.
struct RunPlan {
  enum Watcher {
    case dashboard
    case lines
    case json
  }

  var configuration: TrainingConfiguration
  var script: [ScriptedCommand]
  var sessionPath: String
  var checkpoint: Checkpoint?
  var watcher: Watcher
  var theme: String?

  /// `options` are the run's, by long name; they win over a checkpoint's. `conduct` holds session,
  /// resume, headless, json and theme.
  init(options: [String: String], conduct: [String: String], script: [ScriptedCommand]) throws {
    var merged = options
    if let path = conduct["resume"] {
      let checkpoint = try CheckpointFolder.read(path)
      merged = try checkpoint.options().merging(options) { _, given in given }
      self.checkpoint = checkpoint
    }
    configuration = try TrainingConfiguration(options: merged)
    self.script = script.isEmpty ? try checkpoint?.script() ?? [] : script
    theme = conduct["theme"]
    watcher = Self.watcher(conduct)
    sessionPath =
      conduct["session"] ?? checkpoint.map(Self.sessionPath)
      ?? Self.freshPath(for: configuration)
    try refuseExistingSession()
  }

  /// The first five minutes: all four signals alive, at a rate at which the attention logits grow
  /// until somebody switches qk-layernorm on.
  static func firstRun() throws -> RunPlan {
    try RunPlan(options: ["preset": "moe-tiny", "lr": "4e-2"], conduct: [:], script: [])
  }

  private func refuseExistingSession() throws {
    guard checkpoint == nil, FileManager.default.fileExists(atPath: sessionPath) else { return }
    throw Failure(
      .badInput,
      "\(sessionPath) exists: choose another --session, or go on from a checkpoint with --resume")
  }

  private static func watcher(_ conduct: [String: String]) -> Watcher {
    func isOn(_ name: String) -> Bool {
      conduct[name].flatMap { SettingValue(words: $0) }?.isOn ?? false
    }
    if isOn("json") { return .json }
    if isOn("headless") || isatty(STDOUT_FILENO) == 0 || isatty(STDIN_FILENO) == 0 {
      return .lines
    }
    return .dashboard
  }

  private static func freshPath(for configuration: TrainingConfiguration) -> String {
    let format = DateFormatter()
    format.locale = Locale(identifier: "en_US_POSIX")
    format.dateFormat = "MMdd-HHmmss"
    let stem = "\(configuration.preset?.rawValue ?? "run")-\(format.string(from: Date()))"
    let candidates = [stem] + (2...99).map { "\(stem)-\($0)" }
    let paths = candidates.map { "sessions/\($0).seismo" }
    return paths.first { !FileManager.default.fileExists(atPath: $0) } ?? paths[0]
  }
}
