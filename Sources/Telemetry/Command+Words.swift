import Foundation

extension Command {
  /// Each command's word, its usage and one sentence.
  package struct Word: Sendable {
    package let name: String
    package let usage: String
    package let sentence: String
  }

  package static let vocabulary: [Word] = [
    Word(name: "pause", usage: "pause", sentence: "Hold the run after the present step."),
    Word(name: "resume", usage: "resume", sentence: "Let a paused run go on."),
    Word(name: "step", usage: "step [N]", sentence: "Do N steps (1), then hold."),
    Word(name: "checkpoint", usage: "checkpoint", sentence: "Write a checkpoint now."),
    Word(
      name: "note", usage: "note TEXT",
      sentence: "Write a note beside the present step, or as @STEP TEXT beside an earlier one."),
    Word(name: "evaluate", usage: "evaluate", sentence: "Measure the held-out loss now."),
    Word(name: "stop", usage: "stop", sentence: "End the run with a checkpoint."),
    Word(
      name: "detach", usage: "detach", sentence: "Write a checkpoint and go on without a screen."),
    Word(name: "set", usage: "set NAME VALUE", sentence: "Change a setting of the running model."),
    Word(name: "undo", usage: "undo", sentence: "Take the last change of a setting back."),
    Word(
      name: "rewind", usage: "rewind CHECKPOINT [skip N]",
      sentence: "Go back to a checkpoint (last; good: before the trouble; a step or its name)."),
    Word(name: "skip", usage: "skip N", sentence: "Leave the next N batches out."),
    Word(
      name: "branch", usage: "branch NAME",
      sentence: "Go on in a session of that name; this one stays as it is."),
  ]

  /// Reads the words of the palette, of `seismo control` and of `[[at]]`.
  /// - Throws: ``CommandError`` naming the nearest known word where one is near.
  public init(words: String) throws(CommandError) {
    let trimmed = words.trimmingCharacters(in: .whitespacesAndNewlines)
    guard let head = trimmed.split(separator: " ").first else { throw .empty }
    let rest = trimmed.dropFirst(head.count).trimmingCharacters(in: .whitespaces)
    switch head {
    case "step":
      self = try Self.readStep(rest)
    case "note":
      self = try Self.readNote(rest)
    case "set":
      self = try Self.readSet(rest)
    case "rewind":
      self = try Self.readRewind(rest)
    case "skip":
      self = .skip(try Self.readCount(rest, of: "skip \(rest)", usage: "skip N"))
    case "branch":
      self = try Self.readBranch(rest)
    default:
      self = try Self.readBare(String(head), rest: rest)
    }
  }

  private static func readBare(_ head: String, rest: String) throws(CommandError) -> Command {
    let bare: [String: Command] = [
      "pause": .pause, "resume": .resume, "checkpoint": .checkpoint, "evaluate": .evaluate,
      "stop": .stop, "detach": .detach, "undo": .undo,
    ]
    guard let command = bare[head] else {
      throw .unknown(word: head, nearest: head.nearest(among: vocabulary.map(\.name)))
    }
    guard rest.isEmpty else { throw .wrongArguments(command: head + " " + rest, usage: head) }
    return command
  }

  private static func readNote(_ rest: String) throws(CommandError) -> Command {
    guard !rest.isEmpty else { throw .wrongArguments(command: "note", usage: "note TEXT") }
    let head = rest.prefix { $0 != " " }
    let text = rest.dropFirst(head.count).trimmingCharacters(in: .whitespaces)
    guard head.first == "@", let step = Int(head.dropFirst()), step >= 0, !text.isEmpty else {
      return .note(rest)
    }
    return .note(text, at: step)
  }

  private static func readStep(_ rest: String) throws(CommandError) -> Command {
    guard !rest.isEmpty else { return .step(1) }
    guard let count = Int(rest), count > 0 else {
      throw .wrongArguments(command: "step \(rest)", usage: "step [N]")
    }
    return .step(count)
  }

  private static func readCount(
    _ word: String, of command: String, usage: String
  ) throws(CommandError) -> Int {
    guard let count = Int(word), (1...1_000_000_000).contains(count) else {
      throw .wrongArguments(command: command, usage: usage)
    }
    return count
  }

  private static func readRewind(_ rest: String) throws(CommandError) -> Command {
    let usage = "rewind CHECKPOINT [skip N]"
    let words = rest.split(separator: " ").map(String.init)
    guard words.count == 1 || words.count == 3 && words[1] == "skip" else {
      throw .wrongArguments(command: "rewind \(rest)", usage: usage)
    }
    let digits = words[0].hasPrefix("step-") ? words[0].dropFirst(5) : words[0][...]
    guard ["last", "good"].contains(words[0]) || Int(digits).map({ $0 >= 0 }) == true else {
      throw .wrongValue(
        name: "rewind", value: words[0],
        allowed: "last, good, a step or a checkpoint's name such as step-000000100")
    }
    let skip = words.count == 3 ? try readCount(words[2], of: "rewind \(rest)", usage: usage) : 0
    return .rewind(checkpoint: words[0], skip: skip)
  }

  private static func readBranch(_ rest: String) throws(CommandError) -> Command {
    let isFit =
      (1...80).contains(rest.count) && rest.first != "." && rest.first != "-"
      && rest.unicodeScalars.allSatisfy {
        $0.properties.isAlphabetic || "0123456789-_.".unicodeScalars.contains($0)
      }
    guard isFit else {
      throw .wrongValue(
        name: "branch", value: rest,
        allowed: "a name of letters, digits, -, _ and ., that begins with no - or .")
    }
    return .branch(name: rest)
  }

  private static func readSet(_ rest: String) throws(CommandError) -> Command {
    let words = rest.split(separator: " ")
    guard words.count == 2 else {
      throw .wrongArguments(command: "set \(rest)", usage: "set NAME VALUE")
    }
    let name = String(words[0])
    guard let entry = SettingCatalog.entry(name) else {
      let nearest = name.nearest(among: SettingCatalog.entries.map(\.name))
      throw .unknownSetting(name: name, nearest: nearest)
    }
    guard let value = entry.value(words: words[1]) else {
      throw .wrongValue(name: name, value: String(words[1]), allowed: entry.allowed)
    }
    return .set(name: name, value: value)
  }

  /// The words that read back as this command.
  public var words: String {
    switch self {
    case .pause: "pause"
    case .resume: "resume"
    case .step(let count): count == 1 ? "step" : "step \(count)"
    case .checkpoint: "checkpoint"
    case .note(let text, let step): "note " + (step.map { "@\($0) " } ?? "") + text
    case .evaluate: "evaluate"
    case .stop: "stop"
    case .detach: "detach"
    case .set(let name, let value): "set \(name) \(value)"
    case .undo: "undo"
    case .rewind(let checkpoint, let skip):
      "rewind \(checkpoint)" + (skip > 0 ? " skip \(skip)" : "")
    case .skip(let count): "skip \(count)"
    case .branch(let name): "branch \(name)"
    case .other(let words): words
    }
  }
}
