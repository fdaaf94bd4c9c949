package import Screen
import Signals
import Telemetry

/// The checkpoints that the run can go back to, newest first, each with what has happened since.
///
/// It opens at the newest one from before the present trouble.
package struct RewindPicker: Layer {
  private(set) var list = ListCursor()
  private var skipIndex = 0

  /// A run that goes the same way again meets the same spike: so many batches can be left out.
  private static let skips = [0, 10, 20, 50, 100, 200, 500]

  package init(in state: DashboardState) {
    let checkpoints = state.history.checkpoints
    let good = state.history.goodCheckpoint
    let index = checkpoints.lastIndex { $0.step == good?.step }
    list.index = index.map { checkpoints.count - 1 - $0 } ?? 0
  }

  private var skip: Int { Self.skips[skipIndex] }

  package var chosenIndex: Int? { list.index }

  package mutating func handle(_ key: Key, in state: DashboardState) -> LayerAnswer {
    let checkpoints = Self.choices(in: state)
    let moved: Key? =
      switch key {
      case .character("j"): .down
      case .character("k"): .up
      default: nil
      }
    if list.handle(moved ?? key, count: checkpoints.count) { return .consumed }
    switch key {
    case .escape, .character("q"), .character("r"): return .closed
    case .left, .character("h"), .character("-"): return changeSkip(by: -1)
    case .right, .character("l"), .character("+"): return changeSkip(by: 1)
    case .enter:
      guard checkpoints.indices.contains(list.index) else { return .closed }
      return .closed(.ask(.rewind(checkpoint: checkpoints[list.index].name, skip: skip)))
    case .control: return .ignored
    default: return .consumed
    }
  }

  private mutating func changeSkip(by change: Int) -> LayerAnswer {
    skipIndex = min(max(0, skipIndex + change), Self.skips.count - 1)
    return .consumed
  }

  package mutating func choose(_ index: Int, in state: DashboardState) -> LayerAnswer {
    list.index = index
    return .consumed
  }

  package func draw(on grid: inout CellGrid, _ state: DashboardState) -> Box? {
    let checkpoints = Self.choices(in: state)
    let theme = state.appearance.theme
    var box = Box(
      on: &grid, state, columns: 76, rows: min(checkpoints.count + 2, 14),
      title: "rewind \(state.source.name) to",
      keys: [
        .init("⏎", "go back", .enter), .init("← →", "batches left out", .left, .right),
        .init("esc", "stay", .escape),
      ])
    let rows = max(0, box.inside.rows - (box.inside.rows >= 3 ? 2 : 0))
    box.drawList(list, of: checkpoints.count, on: &grid, in: box.inside.top(rows), theme: theme) {
      grid, index, line, surface in
      checkpoints[index].line(isChosen: index == list.index, columns: line.columns).draw(
        on: &grid, at: line.origin, theme: theme, surface: surface)
    }
    guard box.inside.rows >= 3 else { return box }
    let words =
      skip == 0
      ? "the same batches again: the same numbers again, unless a setting changes"
      : "the next \(skip) batches are left out"
    let last = Rect(
      column: box.inside.column, row: box.inside.endRow - 1, columns: box.inside.columns, rows: 1)
    Line([Span(" skip \(skip) ", .key), Span(" \(words)", .faint)]).fitted(to: last.columns)
      .draw(on: &grid, at: last.origin, theme: theme)
    return box
  }
}

extension RewindPicker {
  /// A checkpoint as the list shows it.
  private struct Choice {
    let name: String
    let step: Int
    let loss: Double?
    /// The loss's level there, where it is the one from before the present trouble.
    let good: Double?
    /// What happened between it and the next one, or the present.
    let since: [RunEvent]

    func line(isChosen: Bool, columns: Int) -> Line {
      let step = TextWidth.padded("step \(NumberText.grouped(step))", to: 14)
      let loss = TextWidth.padded(
        "loss \(loss.map { NumberText.compact($0, digits: 4) } ?? "–")", to: 13)
      var line = Line([Span(" \(step)", isChosen ? .title : .text), Span(loss, .loss)])
        .fitted(to: columns)
      for happening in happenings {
        let room = columns - line.columns
        let text = happening.text.cutBetweenWords(to: room)
        if text.count > 2 { line.spans.append(Span(text, happening.role)) }
      }
      return line
    }

    /// Troubles and changes in words, as many as there are.
    private var happenings: [Span] {
      let alarms = since.filter { $0.kind == .alarm || $0.kind == .diverged }
      let changes = since.filter { $0.kind == .set }
      var spans: [Span] = []
      if let good {
        spans.append(Span("before the trouble: loss \(NumberText.compact(good))  ", .good))
      }
      if let first = alarms.first {
        let others = alarms.count > 1 ? " and \(alarms.count - 1) more" : ""
        let name = first.name?.replacing("-", with: " ") ?? "diverged"
        spans.append(Span("▲ \(name)\(others)  ", .warning))
      }
      if let last = changes.last {
        let others = changes.count > 1 ? " and \(changes.count - 1) more" : ""
        let name = SettingWords.brief(last.name ?? "")
        spans.append(Span("◆ \(name) \(last.after?.description ?? "")\(others)", .person))
      }
      return spans.isEmpty ? [Span("nothing happened after it", .faint)] : spans
    }
  }

  private static func choices(in state: DashboardState) -> [Choice] {
    let checkpoints = state.history.checkpoints
    let events = state.history.lineageEvents
    let good = state.history.troubleSince == nil ? nil : state.history.goodCheckpoint
    return checkpoints.indices.reversed().map { index in
      let event = checkpoints[index]
      let next = index + 1 < checkpoints.count ? checkpoints[index + 1].step : Int.max
      return Choice(
        name: event.name ?? "\(event.step)", step: event.step,
        loss: state.history[MetricCatalog.loss]?.value(atOrBefore: event.step),
        good: good?.step == event.step ? state.history.lossLevel(before: event.step) : nil,
        since: events.filter { $0.step >= event.step && $0.step < next })
    }
  }
}
