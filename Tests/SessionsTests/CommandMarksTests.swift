import Glibc
import Synchronization
import Telemetry
import Testing

@testable import Sessions

/// What is asked again with the same mark is not done again.
@Suite(.timeLimit(.minutes(15)))
struct CommandMarksTests {
  /// A run that notes what it is asked, and answers when it is told to.
  private final class Run: Sendable {
    let words = Mutex<[String]>([])
    private let answers = Mutex<[@Sendable (CommandAnswer) -> Void]>([])

    func take(_ request: ControlRequest, _ answer: @escaping @Sendable (CommandAnswer) -> Void) {
      words.withLock { $0.append(request.command.words) }
      answers.withLock { $0.append(answer) }
    }

    func answerAll(step: Int) {
      let all = answers.withLock { answers in
        defer { answers = [] }
        return answers
      }
      for answer in all { answer(CommandAnswer(isApplied: true, step: step, text: "done")) }
    }
  }

  private func waits(_ holds: () -> Bool) -> Bool {
    let deadline = ContinuousClock.now + .seconds(120)
    while !holds() {
      if ContinuousClock.now > deadline { return false }
      usleep(2000)
    }
    return true
  }

  /// The first line that comes.
  private func line(_ wire: ControlWire) -> String {
    let deadline = ContinuousClock.now + .seconds(120)
    var bytes: [UInt8] = []
    while bytes.last != UInt8(ascii: "\n"), ContinuousClock.now < deadline, !wire.isClosed {
      wire.wait(milliseconds: 100)
      bytes += wire.next() ?? []
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  @Test func `a command is done once, also when its connection broke before the answer`() throws {
    let run = Run()
    let server = try ControlServer(name: "marks")
    defer { server.close() }
    server.start(run.take)
    do {
      let broken = try ControlWire(path: server.path)
      try broken.send(#"{"command":"note first","once":"m1","id":1}"#)
      try #require(waits { run.words.withLock { $0.count == 1 } })
    }
    let again = try ControlWire(path: server.path)
    try again.send(#"{"command":"note first","once":"m1","id":7}"#)
    try again.send(#"{"command":"note second","once":"m2","id":8}"#)
    try #require(waits { run.words.withLock { $0.count == 2 } })
    run.answerAll(step: 5)
    let both = line(again)
    #expect(both.contains(#"{"answer":"applied","step":5,"text":"done","id":7}"#))
    let later = try ControlWire(path: server.path)
    try later.send(#"{"command":"note first","once":"m1","id":9}"#)
    #expect(line(later) == #"{"answer":"applied","step":5,"text":"done","id":9}"# + "\n")
    #expect(run.words.withLock { $0 } == ["note first", "note second"])
  }

  @Test func `without a mark each is done`() throws {
    let run = Run()
    let server = try ControlServer(name: "marks")
    defer { server.close() }
    server.start(run.take)
    let wire = try ControlWire(path: server.path)
    try wire.send(#"{"command":"step"}"#)
    try wire.send(#"{"command":"step"}"#)
    #expect(waits { run.words.withLock { $0 == ["step", "step"] } })
  }

  @Test func `the oldest mark is forgotten first`() {
    var marks = CommandMarks(capacity: 2)
    let asker = CommandMarks.Asker(connection: 0, id: nil)
    let answer = CommandAnswer(isApplied: true, step: 1, text: "")
    #expect(marks.ask("a", by: asker) == .new)
    #expect(marks.ask("b", by: asker) == .new)
    #expect(marks.ask("b", by: asker) == .awaited)
    #expect(marks.answer("b", with: answer) == [asker])
    #expect(marks.ask("b", by: asker) == .answered(answer))
    #expect(marks.ask("c", by: asker) == .new)
    #expect(marks.ask("a", by: asker) == .new)
    #expect(marks.ask("b", by: asker) == .new)
  }
}
