import Screen
import Signals
import Telemetry

/// A whole line under the header for what a person must not miss.
struct Banner {
  enum Kind {
    case notice, good, trouble
    /// The recording as a line, with its events and the present place.
    case timeline
  }

  let kind: Kind
  /// The first always stays; the others go from the end where there is little room, but for the
  /// keys.
  let parts: [String]
  let keys: [KeyHint]

  /// The most pressing of what there is to say; nil where all is as it should be.
  init?(_ state: DashboardState) {
    let run = state.history.state
    if let reason = state.trouble.recorder {
      self.init(
        .trouble, ["NOT RECORDED: \(reason)", "the run goes on, its records wait in memory"])
    } else if state.isReplay {
      guard state.size.rows >= 16, state.size.columns >= 40 else { return nil }
      self.init(.timeline, [])
    } else if state.frozenAt != nil {
      let step = NumberText.grouped(state.playhead)
      self.init(
        .notice, ["FROZEN at step \(step)", "the run goes on"],
        keys: [KeyHint("f", "follows again", .character("f"))])
    } else if run.isOver {
      self.init(over: state)
    } else if let standing = Self.words(of: state) {
      self.init(standing.kind, standing.parts)
    } else if state.isPaused {
      let step = NumberText.grouped(state.stepsDone)
      self.init(
        .notice, [run == .paused ? "PAUSED at step \(step)" : "PAUSING after step \(step)"],
        keys: state.source.obeys
          ? [
            KeyHint("space", "resumes", .character(" ")), KeyHint(".", "one step", .character(".")),
          ] : [])
    } else if let silence = state.silence {
      let words = NumberText.duration(seconds: silence)
      self.init(
        .notice, ["NO RECORDS for \(words)", "the run is slow, held or gone"])
    } else {
      return nil
    }
  }

  /// What is to be told of a source of another process; nil where all is well.
  private static func words(of state: DashboardState) -> (kind: Kind, parts: [String])? {
    switch state.trouble.source {
    case nil, .live, .ended: nil
    case .reading(let share):
      (.notice, ["READING: \(NumberText.percent(share)) so far", "a part is shown"])
    case .silent(let since, let remark):
      state.isPaused
        ? nil : (.notice, ["LAST DATA \(NumberText.span(seconds: state.now - since)) ago", remark])
    case .gone(let remark): (.trouble, ["GONE: \(remark)"])
    case .unreachable(let reason): (.trouble, [reason, "what came before is shown"])
    }
  }

  private init(_ kind: Kind, _ parts: [String], keys: [KeyHint] = []) {
    self.kind = kind
    self.parts = parts
    self.keys = keys
  }

  /// How a run ended.
  private init(over state: DashboardState) {
    let step = NumberText.grouped(RunNumbers(state).step)
    let checkpoint = state.lastCheckpoint.map { "last checkpoint \($0)" }
    let path = state.source.path
    let isDead = state.history.state == .diverged
    let sign = state.source.kind == .live && !isDead ? "⏎ or q" : "q"
    var keys = [KeyHint(sign, "leaves", .character("q"))]
    switch state.history.state {
    case .diverged:
      if state.canGoBack {
        keys.insert(KeyHint("r", "goes back to a checkpoint", .character("r")), at: 0)
      }
      let last = checkpoint ?? "no checkpoint"
      self.init(.trouble, ["DIVERGED at step \(step)", last, path].compactMap { $0 }, keys: keys)
    case .failed(let reason):
      self.init(
        .trouble, ["FAILED at step \(step)", reason, checkpoint].compactMap { $0 }, keys: keys)
    case .stopped:
      self.init(
        .good, ["STOPPED at step \(step)", checkpoint, path].compactMap { $0 }, keys: keys)
    default:
      self.init(.good, ["FINISHED"] + state.result + [path].compactMap { $0 }, keys: keys)
    }
  }

  func draw(on grid: inout CellGrid, in rect: Rect, _ state: DashboardState) {
    guard !rect.isEmpty else { return }
    if case .timeline = kind {
      Timeline(state).draw(on: &grid, in: rect)
      return
    }
    let theme = state.appearance.theme
    let style =
      switch kind {
      case .trouble: theme.style(.trouble, [.bold, .reverse])
      case .good: theme.style(.good, [.bold, .reverse])
      default: theme.style(.banner)
      }
    grid.fill(rect, style: style)
    grid.writeCentered(text(fitting: rect.columns - 2), in: rect, style: style)
  }

  private static let separator = " · "

  /// The key that a click there is for.
  func key(at point: Point, in rect: Rect) -> Key? {
    let text = text(fitting: rect.columns - 2)
    var end = rect.column + (rect.columns + TextWidth.columns(of: text)) / 2
    guard rect.contains(point), text.hasSuffix(keys.last?.text ?? "") else { return nil }
    for hint in keys.reversed() {
      let start = end - TextWidth.columns(of: hint.text)
      if (start..<end).contains(point.column) { return hint.key(at: point.column - start) }
      end = start - TextWidth.columns(of: Self.separator)
    }
    return nil
  }

  private func text(fitting columns: Int) -> String {
    var parts = parts
    func joined(_ parts: [String]) -> String {
      (parts + keys.map(\.text)).joined(separator: Self.separator)
    }
    while parts.count > 1, TextWidth.columns(of: joined(parts)) > columns { parts.removeLast() }
    let text = joined(parts)
    return TextWidth.columns(of: text) <= columns
      ? text : TextWidth.truncated(parts.first ?? "", to: columns)
  }
}

extension DashboardState {
  /// The name of the last checkpoint up to the playhead.
  var lastCheckpoint: String? {
    let written = history.events(upTo: playhead).last { $0.kind == .checkpoint }
    return written.map { $0.name ?? "of step \(NumberText.grouped($0.step))" }
  }

  /// Final, held-out and best loss in words.
  var result: [String] {
    var parts: [String] = []
    if let loss = history.finalLoss { parts.append("loss \(lossWord(loss))") }
    guard let held = history.finalEvalLoss else { return parts }
    guard held.isFinite else { return parts + ["held-out \(lossWord(held))"] }
    guard let best = history[MetricCatalog.evalLoss]?.bestSample, best.value < held else {
      return parts + ["held-out \(lossWord(held)), its best"]
    }
    parts.append("held-out \(lossWord(held))")
    parts.append("best \(lossWord(best.value)) at step \(NumberText.grouped(best.step))")
    return parts
  }

  private func lossWord(_ loss: Double) -> String { NumberText.compact(loss, digits: 5) }

  /// Seconds without a record from a run that should send some; nil while that is usual.
  var silence: Double? {
    if case .silent(let since, _)? = trouble.source { return now - since }
    // A log of another program's says itself what is usual.
    guard case .running = history.state, source.kind == .live || source.file != nil,
      let last = trouble.lastArrival
    else { return nil }
    return now - last >= 10 ? now - last : nil
  }
}

extension RunHistory {
  /// What the run said of itself when it ended: it measures once more after its last step.
  private var lastWords: RunEvent? {
    state.isOver ? events.last { $0.kind == .run && !$0.values.isEmpty } : nil
  }

  var finalLoss: Double? {
    lastWords?.values[MetricCatalog.loss.path] ?? self[MetricCatalog.loss]?.lastValue
  }

  var finalEvalLoss: Double? {
    lastWords?.values[MetricCatalog.evalLoss.path] ?? self[MetricCatalog.evalLoss]?.lastValue
  }
}

extension Series {
  fileprivate var bestSample: (step: Int, value: Double)? {
    let finite = values.indices.filter { values[$0].isFinite }
    return finite.min { values[$0] < values[$1] }.map { (steps[$0], values[$0]) }
  }
}
