import Formats
import Foundation
package import Telemetry

/// A line that a client sends: `{"command":"set z_loss 1e-4","by":"control"}`; an `id` comes back.
package struct ControlRequest: Sendable, Hashable {
  package var command: Command
  package var author: String
  package var id: Int?
  /// What is asked again with the same mark is not done again.
  package var once: String?

  /// Names under which the run itself acts.
  private static let reserved: Set<String> = [
    "you", "run", "run.toml", "alarm", "autopilot", "command line", "recorder", "SIGINT", "SIGTERM",
  ]
  private static let longestAuthor = 40

  package init(command: Command, author: String, id: Int? = nil, once: String? = nil) {
    self.command = command
    self.author = author
    self.id = id
    self.once = once
  }

  /// Why a line is no request, in words for the one who sent it.
  struct Flaw: Error, Equatable {
    let reason: String
    var id: Int?
  }

  init(line: [UInt8], passesWords: Bool = false) throws(Flaw) {
    let value: JSONValue
    do throws(JSONValue.Flaw) {
      value = try JSONValue(line)
    } catch {
      throw Flaw(reason: "no JSON at byte \(error.offset): \(error.what)")
    }
    let id = value["id"]?.step
    guard let words = value["command"]?.text else {
      throw Flaw(reason: "write {\"command\":\"pause\"}", id: id)
    }
    guard Self.isPlain(words) else {
      throw Flaw(reason: "the command holds control characters", id: id)
    }
    do throws(CommandError) {
      command = try Command(words: words)
    } catch {
      let plain = words.trimmingCharacters(in: .whitespaces)
      guard passesWords, !plain.isEmpty else { throw Flaw(reason: error.description, id: id) }
      command = .other(plain)
    }
    let author = value["by"]?.text ?? "control"
    let isFit = Self.isPlain(author) && (1...Self.longestAuthor).contains(author.count)
    self.author = isFit && !Self.reserved.contains(author) ? author : "control"
    self.id = id
    once = value["once"]?.text.flatMap { (1...64).contains($0.count) ? $0 : nil }
  }

  private static func isPlain(_ text: String) -> Bool {
    text.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control }
  }

  package var line: String {
    let id = id.map { ",\"id\":\($0)" } ?? ""
    let once = once.map { ",\"once\":\(JSONLines.quoted($0))" } ?? ""
    return
      "{\"command\":\(JSONLines.quoted(command.words)),\"by\":\(JSONLines.quoted(author))\(id)\(once)}"
  }
}

extension CommandAnswer {
  /// The line that a run sends back: `{"answer":"applied","step":12,"text":"pause"}`.
  package func line(id: Int? = nil) -> String {
    var members = ["\"answer\":\"\(isApplied ? "applied" : "refused")\""]
    if let step { members.append("\"step\":\(step)") }
    members.append("\"\(isApplied ? "text" : "reason")\":\(JSONLines.quoted(text))")
    if let id { members.append("\"id\":\(id)") }
    return "{\(members.joined(separator: ","))}"
  }

  /// Nil for a line that is no answer.
  init?(line: [UInt8]) {
    guard let (answer, _) = Self.numbered(line) else { return nil }
    self = answer
  }

  /// The answer that a line is, and the number of what it answers; nil for another line.
  package static func numbered(_ line: [UInt8]) -> (answer: CommandAnswer, id: Int?)? {
    guard let value = try? JSONValue(line), let answer = RunBatch.Answer(value) else { return nil }
    return (answer.answer, answer.id)
  }
}
