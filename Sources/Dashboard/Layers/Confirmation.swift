package import Screen
import Telemetry

/// A question before a change that is not of the usual size, in the bottom row: enter applies it.
package struct Confirmation: Layer {
  private let question: String
  private let command: Command

  init(_ question: String, of command: Command) {
    self.question = question
    self.command = command
  }

  /// Other keys do nothing: they were meant for what was there before the question came.
  package func handle(_ key: Key, in state: DashboardState) -> LayerAnswer {
    switch key {
    case .enter: .closed(.ask(command))
    case .escape: .closed
    case .control: .ignored
    default: .consumed
    }
  }

  package func draw(on grid: inout CellGrid, _ state: DashboardState) -> Box? {
    let theme = state.appearance.theme
    let lines = TextWidth.wrapped(question, to: grid.size.columns)
    let area = grid.bounds.bottom(min(lines.count, 3))
    grid.fill(area, style: theme.style(.text))
    for (row, line) in zip(area.row..<area.endRow, lines) {
      grid.write(line, at: Point(column: 0, row: row), style: theme.style(.warning, .bold))
    }
    return nil
  }
}
