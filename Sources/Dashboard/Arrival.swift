import Screen
import Signals
import Telemetry

extension DashboardState {
  /// Adds what came to what is known and answers what the person had asked for.
  mutating func take(_ records: [RunRecord]) -> [Effect] {
    guard !records.isEmpty else { return [] }
    trouble.lastArrival = now
    var effects: [Effect] = []
    var start = 0
    for (index, record) in records.enumerated() where !record.isMeasured {
      let declared = history.settings
      if case .description(let description) = record { rename(as: description) }
      history.append(contentsOf: records[start...index])
      start = index + 1
      switch record {
      case .state(let state):
        requests.isPaused = nil
        if state.isOver { endPrompts() }
        if state == .diverged, canGoBack {
          say("diverged: r goes back to a checkpoint, q leaves", .trouble, seconds: 8)
        }
      case .settings(let settings): requests.settle(settings, before: declared)
      case .event(let event): effects += answer(event)
      default: break
      }
    }
    history.append(contentsOf: records[start...])
    refreshSmoothing()
    keepViewInside()
    return effects
  }

  /// A run that branches off goes on under another name, beside the session it left.
  private mutating func rename(as description: RunDescription) {
    guard !isReplay, let before = history.description?.name,
      before != description.name
    else { return }
    source.name = description.name
    let beside = { (path: String) in
      (path.lastIndex(of: "/").map { String(path[...$0]) } ?? "") + description.name + ".seismo"
    }
    source.file = source.file.map(beside)
    source.path = source.path.map { ShellWord.quoted(beside(ShellWord.unquoted($0))) }
  }

  mutating func take(_ history: RunHistory) {
    self.history = history
    refreshSmoothing()
    keepViewInside()
  }

  /// What is archived is smoothed as it is drawn.
  mutating func leaveSamples(toArchiveOf read: RunHistory) {
    history.leaveSamples(toArchiveOf: read)
    smoothed = smoothed.filter { name, _ in history[name]?.isArchived == false }
  }

  /// A command's outcome and an alarm are said at once: the events may not be in sight.
  private mutating func answer(_ event: RunEvent) -> [Effect] {
    guard !isReplay else { return [] }
    requests.settle(event)
    answerPrompt(with: event)
    switch event.kind {
    case .refused:
      if event.by == source.author || event.by == "watch" { deafUntil = now + 0.6 }
      say("refused: \(event.text)", .warning, seconds: 6)
      return [.bell]
    case .fault:
      say(event.text, .trouble, seconds: 8)
    case .alarm:
      say(alarmWords(event), .warning, seconds: 8)
      return [.bell]
    case .checkpoint where event.isRoutine:
      break
    case .set, .checkpoint, .note, .evaluate, .effect, .rewind, .skip, .branch:
      say(event.text, event.by == source.author ? .person : .text, seconds: 5)
    default:
      break
    }
    return []
  }

  /// The alarm in so many words as have room, and the key that helps.
  private func alarmWords(_ alarm: RunEvent) -> String {
    let hint = alarm.hint.map { " · \($0)" } ?? ""
    let room = size.columns - 8 - TextWidth.columns(of: hint)
    return (EventWords(alarm.text).fitting(room) ?? alarm.text) + hint
  }

  /// Extends the smooth lines of what charts draw smooth.
  mutating func refreshSmoothing() {
    guard let weight = viewport.smoothing else {
      smoothed = [:]
      return
    }
    for name in Set(Self.smoothedMetrics).union(wall.shown) {
      guard let series = history[name], !series.isArchived else { continue }
      var smooth = smoothed.removeValue(forKey: name) ?? SmoothedSeries(weight: weight)
      if smooth.weight != weight { smooth = SmoothedSeries(weight: weight) }
      smooth.update(with: series)
      smoothed[name] = smooth
    }
  }

  /// A new generation may have taken the steps away at which the person was looking.
  private mutating func keepViewInside() {
    if silentPanes.contains(arrangement.focus) { refocus() }
    guard let last = history.lastStep else { return }
    if let cursor = viewport.cursor { viewport.cursor = min(cursor, last) }
    if let frozen = frozenAt { frozenAt = min(frozen, last) }
    if let playback { jump(to: playback.step) }
  }
}

extension RunRecord {
  /// Whether it changes what charts show and asks for no answer.
  fileprivate var isMeasured: Bool {
    switch self {
    case .samples, .column, .console, .damage, .generation: true
    case .description, .settings, .event, .state: false
    }
  }
}
