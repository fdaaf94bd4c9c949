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

  /// The number of the signal that came last; 0 for none.
  var number: Int32 { content.withLock { $0.number } }
}
