/// Something that happened at a step and stands beside the samples.
public struct RunEvent: Sendable, Hashable, Codable {
  /// What kind of thing happened.
  public enum Kind: String, Sendable, Codable, CaseIterable {
    /// A run began, was resumed, finished or went on headless.
    case run
    /// A setting changed; `name`, `before`, `after`.
    case set
    /// What a change did, some steps later; `name` and `values`.
    case effect
    case pause, resume, step
    case checkpoint
    case note
    case evaluate
    case stop, detach
    /// The run went back to a checkpoint, whose step is the event's; `name`, and `values` `from`,
    /// `skip` and `offset`, the batches left out so far.
    case rewind
    /// Batches were left out; `values` `skip` and `offset`.
    case skip
    /// The run goes on in another session, or is a continuation of one; `name`.
    case branch
    /// The model has gone on from a prompt, `name`; `text` is what it wrote, `values` `bytes`,
    /// `logprob` and `ms`.
    case sample
    /// A command the run would not obey; `text` says why.
    case refused
    /// A rule raised; `name` is the rule's.
    case alarm
    /// The rule named by `name` is quiet again.
    case calm
    /// The loss is not finite.
    case diverged
    /// A fault that does not end the run: a full disk, a checkpoint that could not be written.
    case fault
  }

  /// The step before which it happened.
  public var step: Int
  /// Seconds since 1970.
  public var wallTime: Double
  /// What kind of thing happened.
  public var kind: Kind
  /// Who: `you`, `run.toml`, `command line`, `control`, `watch TERMINAL`, `autopilot`, `run`, `alarm`,
  /// `recorder`, `log`, or a signal's name.
  public var by: String
  /// The setting, rule or checkpoint it is about.
  public var name: String?
  /// What the setting was before a change.
  public var before: SettingValue?
  /// What the setting is after a change.
  public var after: SettingValue?
  /// What a person reads, without step and author.
  public var text: String
  /// The key or command that helps, as a person reads it: `m: switch qk-layernorm on`.
  public var hint: String?
  /// The numbers behind the words.
  public var values: [String: Double]
  /// Where a run goes on with other options than before: those it had up to the event's step.
  package var earlierOptions: [String: String]?

  package init(
    step: Int, wallTime: Double, kind: Kind, by: String, name: String? = nil,
    before: SettingValue? = nil, after: SettingValue? = nil, text: String, hint: String? = nil,
    values: [String: Double] = [:]
  ) {
    self.step = step
    self.wallTime = wallTime
    self.kind = kind
    self.by = by
    self.name = name
    self.before = before
    self.after = after
    self.text = text
    self.hint = hint
    self.values = values
  }
}

extension RunEvent {
  private static let removal = "removed/"

  /// The steps of the checkpoints that were removed once this one was whole.
  package var removedCheckpoints: [Int] {
    get {
      values.keys.compactMap { key in
        key.hasPrefix(Self.removal) ? Int(key.dropFirst(Self.removal.count)) : nil
      }.sorted()
    }
    set {
      values = values.filter { !$0.key.hasPrefix(Self.removal) }
      for step in newValue { values["\(Self.removal)\(step)"] = 1 }
    }
  }
}
