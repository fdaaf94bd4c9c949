import Telemetry

extension RunDetails {
  /// The sign for how it stands.
  var sign: Span {
    guard line == nil else { return Span(" ", .faint) }
    return switch standing {
    case .unread: Span("·", .faint)
    case .live: Span("●", .good)
    case .paused: Span("‖", .warning)
    case .finished: Span("✓", .good)
    case .stopped: Span("■", .faint)
    case .diverged, .failed: Span("✗", .trouble)
    case .killed: Span("!", .warning)
    case .unreadable: Span("?", .trouble)
    }
  }

  /// What happened, as signs in order: several of a kind as one with their number, what passed by
  /// itself not at all unless it was the last. The last ones stay where there is no room for all.
  func happenings(fitting columns: Int) -> Line {
    var groups: [(look: EventLook, count: Int)] = []
    for event in notable {
      let look = event.kind == .calm ? EventLook(.checkpoint) : EventLook(event.kind)
      if let last = groups.last, last.look == look {
        groups[groups.count - 1].count += 1
      } else {
        groups.append((look, 1))
      }
    }
    let spans = groups.map { group in
      Span(group.look.sign + (group.count > 1 ? "\(group.count)" : ""), group.look.role)
    }
    return Self.tail(of: spans, fitting: columns)
  }

  /// The events that a list tells of. An alarm that went quiet is worth a sign where nothing came
  /// after it.
  private var notable: [RunEvent] {
    guard let last = events.last, last.kind == .calm else {
      return events.filter { $0.kind != .calm }
    }
    return events.filter { $0.kind != .calm } + [last]
  }

  private static func tail(of spans: [Span], fitting columns: Int) -> Line {
    func spaced(_ spans: some Collection<Span>) -> Line {
      Line(Array(spans.map { [$0] }.joined(separator: [Span(" ", .faint)])))
    }
    for count in stride(from: spans.count, through: 1, by: -1) {
      let cut = count < spans.count ? [Span("…", .faint)] : []
      let line = spaced(cut + spans.suffix(count))
      if line.columns <= columns { return line }
    }
    return Line([])
  }
}
