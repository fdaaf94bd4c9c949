import Foundation
import Models
import Signals
import Telemetry
package import Training

/// What is to be trained, from where, and where it is recorded.
package struct RunPlan: Sendable {
  package let configuration: TrainingConfiguration
  let script: [ScriptedCommand]
  let autopilot: [AutopilotRule]
  package internal(set) var sessionPath: String
  package private(set) var checkpoint: Checkpoint?
  /// The checkpoint's own state, read once.
  private(set) var continuation: ContinuationState?
  /// What the run leaves as it is and goes on from under another name; nil where it goes on in its
  /// own session.
  var branch: Branching?
  /// A command for the shell, once an alarm; empty for none, whatever the person's settings say.
  package let onAlarm: String?
  /// Settings that the command line changes in a run that is resumed.
  private(set) var changes: [(name: String, value: SettingValue)] = []
  /// What the person has settled for all runs.
  let person: UserConfiguration
  /// Whether what the machine does meanwhile is recorded, where the options have nothing against it.
  var monitorsMachine = true
  /// Whether other processes may give the run commands.
  package var isOpenToOthers = true

  /// - Parameters:
  ///   - options: the run's, by long name; they win over a checkpoint's.
  ///   - given: those of the command line itself.
  ///   - session: where to record; nil for a fresh file in `sessions/`, or the checkpoint's own.
  ///   - resuming: the folder of a checkpoint to go on from.
  ///   - onAlarm: a command for the shell, once an alarm; nil for the person's own.
  ///   - script: commands by step; none for those of the checkpoint.
  ///   - autopilot: commands that depend on a metric.
  ///   - person: what a person has settled for all runs. A run that goes on keeps what raised its
  ///     alarms, whatever has been settled since.
  /// - Throws: ``RunError``, `ConfigurationError`, `CheckpointError`: what is wrong with any of it.
  package init(
    options: [String: String], given: [String: String] = [:], session: String? = nil,
    resuming: String? = nil, onAlarm: String? = nil, script: [ScriptedCommand] = [],
    autopilot: [AutopilotRule] = [], person: UserConfiguration = UserConfiguration()
  ) throws {
    self.autopilot = autopilot
    self.person = person
    self.onAlarm = onAlarm
    var merged = person.alarms.merging(options) { _, own in own }
    if resuming == nil { merged = Self.options(try Self.optionsOfBase(options), under: merged) }
    if let path = resuming {
      if let base = given["base"] { throw RunError.resumesBase(base: base, checkpoint: path) }
      let checkpoint = try CheckpointFolder.read(path)
      let continuation = try checkpoint.continuation()
      merged = Self.options(continuation.options, under: options)
      (self.checkpoint, self.continuation) = (checkpoint, continuation)
    }
    configuration = try TrainingConfiguration(options: merged)
    if let checkpoint {
      try Self.refuseFinished(checkpoint, steps: configuration.steps)
      try Self.refuseExhausted(checkpoint, continuation, patience: configuration.patience)
    }
    self.script = script.isEmpty ? continuation?.script ?? [] : script
    sessionPath =
      session ?? checkpoint.map(Self.sessionPath) ?? Self.freshPath(for: configuration)
    if let continuation { changes = changes(given, after: continuation.options) }
    guard !sessionPath.isEmpty else { throw RunError.noSessionPath }
    try refuseExistingSession()
  }

  /// The options that the checkpoint which the run begins with stands for, and the adapter; none
  /// for new weights.
  private static func optionsOfBase(_ options: [String: String]) throws -> [String: String] {
    guard let path = options["base"] else { return [:] }
    let base = try Self.options(of: BaseModel(path: path))
    guard let adapter = try options["adapter"].map({ try AdapterFolder(path: $0) }) else {
      return base
    }
    if let reason = adapter.contradiction(of: options) {
      throw ConfigurationError.impossible(reason: reason)
    }
    return base.merging(adapter.options) { $1 }
  }

  /// - Throws: `RunError.baseTooLarge` for a model that no run can be.
  private static func options(of base: BaseModel) throws -> [String: String] {
    let options = try base.options()
    do throws(ConfigurationError) {
      try TrainingConfiguration.check(options)
    } catch {
      guard case .wrongValue(let name, let value, let allowed) = error else { throw error }
      let isShortened = name == "context" && base.configuration.rotation != nil
      throw RunError.baseTooLarge(
        path: base.path, option: name, value: value, allowed: allowed,
        remedy: isShortened
          ? "lower max_position_embeddings in its config.json, which changes nothing of its layers"
          : "give another model")
    }
    return options
  }

  /// The checkpoint's options under those that are given; what another optimizer or decay is
  /// usually run with is its own default again.
  private static func options(
    _ earlier: [String: String], under given: [String: String]
  ) -> [String: String] {
    var options = earlier
    if let optimizer = given["optimizer"], optimizer != options["optimizer"] {
      for name in ["update-clip", "grad-clip"] { options[name] = nil }
      if OptimizerKind(rawValue: optimizer)?.hasSecondMoments == false {
        for name in ["adam-eps", "adam-beta2"] { options[name] = nil }
      }
      if isLossesAlone(optimizer) || isLossesAlone(options["optimizer"]) {
        for name in ["weight-decay"] + TrainingConfiguration.mezoOptions { options[name] = nil }
      }
    }
    if let decay = given["decay"], decay != options["decay"] { options["weight-decay"] = nil }
    return options.merging(given) { _, given in given }
  }

  /// The settings that the command line's options stand for, those included that come with another
  /// optimizer or decay.
  private func changes(
    _ given: [String: String], after earlier: [String: String]
  ) -> [(name: String, value: SettingValue)] {
    var given = given
    if let optimizer = given["optimizer"], optimizer != earlier["optimizer"] {
      given["update-clip"] = "\(configuration.updateClip)"
      given["grad-clip"] = "\(configuration.gradClip)"
      if Self.isLossesAlone(optimizer) || Self.isLossesAlone(earlier["optimizer"]) {
        given["weight-decay"] = "\(configuration.weightDecay)"
      }
    }
    if let decay = given["decay"], decay != earlier["decay"] {
      given["weight-decay"] = "\(configuration.weightDecay)"
    }
    let changes = SettingCatalog.entries.compactMap { entry in
      given[entry.option].flatMap { entry.value(words: $0) }.map { (name: entry.name, value: $0) }
    }
    return changes + Self.changes(clip: given["clip"])
  }

  /// Whether the optimizer of this name takes no gradients, which goes with a decay of its own.
  private static func isLossesAlone(_ optimizer: String?) -> Bool {
    optimizer.flatMap(OptimizerKind.init)?.takesGradients == false
  }

  /// One way to clip must be off before the other goes on.
  private static func changes(clip: String?) -> [(name: String, value: SettingValue)] {
    guard let clip else { return [] }
    let kinds = [SettingCatalog.zClip, SettingCatalog.adaGC]
    return (kinds.filter { $0 != clip } + kinds.filter { $0 == clip }).map {
      (name: $0, value: .flag($0 == clip))
    }
  }

  /// What is done before the run begins, in a line; nil where it begins at once.
  package var estimatingPhase: String? {
    guard configuration.light > 0, checkpoint == nil else { return nil }
    return "finding out in \(NumberText.grouped(configuration.light)) steps what of the model is"
      + " needed; the run begins after them"
  }

  /// Commands by step that no step will give, in a line; nil where there are none.
  package var unreachedCommands: String? {
    let late = script.filter { $0.step >= configuration.steps }
    guard let first = late.first else { return nil }
    let others = late.count > 1 ? " and \(late.count - 1) more" : ""
    return "'\(first.command.words)' at step \(first.step)\(others) will not be given:"
      + " the last step is \(configuration.steps - 1)"
  }

  private static func refuseFinished(_ checkpoint: Checkpoint, steps: Int) throws {
    guard checkpoint.step >= steps else { return }
    throw RunError.nothingToDo(checkpoint: checkpoint.path, step: checkpoint.step, steps: steps)
  }

  private static func refuseExhausted(
    _ checkpoint: Checkpoint, _ state: ContinuationState?, patience: Int
  ) throws {
    guard let progress = state?.progress.heldOutProgress, progress.isExhausted(patience) else {
      return
    }
    throw RunError.outOfPatience(
      checkpoint: checkpoint.path, evaluations: progress.evaluationsSince)
  }

  /// The first five minutes: all four signals alive, at a rate at which the attention logits grow
  /// until somebody switches qk-layernorm on.
  package static func firstRun() throws -> RunPlan {
    try RunPlan(
      options: ["preset": "moe-tiny", "lr": "4e-2"], person: .found())
  }

  private func refuseExistingSession() throws {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: sessionPath, isDirectory: &isFolder) else {
      return
    }
    if isFolder.boolValue { throw RunError.sessionIsFolder(path: sessionPath) }
    if checkpoint == nil { throw RunError.sessionExists(path: sessionPath) }
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
