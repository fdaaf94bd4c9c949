import Telemetry

/// The events as a person reads them: an alarm and its end are one line.
struct EventLog: Sendable {
  struct Entry: Sendable, Hashable {
    let event: RunEvent
    /// What ended the alarm.
    var end: RunEvent?

    /// An alarm that is still raised, and all that is no alarm, is news.
    var isOver: Bool { end != nil }

    func matches(_ pattern: TextPattern) -> Bool {
      event.matches(pattern) || end?.matches(pattern) ?? false
    }
  }

  /// Oldest first.
  private(set) var entries: [Entry] = []

  init(_ events: [RunEvent]) {
    var raised: [Int] = []
    for event in events {
      if event.kind == .calm,
        let place = raised.lastIndex(where: { entries[$0].isEnded(by: event) })
      {
        entries[raised.remove(at: place)].end = event
        continue
      }
      if event.kind == .alarm { raised.append(entries.count) }
      entries.append(Entry(event: event))
    }
  }

  /// The alarms that no calm has ended, oldest first.
  var raised: [RunEvent] {
    entries.filter { $0.event.kind == .alarm && !$0.isOver }.map(\.event)
  }
}

extension EventLog.Entry {
  /// A rule that keeps layers apart names the layer in both of its sentences.
  fileprivate func isEnded(by calm: RunEvent) -> Bool {
    guard event.name == calm.name else { return false }
    let words = calm.text.split { !$0.isLetter && !$0.isNumber }
    guard let named = words.first(where: { $0.isLayer }), let layer = event.values["layer"] else {
      return true
    }
    return named.dropFirst() == "\(Int(layer))"
  }
}

extension Substring {
  fileprivate var isLayer: Bool {
    first == "L" && count > 1 && dropFirst().allSatisfy(\.isNumber)
  }
}
