import Foundation
import Synchronization

/// The signal that asked for the end, from any thread; the dashboard's loop sees it within a frame.
final class EndRequest: Sendable {
  private struct Content {
    var number: Int32 = 0
    var isSeen = false
    var time: ContinuousClock.Instant?
  }

  /// What a signal asks for.
  enum Ask {
    case end
    /// The same as the signal before.
    case same
    case endAtOnce
  }

  /// `timeout` sends a signal to its program and at once to all of its group: that is one.
  private static let together = Duration.milliseconds(500)

  private let content = Mutex(Content())

  func make(_ number: Int32) {
    content.withLock { $0 = Content(number: number) }
  }

  /// Takes a signal of which a first one asks for the end and a second one for the end at once.
  func take(_ number: Int32, at time: ContinuousClock.Instant = .now) -> Ask {
    content.withLock { content in
      if let first = content.time { return time - first < Self.together ? .same : .endAtOnce }
      content = Content(number: number, time: time)
      return .end
    }
  }

  /// Whether a signal has come since this was last asked.
  func isNew() -> Bool {
    content.withLock { content in
      defer { content.isSeen = true }
      return content.number != 0 && !content.isSeen
    }
  }

  /// Ends the program where a signal has asked for it, as the signal would have.
  func leaveIfAsked() throws(Failure) {
    switch number {
    case 0: return
    case SIGINT: throw Failure(.interrupted, "interrupted")
    default: throw Failure(.terminated, "terminated")
    }
  }

  /// The signal's name, as events show who ended the run.
  var author: String? {
    switch number {
    case 0: nil
    case SIGINT: "SIGINT"
    default: "SIGTERM"
    }
  }

  /// The number of the signal that came last; 0 for none.
  var number: Int32 { content.withLock { $0.number } }
}
