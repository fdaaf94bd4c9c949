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
    let steps = state.recordedSteps
    let isPlaying = state.playback?.isPlaying == true
    let first = Line([Span(isPlaying ? " ▶ " : " ‖ ", isPlaying ? .good : .warning)])
    let last = Line([Span(" \(NumberText.grouped(steps.upperBound)) ", .faint)])
    var point = rect.origin
    point.column = first.draw(on: &grid, at: point, theme: theme)
    let bar = Rect(
      column: point.column, row: rect.row,
      columns: rect.endColumn - point.column - last.columns, rows: 1)
    drawBar(on: &grid, in: bar)
    last.draw(on: &grid, at: Point(column: bar.endColumn, row: rect.row), theme: theme)
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
