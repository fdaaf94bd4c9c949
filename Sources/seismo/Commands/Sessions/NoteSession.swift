import ArgumentParser
import Foundation
import Sessions
import Signals

extension ListSessions {
  struct Note: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Add a note to a session, at its last step.")

    @Argument(help: .init(stringLiteral: SessionReference.words)) var session: String
    @Argument(help: "the words") var words: [String]

    mutating func validate() throws {
      let text = words.joined(separator: " ").trimmingCharacters(in: .whitespacesAndNewlines)
      if text.isEmpty { throw ValidationError("note: give some words") }
    }

    mutating func run() throws {
      let path = try SessionReference.file(session)
      let text = words.joined(separator: " ").trimmingCharacters(in: .whitespacesAndNewlines)
      let step = try SessionFiles(path: path).add(note: text)
      try StandardOutput.print(
        "noted in \(Invocation.shown(path)) at step \(NumberText.grouped(step))")
    }
  }
}
