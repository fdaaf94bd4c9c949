import Screen
import Signals

/// The course of a loss in a row of cells.
struct Sparkline {
  let curve: CurveOutline
  /// The steps that the row stands for; a run that is not yet so far leaves the rest blank.
  let steps: Int

  func draw(on grid: inout CellGrid, in rect: Rect, style: Style, trouble: Style, symbols: Symbols)
  {
    let finite = curve.values.filter(\.isFinite).sorted()
    guard let low = finite.first, !rect.isEmpty else { return }
    // A run starts far up: the first tenth may leave the row at its top.
    let high = max(finite[(finite.count - 1) * 9 / 10], low + 1e-9)
    var canvas = BrailleCanvas(columns: rect.columns, rows: rect.rows)
    let pen = BrailleCanvas.Pen(style: style)
    var last: (x: Int, y: Int)?
    var lost: Int?
    for (step, value) in zip(curve.steps, curve.values) {
      let x = min(canvas.dotColumns - 1, step * canvas.dotColumns / max(1, steps))
      guard value.isFinite else {
        lost = lost ?? x / 2
        last = nil
        continue
      }
      let share = min(max((value - low) / (high - low), 0), 1)
      let place = (x: x, y: Int(((1 - share) * Double(canvas.dotRows - 1)).rounded()))
      canvas.join(last ?? place, place, pen: pen)
      last = place
    }
    canvas.draw(into: &grid, at: rect.origin, symbols: symbols)
    guard let lost, grid.bounds.contains(rect.origin.offset(columns: lost)) else { return }
    grid[rect.column + lost, rect.row] = Cell("✗", style: trouble)
  }
}
