import Synchronization
package import Telemetry

/// Where records wait for a reader that may be slow, such as a screen.
///
/// It holds nobody up and has a bound: a reader that does not keep up loses samples, then the oldest
/// events, which are counted, and has of a run's standing the last word alone. The session loses
/// nothing.
package final class RecordMailbox: Sendable {
  package static let limit = 20_000

  private struct Content {
    var records: [RunRecord] = []
    var late = Late()
    var dropped = 0
  }

  /// What came once there were as many records as may wait.
  fileprivate struct Late {
    /// Events, lines and the starts of generations, in order.
    var happenings: [RunRecord] = []
    var description: RunRecord?
    var settings: RunRecord?
    var state: RunRecord?

    var records: [RunRecord] {
      [description, settings].compactMap(\.self) + happenings + [state].compactMap(\.self)
    }
  }

  private let content = Mutex(Content())

  package init() {}

  package func post(_ record: RunRecord) {
    content.withLock { content in
      if content.records.count < Self.limit {
        content.records.append(record)
      } else {
        content.dropped += content.late.take(record)
      }
    }
  }

  /// What has come since it was last asked, and how much was left out.
  package func take() -> (records: [RunRecord], dropped: Int) {
    content.withLock { content in
      defer { content = Content() }
      return (content.records + content.late.records, content.dropped)
    }
  }
}

extension RecordMailbox.Late {
  /// - Returns: how many records are left out for it.
  fileprivate mutating func take(_ record: RunRecord) -> Int {
    switch record {
    case .samples, .column: return 1
    case .description: description = record
    case .settings: settings = record
    case .state: state = record
    case .event, .console, .damage, .generation: happenings.append(record)
    }
    guard happenings.count >= RecordMailbox.limit else { return 0 }
    let older = happenings.prefix(happenings.count / 2)
    // A reader that missed where the run began anew would take its past for its present.
    let kept = older.filter { if case .generation = $0 { true } else { false } }
    happenings.replaceSubrange(..<older.count, with: kept)
    return older.count - kept.count
  }
}
