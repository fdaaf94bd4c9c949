import Telemetry

/// The events as a person reads them: an alarm and its end are one line, and so are the checkpoints
/// that a run writes by itself.
struct EventLog: Sendable {
  struct Entry: Sendable, Hashable {
    let event: RunEvent
    /// By which its mark is found on the charts.
    var number: Int?
    /// What ended the alarm.
    var end: RunEvent?
    /// The checkpoints that the line stands for, with its own.
    var checkpoints = 1
    /// How many more alarms are raised, where one line speaks for all.
    var others = 0

    /// An alarm that is still raised, and all that is no alarm, is news.
    var isOver: Bool { end != nil }

    func matches(_ pattern: TextPattern) -> Bool {
      event.matches(pattern) || end?.matches(pattern) ?? false
    }
  }

  /// Oldest first.
  private(set) var entries: [Entry] = []

  /// - Parameters: `foldsCheckpoints` says whether those that a run writes by itself are one line;
  ///   a search wants each
  init(_ events: [RunEvent], foldsCheckpoints: Bool = true) {
    var raised: [Int] = []
    // What the model writes has a pane of its own.
    for (event, number) in zip(events, EventMark.numbers(of: events)) where event.kind != .sample {
      if event.kind == .calm,
        let place = raised.lastIndex(where: { entries[$0].isEnded(by: event) })
      {
        entries[raised.remove(at: place)].end = event
        continue
      }
      if event.kind == .alarm { raised.append(entries.count) }
      entries.append(Entry(event: event, number: number))
    }
    if foldsCheckpoints { entries = Self.folded(entries) }
  }

  /// Those of one stretch of the run are one line, in the place of the last.
  private static func folded(_ entries: [Entry]) -> [Entry] {
    var newestFirst: [Entry] = []
    var last: Int?
    for entry in entries.reversed() {
      if entry.event.startsStretch { last = nil }
      if entry.event.isRoutine, let last {
        newestFirst[last].checkpoints += 1
        continue
      }
      if entry.event.isRoutine { last = newestFirst.count }
      newestFirst.append(entry)
    }
    return newestFirst.reversed()
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

extension RunEvent {
  /// Whether it is what a run does by itself every so many steps.
  var isRoutine: Bool { kind == .checkpoint && by == "run" }

  /// Whether a person who goes from event to event wants to stop there.
  var isLandmark: Bool { kind != .calm && !isRoutine }

  /// Whether what was written before it belongs to another course of the run.
  fileprivate var startsStretch: Bool { kind == .rewind || kind == .branch }
}

extension Substring {
  fileprivate var isLayer: Bool {
    first == "L" && count > 1 && dropFirst().allSatisfy(\.isNumber)
  }
}
