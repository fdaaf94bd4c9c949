import Screen
import Signals
import Telemetry

/// A recording from its first to its last step: what is behind, what is ahead, what happened where.
struct Timeline {
  private let state: DashboardState

  init(_ state: DashboardState) {
    self.state = state
  }

  func draw(on grid: inout CellGrid, in rect: Rect) {
    let theme = state.appearance.theme
    let bar = bar(in: rect)
    first.draw(on: &grid, at: rect.origin, theme: theme)
    drawBar(on: &grid, in: bar)
    last.draw(on: &grid, at: Point(column: bar.endColumn, row: rect.row), theme: theme)
  }

  private var first: Line {
    let isPlaying = state.playback?.isPlaying == true
    return Line([Span(isPlaying ? " ▶ " : " ‖ ", isPlaying ? .good : .warning)])
  }

  private var last: Line {
    Line([Span(" \(NumberText.grouped(state.history.stepsDone)) ", .faint)])
  }

  private func bar(in rect: Rect) -> Rect {
    rect.top(1).droppingLeft(first.columns).droppingRight(last.columns)
  }

  /// The step at which a click aims; nil on the sign at the left, which plays or halts.
  func step(at point: Point, in rect: Rect) -> Int? {
    let bar = bar(in: rect)
    guard point.column >= bar.column, bar.columns > 1 else { return nil }
    let share = Double(point.column - bar.column) / Double(bar.columns - 1)
    let steps = state.recordedSteps
    return steps.lowerBound + Int((min(share, 1) * Double(steps.count - 1)).rounded())
  }

  private func drawBar(on grid: inout CellGrid, in bar: Rect) {
    guard !bar.isEmpty else { return }
    let theme = state.appearance.theme
    let symbols = state.appearance.symbols
    let place = column(of: state.playhead, in: bar)
    for column in bar.column..<bar.endColumn {
      let isBehind = column <= place
      grid[column, bar.row] = Cell(
        isBehind ? symbols.gaugeFilled : symbols.gaugeEmpty,
        style: theme.style(isBehind ? .loss : .track))
    }
    for event in state.history.events.sorted(by: { Self.rank($0) < Self.rank($1) }) {
      guard let (mark, role) = Self.mark(event) else { continue }
      grid.write(
        mark, at: Point(column: column(of: event.step, in: bar), row: bar.row),
        style: theme.style(role))
    }
    grid.write(
      "●", at: Point(column: place, row: bar.row), style: theme.style(.title, .bold))
  }

  private func column(of step: Int, in bar: Rect) -> Int {
    let steps = state.recordedSteps
    let share = Double(step - steps.lowerBound) / Double(max(1, steps.count - 1))
    let column = Int((Double(bar.columns - 1) * min(max(share, 0), 1)).rounded())
    return bar.column + column
  }

  /// Where two share a place the one with the higher rank is seen.
  private static func rank(_ event: RunEvent) -> Int {
    switch event.kind {
    case .set, .diverged: 3
    case .alarm: 2
    case .checkpoint: 0
    default: 1
    }
  }

  private static func mark(_ event: RunEvent) -> (String, Role)? {
    switch event.kind {
    case .set: ("◆", .person)
    case .rewind, .branch: ("◀", .person)
    case .note: ("·", .person)
    case .alarm: ("▲", .warning)
    case .diverged, .fault: ("✗", .trouble)
    case .checkpoint: ("✓", .good)
    default: nil
    }
  }
}
