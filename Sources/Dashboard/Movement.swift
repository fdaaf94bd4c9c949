import Screen
import Signals
import Telemetry

extension DashboardState {
  /// One press of left or right: a cursor moves a hundredth of the window, a replay a hundredth of
  /// the run, a window a tenth of itself; else the focus goes to the neighbour.
  mutating func move(by direction: Int) {
    if let cursor = viewport.cursor {
      let stride = max(1, viewport.window(in: steps).steps.count / 100)
      place(cursor: cursor + direction * stride)
    } else if isReplay {
      let count = history.wallTimes.count
      movePlayhead(by: direction * max(1, count / 100))
    } else if viewport.zoom != .all {
      viewport.pan(by: Double(direction) * 0.1, in: steps)
    } else if moveOnWall(columns: direction, rows: 0) {
      return
    } else {
      focusNeighbour(columns: direction, rows: 0)
    }
  }

  mutating func moveVertically(by direction: Int) {
    let focus = arrangement.focus
    if moveOnWall(columns: 0, rows: direction) { return }
    guard focus.isScrollable, layout.panes[focus] != nil else {
      focusNeighbour(columns: 0, rows: direction)
      return
    }
    guard direction > 0 || (viewport.scroll[focus] ?? 0) > 0 else {
      focusNeighbour(columns: 0, rows: direction)
      return
    }
    scroll(focus, by: direction)
  }

  mutating func scroll(_ pane: PaneID, by rows: Int) {
    let present = viewport.scroll[pane] ?? 0
    viewport.scroll[pane] = max(0, min(present + rows, scrollLimit(of: pane)))
  }

  /// The most rows by which a list can be scrolled: its last line stays in sight.
  private func scrollLimit(of pane: PaneID) -> Int {
    switch pane {
    case .events: max(0, EventsPane.shown(context(for: pane)).count - 1)
    case .samples: max(0, SamplesPane.shown(context(for: pane)).count - 1)
    case .console: max(0, history.console.count - 1)
    case .run: RunPane.scrollLimit(in: inside(pane), context(for: pane))
    default: 0
    }
  }

  func inside(_ pane: PaneID) -> Rect {
    layout.panes[pane].map(PaneFrame.inside) ?? .empty
  }

  mutating func place(cursor step: Int) {
    let recorded = steps
    guard !recorded.isEmpty else { return }
    let step = min(max(step, recorded.lowerBound), recorded.upperBound - 1)
    viewport.cursor = step
    viewport.reveal(step, in: recorded)
  }

  /// The step that a person named, by its number.
  func step(named words: String) throws(StepFlaw) -> Int {
    let digits = words.filter { $0 != "," && $0 != " " }
    guard let step = Int(digits), digits.allSatisfy(\.isNumber) else { throw .noNumber(words) }
    guard history.lastStep != nil else { throw .noSteps }
    let recorded = isReplay ? recordedSteps : steps.lowerBound...steps.upperBound - 1
    guard recorded.contains(step) else { throw .notRecorded(step, recorded) }
    return step
  }

  /// Goes to a step: a replay shows the run as it was then, else the cursor stands there.
  mutating func go(to step: Int) -> [Effect] {
    playback?.halt()
    jump(to: step)
    if !isReplay || viewport.cursor != nil { place(cursor: step) }
    return []
  }

  mutating func goToEnd(first: Bool) {
    let focus = arrangement.focus
    if viewport.cursor != nil {
      place(cursor: first ? steps.lowerBound : steps.upperBound - 1)
    } else if isReplay {
      playback?.halt()
      jump(to: first ? recordedSteps.lowerBound : recordedSteps.upperBound)
    } else if viewport.zoom != .all {
      let count = viewport.window(in: steps).steps.count
      viewport.show(from: first ? steps.lowerBound : steps.upperBound, count: count, in: steps)
    } else if focus == .wall {
      choose(first ? wall.tiles.first : wall.tiles.last)
    } else if focus.isScrollable {
      viewport.scroll[focus] = first ? 0 : scrollLimit(of: focus)
    }
  }

  /// Goes to the nearest event that matches, after or before where the person looks: a replay jumps
  /// there, else the cursor does.
  mutating func goToEvent(forward: Bool, where matches: (RunEvent) -> Bool) {
    let place = isReplay ? playhead : viewport.cursor ?? (forward ? -1 : playhead + 1)
    let known = (isReplay ? history.events : history.events(upTo: playhead)).filter(matches)
    let target =
      forward
      ? known.filter { $0.step > place }.min { $0.step < $1.step }
      : known.filter { $0.step < place }.max { $0.step < $1.step }
    guard let target else {
      say(forward ? "no later event" : "no earlier event", .faint)
      return
    }
    if isReplay {
      playback?.halt()
      jump(to: target.step)
      if viewport.cursor != nil { self.place(cursor: target.step) }
    } else {
      self.place(cursor: target.step)
    }
    say("step \(NumberText.grouped(target.step)): \(target.text)", .text, seconds: 6)
  }

  /// The panes on screen in the order in which `tab` visits them.
  var visiblePanes: [PaneID] {
    let placed = layout.panes
    return placed.keys.sorted {
      let (a, b) = (placed[$0] ?? .empty, placed[$1] ?? .empty)
      return (a.row, a.column) < (b.row, b.column)
    }
  }

  mutating func cycleFocus(by direction: Int) {
    if isWallWhole, arrangement.focus == .wall { return chooseNext(by: direction) }
    if let zoomed = arrangement.zoomed {
      let all = rankedPanes
      let ordered = arrangement.ordered(isMixture: isMixture).filter(all.contains)
      guard let next = Self.neighbour(of: zoomed, in: ordered, by: direction) else { return }
      arrangement.zoomed = next
      arrangement.focus = next
      return
    }
    guard let next = Self.neighbour(of: arrangement.focus, in: visiblePanes, by: direction) else {
      return
    }
    arrangement.focus = next
  }

  private static func neighbour(of pane: PaneID, in panes: [PaneID], by direction: Int) -> PaneID? {
    guard !panes.isEmpty else { return nil }
    guard let index = panes.firstIndex(of: pane) else { return panes.first }
    return panes[(index + direction + panes.count) % panes.count]
  }

  /// Moves the focus to the nearest pane that lies in that direction.
  mutating func focusNeighbour(columns: Int, rows: Int) {
    let placed = layout.panes
    guard let from = placed[arrangement.focus] else {
      arrangement.focus = visiblePanes.first ?? arrangement.focus
      return
    }
    let candidates = placed.filter { pane, rect in
      pane != arrangement.focus
        && (columns > 0 ? rect.column >= from.endColumn : true)
        && (columns < 0 ? rect.endColumn <= from.column : true)
        && (rows > 0 ? rect.row >= from.endRow : true)
        && (rows < 0 ? rect.endRow <= from.row : true)
    }
    func distance(_ rect: Rect) -> Int {
      let across = abs(rect.column * 2 + rect.columns - from.column * 2 - from.columns)
      let down = abs(rect.row * 2 + rect.rows - from.row * 2 - from.rows)
      return columns != 0 ? across + down * 4 : across + down
    }
    let nearest = candidates.min {
      (distance($0.value), $0.key.rawValue) < (distance($1.value), $1.key.rawValue)
    }
    if let nearest { arrangement.focus = nearest.key }
  }
}

/// Why a person's words name no step. The description is one line.
enum StepFlaw: Error, Equatable, CustomStringConvertible {
  case noNumber(String)
  case noSteps
  case notRecorded(Int, ClosedRange<Int>)

  var description: String {
    switch self {
    case .noNumber(let words): "'\(words)' is no step: give its number"
    case .noSteps: "no step is recorded yet"
    case .notRecorded(let step, let range):
      "step \(NumberText.grouped(step)) is not recorded: give one from "
        + "\(NumberText.grouped(range.lowerBound)) to \(NumberText.grouped(range.upperBound))"
    }
  }
}
