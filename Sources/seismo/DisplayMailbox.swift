import Synchronization
import Telemetry

/// Where records wait for the screen.
///
/// A screen that does not keep up loses display updates, which are counted, and holds nobody up;
/// the record loses nothing.
final class DisplayMailbox: Sendable {
  static let limit = 20_000

  private struct Content {
    var records: [RunRecord] = []
    var dropped = 0
  }

  private let content = Mutex(Content())

  func post(_ record: RunRecord) {
    content.withLock { content in
      if content.records.count >= Self.limit, case .samples = record {
        content.dropped += 1
        return
      }
      content.records.append(record)
    }
  }

  func take() -> (records: [RunRecord], dropped: Int) {
    content.withLock { content in
      defer { content = Content() }
      return (content.records, content.dropped)
    }
  }
}
