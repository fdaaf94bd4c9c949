import Screen
import Signals
import Telemetry

/// What the list of runs asks in its bottom row: a line of text, or whether a run is to go.
struct RunQuestion: Sendable, Hashable {
  enum Subject: Sendable, Hashable {
    /// With what was filtered by before.
    case filter(before: String)
    case tags(ListedRun)
    case note(ListedRun)
    case name(ListedRun)
    case removal(ListedRun)
    /// Why a change cannot be made: it stands until it is read, so that what is typed after the
    /// change's key does nothing.
    case refusal(String)
  }

  struct Outcome {
    var isConsumed = true
    var isDone = false
    /// What to filter by from now on.
    var filter: String?
    var deeds: [Deed] = []
  }

  let subject: Subject
  var field: TextField

  init(_ subject: Subject) {
    self.subject = subject
    switch subject {
    case .filter(let before): field = TextField(before)
    case .tags(let run): field = TextField(run.traits.tags.joined(separator: " "))
    case .name(let run): field = TextField(run.name)
    case .note, .removal, .refusal: field = TextField()
    }
  }

  var isTyping: Bool {
    switch subject {
    case .removal, .refusal: false
    case .filter, .tags, .note, .name: true
    }
  }

  mutating func handle(_ key: Key) -> Outcome {
    switch subject {
    case .removal(let run): return Self.decide(key, about: run)
    case .refusal: return Self.read(key)
    case .filter, .tags, .note, .name: break
    }
    switch key {
    case .escape: return dropped
    case .enter: return given
    default:
      guard field.handle(key) else { return Outcome(isConsumed: false) }
      guard case .filter(let before) = subject else { return Outcome() }
      return Outcome(filter: namesPlace ? before : field.text)
    }
  }

  private var dropped: Outcome {
    guard case .filter(let before) = subject else { return Outcome(isDone: true) }
    return Outcome(isDone: true, filter: before)
  }

  /// Whether a place to look for runs in stands where a filter could.
  var namesPlace: Bool {
    guard case .filter = subject else { return false }
    return ["/", "./", "../", "~/"].contains { field.text.hasPrefix($0) }
  }

  /// What enter makes of the line; where it cannot be taken it stays.
  private var given: Outcome {
    let text = field.text
    switch subject {
    case .filter(let before):
      guard namesPlace else { return Outcome(isDone: true, filter: text) }
      return Outcome(isDone: true, filter: before, deeds: [.effect(.lookForRuns(in: text))])
    case .tags(let run): return edit(.tag(path: run.path, words: text))
    case .note(let run):
      guard !text.allSatisfy(\.isWhitespace) else { return Outcome(isDone: true) }
      let note = RunEdit.note(path: run.path, text: text)
      // A run that goes on writes its notes itself.
      return Outcome(
        isDone: true,
        deeds: [run.details.isLive ? .ask(.note(text)) : .effect(.editRun(note))])
    case .name(let run):
      guard text != run.name else { return Outcome(isDone: true) }
      return edit(.rename(path: run.path, name: text))
    case .removal, .refusal: return Outcome()
    }
  }

  private func edit(_ edit: RunEdit) -> Outcome {
    if let flaw = edit.flaw {
      return Outcome(deeds: [.say(flaw, .warning, seconds: 6), .effect(.bell)])
    }
    return Outcome(isDone: true, deeds: [.effect(.editRun(edit))])
  }

  private static func read(_ key: Key) -> Outcome {
    switch key {
    case .escape, .enter: Outcome(isDone: true)
    case .control: Outcome(isConsumed: false)
    default: Outcome()
    }
  }

  private static func decide(_ key: Key, about run: ListedRun) -> Outcome {
    switch key {
    case .character("y"):
      return Outcome(
        isDone: true,
        deeds: [.effect(.editRun(.remove(path: run.path, withCheckpoints: false)))])
    case .character("a") where run.details.checkpoints > 0:
      return Outcome(
        isDone: true, deeds: [.effect(.editRun(.remove(path: run.path, withCheckpoints: true)))])
    case .escape, .character("n"), .character("q"), .enter: return Outcome(isDone: true)
    case .control: return Outcome(isConsumed: false)
    default: return Outcome()
    }
  }
}

/// A change of a recorded run's files.
package enum RunEdit: Sendable, Hashable {
  case tag(path: String, words: String)
  case note(path: String, text: String)
  case rename(path: String, name: String)
  case remove(path: String, withCheckpoints: Bool)

  package var path: String {
    switch self {
    case .tag(let path, _), .note(let path, _), .rename(let path, _), .remove(let path, _): path
    }
  }

  /// Why it cannot be done as it was typed; nil where it can.
  var flaw: String? {
    guard case .rename(_, let name) = self else { return nil }
    let isName =
      !name.isEmpty && !name.hasPrefix(".") && !name.contains { $0 == "/" || $0 == "\0" }
    return isName ? nil : "'\(name)' is no name: give one without / that begins with no dot"
  }
}
