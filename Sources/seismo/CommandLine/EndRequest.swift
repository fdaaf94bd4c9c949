import Foundation
import Synchronization

/// The signal that asked for the end, from any thread; the dashboard's loop sees it within a frame.
final class EndRequest: Sendable {
  private struct Content {
    var number: Int32 = 0
    var isSeen = false
  }

  private let content = Mutex(Content())

  func make(_ number: Int32) {
    content.withLock { $0 = Content(number: number) }
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
