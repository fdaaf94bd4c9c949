import Formats
import Foundation

/// A prompt, and what is a right answer to it.
package struct TextTask: Sendable {
  package let prompt: String
  /// Bytes to write.
  package let tokens: Int
  package let check: TextCheck
  /// A checker that errs, to try again by.
  package let weakCheck: TextCheck?

  /// Bytes written where neither the task nor its answer tell.
  private static let usualTokens = 32

  /// The tasks of a file of JSON lines; blank lines are none.
  /// - Throws: ``TaskError``.
  package static func all(in path: String) throws(TaskError) -> [TextTask] {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw .missing(path: path)
    }
    var tasks: [TextTask] = []
    let lines = data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    for (index, line) in lines.enumerated()
    where !line.allSatisfy({ $0 == 0x20 || $0 == 0x0d || $0 == 0x09 }) {
      tasks.append(try TextTask(Array(line), path: path, line: index + 1))
    }
    guard !tasks.isEmpty else { throw .empty(path: path) }
    return tasks
  }

  private init(_ bytes: [UInt8], path: String, line: Int) throws(TaskError) {
    func flaw(_ what: String) -> TaskError { .flaw(path: path, line: line, what: what) }
    let value: JSONValue
    do {
      value = try JSONValue(bytes)
    } catch {
      throw flaw("no JSON at byte \(error.offset): \(error.what)")
    }
    guard let prompt = value["prompt"]?.text, !prompt.isEmpty else {
      throw flaw("no \"prompt\": give a text of at least one byte")
    }
    guard let check = value["check"] else {
      throw flaw("no \"check\": give {\"regex\"|\"exact\"|\"command\"|\"language\": …}")
    }
    self.prompt = prompt
    self.check = try TextCheck(check, named: "check", flaw: flaw)
    weakCheck = try value["weak_check"].map { weak throws(TaskError) in
      try TextCheck(weak, named: "weak_check", flaw: flaw)
    }
    guard let tokens = value["tokens"] else {
      self.tokens = self.check.answerBytes ?? Self.usualTokens
      return
    }
    guard let count = tokens.step, (1...1_000_000).contains(count) else {
      throw flaw("\"tokens\": give a whole number from 1 to 1000000")
    }
    self.tokens = count
  }
}

/// How a text is judged.
package enum TextCheck: Sendable, Equatable {
  /// Found anywhere in it.
  case regex(String)
  /// What it begins with: it is this where no more bytes are written.
  case exact(String)
  /// A shell's command line, for a program that answers a line a text.
  case command(String)
  /// Its whole words, by the built-in language.
  case language(LanguageJudge.Level)

  fileprivate init(
    _ value: JSONValue, named name: String, flaw: (String) -> TaskError
  ) throws(TaskError) {
    guard let members = value.members, members.count == 1, let text = members[0].value.text,
      !text.isEmpty
    else { throw flaw("\"\(name)\": give one of \"regex\", \"exact\", \"command\", \"language\"") }
    switch members[0].key {
    case "regex":
      guard (try? Regex(text)) != nil else { throw flaw("\"regex\" \(text): no pattern") }
      self = .regex(text)
    case "exact": self = .exact(text)
    case "command": self = .command(text)
    case "language":
      guard let level = LanguageJudge.Level(rawValue: text) else {
        throw flaw("\"language\" \(text): give words or facts")
      }
      self = .language(level)
    default: throw flaw("\"\(members[0].key)\" is no check: give regex, exact, command or language")
    }
  }

  /// The bytes of the one right answer, where there is one.
  fileprivate var answerBytes: Int? {
    guard case .exact(let text) = self else { return nil }
    return text.utf8.count
  }
}
