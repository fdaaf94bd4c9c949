package import Sessions
package import Telemetry

/// What was asked of a run over a line, and what has become of it: the line that goes out, the answer
/// that comes, what is still open.
///
/// The run's own events tell of what it did, and reach the screen with its records; told here is what
/// they do not: a refusal that was given before the run came to it, an answer that does not come.
package struct Correspondence: Sendable {
  private struct Letter {
    var request: ControlRequest
    var step: Int
    var askedAt: Double
    var isLate = false
    /// Who is told in place of the screen.
    var reply: (@Sendable (CommandAnswer) -> Void)?
  }

  /// Seconds after which it is said that there is no answer.
  package static let patience = 10.0
  /// A refusal that was answered comes with the run's records too, within so many seconds.
  private static let echo = 10.0

  private var letters: [Letter] = []
  private var nextID = Int.random(in: 1 << 20...1 << 40)
  private var refusals: [(words: String, author: String, at: Double)] = []

  package init() {}

  package var isSettled: Bool { letters.isEmpty }

  /// What is not answered yet, in its order, to be asked again over another connection.
  package var open: [ControlRequest] { letters.map(\.request) }

  /// The request that a command becomes; `step` is where the screen stands. Where there is a `reply`,
  /// it is told what becomes of it, and nothing else is.
  package mutating func ask(
    _ command: Command, by author: String, at step: Int, now: Double,
    reply: (@Sendable (CommandAnswer) -> Void)? = nil
  ) -> ControlRequest {
    nextID += 1
    let once = String(UInt64.random(in: .min ... .max), radix: 36)
    let request = ControlRequest(command: command, author: author, id: nextID, once: once)
    letters.append(Letter(request: request, step: step, askedAt: now, reply: reply))
    return request
  }

  /// Takes a line that may be an answer.
  /// - Returns: nil where it answers nothing that was asked here; else what is to be told.
  package mutating func take(_ line: [UInt8], now: Double) -> [RunEvent]? {
    guard let (answer, id) = CommandAnswer.numbered(line) else { return nil }
    return take(answer, to: id, now: now)
  }

  /// Takes an answer to what has this number.
  /// - Returns: nil where nothing that was asked here has; else what is to be told.
  package mutating func take(_ answer: CommandAnswer, to id: Int?, now: Double) -> [RunEvent]? {
    guard let index = letters.firstIndex(where: { $0.request.id == id })
    else { return nil }
    let letter = letters.remove(at: index)
    if let reply = letter.reply {
      reply(answer)
      return []
    }
    guard !answer.isApplied else { return [] }
    let words = letter.request.command.words
    refusals.append((words, letter.request.author, now))
    return [Self.refusal(letter, answer.text, answer.step, now)]
  }

  /// Whether the event tells again what an answer has told.
  package mutating func isEcho(_ event: RunEvent, now: Double) -> Bool {
    refusals.removeAll { now - $0.at > Self.echo }
    guard event.kind == .refused,
      let index = refusals.firstIndex(where: { $0.words == event.name && $0.author == event.by })
    else { return false }
    refusals.remove(at: index)
    return true
  }

  /// What has not been answered for long, once each.
  package mutating func late(now: Double) -> [RunEvent] {
    letters.indices.compactMap { index in
      guard letters[index].reply == nil, !letters[index].isLate,
        now - letters[index].askedAt >= Self.patience
      else {
        return nil
      }
      letters[index].isLate = true
      let words = letters[index].request.command.words
      return RunEvent(
        step: letters[index].step, wallTime: now, kind: .fault, by: "watch", name: words,
        text: "no answer to '\(words)' for \(Int(Self.patience)) s: it may still be obeyed")
    }
  }

  /// Gives up what is open, because nobody can answer it any more.
  package mutating func giveUp(_ reason: String, now: Double) -> [RunEvent] {
    defer { letters = [] }
    return letters.compactMap { letter in
      guard let reply = letter.reply else { return Self.refusal(letter, reason, nil, now) }
      reply(CommandAnswer(isApplied: false, step: nil, text: reason))
      return nil
    }
  }

  private static func refusal(
    _ letter: Letter, _ reason: String, _ step: Int?, _ now: Double
  ) -> RunEvent {
    RunEvent(
      refusing: letter.request.command.words, because: reason, by: letter.request.author,
      step: step ?? letter.step, wallTime: now)
  }
}
