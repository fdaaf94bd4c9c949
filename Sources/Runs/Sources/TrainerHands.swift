import Foundation
import Formats
import Sessions
import Telemetry

/// Commands to a trainer whose file names its control socket.
///
/// The socket is a file's word: it is looked at before it is used, and again whenever it is connected
/// to. A connection that breaks is made again, and what was not answered is asked again with the mark
/// it had, so that it is done once.
final class TrainerHands {
  private let log: String
  private var trainer: TrainerAddress?
  private var wire: ControlWire?
  private var input: [UInt8] = []
  private var letters = Correspondence()
  private var lastLook = 0.0
  private var lastTry = 0.0
  /// Whether the trainer still writes its file; nil where that cannot be known.
  private(set) var isWriting: Bool?
  /// Why no command can be given; nil where one can.
  private(set) var refusal: String? = "this file names no control socket"

  /// A line of answers that is longer comes from nobody who speaks the protocol.
  private static let longestLine = 1 << 16

  init(log: String) {
    self.log = log
  }

  /// Looks once a second whether the trainer is there and where its socket is.
  func look(at trainer: TrainerAddress, now: Double) {
    look(at: trainer, now: now) { trainer.isWriting(log) }
  }

  /// `isWriting` says whether the trainer is there.
  func look(at trainer: TrainerAddress, now: Double, isWriting: () -> Bool?) {
    guard trainer != self.trainer || now - lastLook >= 1 else { return }
    if trainer != self.trainer { wire = nil }
    self.trainer = trainer
    lastLook = now
    self.isWriting = isWriting()
    refusal = Self.refusal(trainer, isWriting: self.isWriting)
  }

  private static func refusal(_ trainer: TrainerAddress, isWriting: Bool?) -> String? {
    guard let control = trainer.control else { return "this file names no control socket" }
    if isWriting == false { return "the program that wrote this file is gone" }
    return ControlFolder.flaw(ofSocket: control)
  }

  func send(_ command: Command, by author: String, at step: Int, now: Double) {
    let request = letters.ask(command, by: author, at: step, now: now)
    guard let wire else { return }
    try? wire.send(request.line)
  }

  /// Carries on what is open; gives what is to be told of it.
  func tend(now: Double) -> [RunEvent] {
    var events = answers(now)
    if wire?.isClosed == true { wire = nil }
    if wire == nil, !letters.isSettled {
      if let refusal { return events + letters.giveUp(refusal, now: now) }
      connect(now)
    }
    try? wire?.flush()
    events += letters.late(now: now)
    return events
  }

  /// One that cannot be reached now is tried again in a moment.
  private func connect(_ now: Double) {
    guard now - lastTry >= 0.25 else { return }
    lastTry = now
    guard let control = trainer?.control, ControlFolder.flaw(ofSocket: control) == nil,
      let wire = try? ControlWire(path: control)
    else { return }
    for request in letters.open { try? wire.send(request.line) }
    (self.wire, input) = (wire, [])
  }

  private func answers(_ now: Double) -> [RunEvent] {
    var events: [RunEvent] = []
    while let bytes = wire?.next() {
      input += bytes
      var lines = input.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
      input = Array(lines.removeLast())
      for line in lines { events += letters.take(Array(line), now: now) ?? [] }
      if input.count > Self.longestLine { wire = nil }
    }
    return events
  }

  func isEcho(_ event: RunEvent, now: Double) -> Bool { letters.isEcho(event, now: now) }

  /// Waits two seconds at most for what is on its way.
  func finish() -> (isAnswered: Bool, failures: [RunEvent]) {
    let deadline = Date().timeIntervalSince1970 + 2
    var events: [RunEvent] = []
    while true {
      let now = Date().timeIntervalSince1970
      events += tend(now: now)
      guard !letters.isSettled, now < deadline else { break }
      if let wire { wire.wait(milliseconds: 100) } else { usleep(50_000) }
    }
    return (letters.isSettled, events.filter { $0.kind == .refused })
  }
}
