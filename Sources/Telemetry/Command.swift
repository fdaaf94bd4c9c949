import Foundation

/// What a person, a script or `run.toml` may ask of a run; applied between two steps.
public enum Command: Hashable, Sendable {
  case pause
  case resume
  case step(Int)
  case checkpoint
  /// Beside the present step, or one that is past.
  case note(String, at: Int? = nil)
  case evaluate
  case stop
  case detach
  case set(name: String, value: SettingValue)
  case undo
  /// Back to a checkpoint of this run: `last`, `good` (the last from before the present trouble), a
  /// step or a checkpoint's name; so many batches after it are left out.
  case rewind(checkpoint: String, skip: Int)
  /// Leaves so many of the next batches out.
  case skip(Int)
  /// Goes on from here in a session of that name; the present one stays as it is.
  case branch(name: String)
  /// An action of the program's own, in the words that it knows.
  case other(String)
}

/// Why words are no command. The description is one line.
public enum CommandError: Error, Equatable, CustomStringConvertible {
  case empty
  case unknown(word: String, nearest: String?)
  case wrongArguments(command: String, usage: String)
  case unknownSetting(name: String, nearest: String?)
  case wrongValue(name: String, value: String, allowed: String)

  /// What is wrong and what may be given, in a line.
  public var description: String {
    switch self {
    case .empty:
      "an empty command: type one of \(Command.vocabulary.map(\.name).joined(separator: ", "))"
    case .unknown(let word, let nearest):
      "no command '\(word)'" + (nearest.map { ": did you mean '\($0)'?" } ?? ": ? lists them")
    case .wrongArguments(let command, let usage):
      "'\(command)' is not complete: write '\(usage)'"
    case .unknownSetting(let name, let nearest):
      "no setting '\(name)'" + (nearest.map { ": did you mean '\($0)'?" } ?? ": m lists them")
    case .wrongValue(let name, let value, let allowed):
      "'\(value)' is no value for \(name): give \(allowed)"
    }
  }
}
