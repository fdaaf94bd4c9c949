import Synchronization
import Training

/// How good a text is, as `--reward` says it.
enum RewardJudge {
  /// - Parameter words: words, facts, regex:PATTERN or command:PROGRAM.
  /// - Returns: what judges by it.
  /// - Throws: `ConfigurationError` for a pattern that is none, ``TaskError`` where a program cannot be
  ///   started.
  static func reward(_ words: String) throws -> TextReward {
    if let level = LanguageJudge.Level(rawValue: words) {
      let judge = LanguageJudge()
      return { prompt, text, _ in judge.share(of: text, after: prompt, level: level) }
    }
    let parts = words.split(separator: ":", maxSplits: 1).map(String.init)
    guard parts.count == 2 else {
      throw ConfigurationError.wrongValue(
        name: "reward", value: words, allowed: "words, facts, regex:PATTERN or command:PROGRAM")
    }
    guard parts[0] == "regex" else {
      let program = try SharedProgram(parts[1])
      return { prompt, text, isWanted in
        try program.number(for: text, after: prompt, isWanted: isWanted)
      }
    }
    let pattern = parts[1]
    guard (try? Regex(pattern)) != nil else {
      throw ConfigurationError.wrongValue(
        name: "reward", value: words, allowed: "a regular expression behind regex:")
    }
    return { _, text, _ in
      // A compiled one is not for several threads.
      let regex = try Regex(pattern)
      return String(decoding: text, as: UTF8.self).contains(regex) ? 1 : 0
    }
  }
}

/// A program that is asked by one at a time.
private final class SharedProgram: Sendable {
  private let command: String
  /// Nil where it owes an answer that nobody waits for.
  private let program: Mutex<JudgingProgram?>

  init(_ command: String) throws {
    self.command = command
    program = Mutex(try Self.begin(command))
  }

  private static func begin(_ command: String) throws -> sending JudgingProgram {
    try asReward {
      let program = try JudgingProgram(command)
      try program.checkBeginning()
      return program
    }
  }

  func number(
    for text: [UInt8], after prompt: [UInt8], isWanted: @Sendable () -> Bool
  ) throws -> Double {
    let number = try program.withLock { running in
      let program = try running ?? Self.begin(command)
      running = nil
      let number = try Self.asReward {
        try program.number(for: text, after: prompt, isWanted: isWanted)
      }
      running = program
      return number
    }
    guard abs(number) <= Self.largest else {
      throw TaskError.noReward(command: command, reason: "it answers \(number)")
    }
    return number
  }

  /// Beyond it a step's weights would not come back.
  private static let largest = 1e6

  private static func asReward<Value>(_ body: () throws -> Value) throws -> Value {
    do {
      return try body()
    } catch TaskError.silent(let command, let reason) {
      throw TaskError.noReward(command: command, reason: reason)
    }
  }
}
