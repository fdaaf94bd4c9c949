package import Telemetry

/// What a trainer does next and why, without threads, files or a clock.
///
/// A command comes in, the state changes, and what has to be done comes out as values.
package struct TrainerStateMachine: Sendable {
  package enum Mode: Sendable, Equatable {
    case running
    case paused
    /// So many steps, then paused.
    case stepping(remaining: Int)
    case stopping
    case detaching
  }

  /// What the shell has to carry out.
  package enum Task: Sendable, Equatable {
    case writeCheckpoint(by: String)
    case evaluate
    /// The batch has another size from now on.
    case resizeBatch
    /// qk-layernorm comes back from nothing: its gains start at 1 again.
    case resetQKGains
    case declareSettings
    case rewind(checkpoint: String, skip: Int, by: String)
    case skip(Int, by: String)
    case branch(name: String, by: String)
  }

  /// A change that `undo` takes back.
  package struct Change: Sendable, Equatable, Codable {
    package let name: String
    package let before: SettingValue
  }

  package private(set) var mode = Mode.running
  package var settings: LiveSettings
  package private(set) var changes: [Change]
  private let conditions: SettingConditions
  /// The windows that fit the machine's memory.
  private let largestBatch: Int
  /// Why the run cannot go on in another process; nil where it can.
  private let detachRefusal: String?

  package init(
    settings: LiveSettings, changes: [Change] = [], conditions: SettingConditions,
    largestBatch: Int = .max, detachRefusal: String? = nil
  ) {
    self.settings = settings
    self.changes = changes
    self.conditions = conditions
    self.largestBatch = largestBatch
    self.detachRefusal = detachRefusal
  }

  /// Applies `command` before `step`.
  /// - Returns: the events to record, in order, and what to carry out.
  package mutating func apply(
    _ command: Command, by author: String, at step: Int, wallTime: Double
  ) -> (events: [RunEvent], tasks: [Task]) {
    settings.forgetWhatIsOver(at: step)
    var record = Record(author: author, step: step, wallTime: wallTime)
    if isEnding, command.movesRun {
      record.refuse(command.words, because: "the run is ending")
      return (record.events, record.tasks)
    }
    switch command {
    case .pause: pause(&record)
    case .resume: resume(&record)
    case .step(let count):
      mode = .stepping(remaining: count)
      record.add(.step, count == 1 ? "one step" : "\(count) steps")
    case .checkpoint: record.tasks.append(.writeCheckpoint(by: author))
    case .note(let text, let noted): record.note(text, beside: noted)
    case .evaluate:
      record.add(.evaluate, "measure the held-out loss")
      record.tasks.append(.evaluate)
    case .stop:
      mode = .stopping
      record.add(.stop, "stop")
    case .detach: detach(&record)
    case .set(let name, let value): set(name, to: value, &record)
    case .undo: undo(&record)
    case .rewind(let checkpoint, let skip):
      record.tasks.append(.rewind(checkpoint: checkpoint, skip: skip, by: author))
    case .skip(let count): record.tasks.append(.skip(count, by: author))
    case .branch(let name): record.tasks.append(.branch(name: name, by: author))
    case .other(let words): record.refuse(words, because: "there is no such command")
    }
    return (record.events, record.tasks)
  }

  /// Takes over the settings of a checkpoint; whether the run moves or is held stays as it is.
  mutating func goBack(to settings: LiveSettings, changes: [Change]) {
    self.settings = settings
    self.changes = changes
  }

  /// Counts a finished step.
  package mutating func stepped() {
    guard case .stepping(let remaining) = mode else { return }
    mode = remaining > 1 ? .stepping(remaining: remaining - 1) : .paused
  }

  package var isPaused: Bool { mode == .paused }

  private var isEnding: Bool { mode == .stopping || mode == .detaching }

  private mutating func detach(_ record: inout Record) {
    if let detachRefusal { return record.refuse("detach", because: detachRefusal) }
    mode = .detaching
    record.add(.detach, "go on without a screen")
  }

  private mutating func pause(_ record: inout Record) {
    guard mode != .paused else { return record.refuse("pause", because: "the run is paused") }
    mode = .paused
    record.add(.pause, "pause")
  }

  private mutating func resume(_ record: inout Record) {
    guard mode != .running else { return record.refuse("resume", because: "the run is running") }
    mode = .running
    record.add(.resume, "resume")
  }

  private mutating func set(_ name: String, to value: SettingValue, _ record: inout Record) {
    let declarations = settings.declarations(in: conditions)
    guard let declaration = declarations.first(where: { $0.name == name }) else {
      return record.refuse("set \(name)", because: "this run has no such setting")
    }
    if let refusal = declaration.refusal {
      return record.refuse("set \(name) \(value)", because: refusal)
    }
    guard declaration.value != value else {
      return record.refuse("set \(name) \(value)", because: "it is \(value) already")
    }
    let refusal =
      settings.refusal(of: name, value: value, largestBatch: largestBatch)
      ?? conditions.refusal(of: name, value: value)
    if let refusal {
      return record.refuse("set \(name) \(value)", because: refusal)
    }
    changes.append(Change(name: name, before: declaration.value))
    change(name, from: declaration.value, to: value, &record)
  }

  private mutating func undo(_ record: inout Record) {
    guard let last = changes.popLast(), let present = settings[last.name] else {
      return record.refuse("undo", because: "nothing was changed")
    }
    change(last.name, from: present, to: last.before, &record)
  }

  private mutating func change(
    _ name: String, from before: SettingValue, to after: SettingValue, _ record: inout Record
  ) {
    var text = "set \(name) \(before) → \(after)"
    if name == SettingCatalog.qkLayerNorm {
      if after.isOn && settings.qkLayerNorm.isAbsent(at: record.step) {
        record.tasks.append(.resetQKGains)
      }
      text += ", blended over \(settings.qkLayerNorm.blendSteps) steps"
    }
    settings.set(name, to: after, at: record.step)
    record.add(.set, text, name: name, before: before, after: after)
    if name == SettingCatalog.batch { record.tasks.append(.resizeBatch) }
    record.tasks.append(.declareSettings)
  }
}

extension TrainerStateMachine {
  /// What one command leads to, as it is put together.
  private struct Record {
    let author: String
    let step: Int
    let wallTime: Double
    var events: [RunEvent] = []
    var tasks: [Task] = []

    mutating func add(
      _ kind: RunEvent.Kind, _ text: String, name: String? = nil, before: SettingValue? = nil,
      after: SettingValue? = nil
    ) {
      events.append(
        RunEvent(
          step: step, wallTime: wallTime, kind: kind, by: author, name: name, before: before,
          after: after, text: text))
    }

    /// A note stands beside the step at which its writing began.
    mutating func note(_ text: String, beside noted: Int?) {
      add(.note, text)
      events[events.count - 1].step = min(step, noted ?? step)
    }

    mutating func refuse(_ words: String, because reason: String) {
      events.append(
        RunEvent(refusing: words, because: reason, by: author, step: step, wallTime: wallTime))
    }
  }
}

extension Command {
  /// Whether it changes when the run moves, rather than what it computes or records.
  fileprivate var movesRun: Bool {
    switch self {
    case .pause, .resume, .step, .stop, .detach, .rewind, .skip, .branch: true
    case .checkpoint, .note, .evaluate, .set, .undo, .other: false
    }
  }
}
