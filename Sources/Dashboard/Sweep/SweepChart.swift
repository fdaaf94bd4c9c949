import Foundation
import Screen
import Signals

/// Loss against rate, a curve a group: the mean over seeds with their spread, the best rate marked,
/// and rates at which seeds diverged at the top.
struct SweepChart {
  let panel: SweepPanel
  private let state: SweepState
  private let rates: [Double]
  private let scale: ValueScale

  /// Nats that the axis has at least: nearer to each other, losses differ no more than seeds do.
  private static let leastSpan = 0.05

  init(_ panel: SweepPanel, _ state: SweepState) {
    self.panel = panel
    self.state = state
    rates = state.rates
    // All charts have one scale, which runs that never learnt anything do not stretch.
    let points = state.groups.flatMap(\.curve.points)
    let sound = points.filter { $0.diverged == 0 }
    let losses = (sound.isEmpty ? points : sound).flatMap {
      [$0.loss - $0.spread, $0.loss + $0.spread]
    }
    let (low, high) = (losses.min() ?? .nan, losses.max() ?? .nan)
    let room = max(0, Self.leastSpan - (high - low)) / 2
    scale = ValueScale(fitting: low - room, high + room)
  }

  private var theme: Theme { state.appearance.theme }

  func draw(on grid: inout CellGrid, in rect: Rect, isFocused: Bool) {
    guard rect.rows >= 3, rect.columns >= 12 else { return }
    let name = panel.title.isEmpty ? "" : ", \(panel.title)"
    SweepFrame(title: "held-out loss\(name)", figure: figure, isFocused: isFocused).draw(
      on: &grid, in: rect, state)
    let inside = rect.inset(columns: 2, rows: 1)
    let names = panel.curves.map { TextWidth.columns(of: $0.label) }.max() ?? 0
    let plot = inside.droppingLeft(6).droppingRight(min(names, 16) + 2).droppingBottom(1)
    guard plot.rows >= 2, plot.columns >= 8 else { return }
    guard panel.curves.contains(where: { !state.groups[$0.group].curve.points.isEmpty }) else {
      grid.writeCentered(
        "no cell has ended yet", in: plot.droppingTop(plot.rows / 2).top(1),
        style: theme.style(.faint))
      drawRates(on: &grid, plot)
      return
    }
    scale.drawLabels(on: &grid, leftOf: plot, style: theme.style(.faint))
    drawRates(on: &grid, plot)
    var canvas = BrailleCanvas(columns: plot.columns, rows: plot.rows)
    for (layer, curve) in panel.curves.enumerated() { draw(curve, layer: layer, on: &canvas) }
    canvas.draw(into: &grid, at: plot.origin, symbols: state.appearance.symbols)
    for curve in panel.curves { drawMarks(curve, on: &grid, plot) }
    drawNames(on: &grid, plot, room: inside.endColumn - plot.endColumn - 1)
  }

  /// How the sensitivity goes from the smallest group to the largest.
  private var figure: Line {
    let values = panel.curves.compactMap { curve in
      state.groups[curve.group].curve.points.count > 1
        ? state.groups[curve.group].curve.sensitivity : nil
    }
    guard let first = values.first, let last = values.last else { return Line([]) }
    let role: Role = last > first * 1.25 + 0.02 && values.count > 1 ? .trouble : .good
    let words = values.count == 1 ? "" : " → \(NumberText.compact(last, digits: 2))"
    return Line([Span("sensitivity \(NumberText.compact(first, digits: 2))\(words)", role)])
  }

  /// The dot column of a rate, evenly in log.
  private func dot(of rate: Double, _ dots: Int) -> Int {
    guard let low = rates.first, let high = rates.last, high > low, low > 0 else { return dots / 2 }
    return Int((log(rate / low) / log(high / low) * Double(dots - 1)).rounded())
  }

  private func draw(
    _ curve: (group: Int, label: String, role: Role), layer: Int, on canvas: inout BrailleCanvas
  ) {
    let pen = BrailleCanvas.Pen(style: theme.style(curve.role), layer: layer + 1)
    let faint = BrailleCanvas.Pen(style: theme.style(.track), layer: 0)
    var last: (x: Int, y: Int)?
    for point in state.groups[curve.group].curve.points {
      let x = dot(of: point.rate, canvas.dotColumns)
      let y = scale.dotRow(of: point.loss, dotRows: canvas.dotRows)
      if point.spread > 0 {
        canvas.span(
          x: x, from: scale.dotRow(of: point.loss + point.spread, dotRows: canvas.dotRows),
          to: scale.dotRow(of: point.loss - point.spread, dotRows: canvas.dotRows), pen: faint)
      }
      canvas.line(from: last ?? (x, y), to: (x, y), pen: pen)
      last = (x, y)
    }
  }

  /// A dot a rate, a diamond at the best, a triangle where seeds diverged.
  private func drawMarks(
    _ curve: (group: Int, label: String, role: Role), on grid: inout CellGrid, _ plot: Rect
  ) {
    let group = state.groups[curve.group]
    let best = group.curve.best
    for point in group.curve.points {
      let column = plot.column + dot(of: point.rate, plot.columns * 2) / 2
      let row = scale.dotRow(of: point.loss, dotRows: plot.rows * 4) / 4
      if point.diverged > 0 {
        grid[column, plot.row] = Cell("▲", style: theme.style(.trouble))
      }
      guard (0..<plot.rows).contains(row) else { continue }
      let isBest = point == best && group.curve.points.count > 1
      guard isBest || point.diverged == 0 else { continue }
      grid[column, plot.row + row] = Cell(isBest ? "◆" : "•", style: theme.style(curve.role))
    }
  }

  private func drawRates(on grid: inout CellGrid, _ plot: Rect) {
    var end = plot.column - 4
    for rate in rates {
      let label = SweepPanel.rateText(rate)
      let middle = plot.column + dot(of: rate, plot.columns * 2) / 2
      let start = middle - label.count / 2
      guard start > end else { continue }
      end =
        start
        + grid.write(
          label, at: Point(column: start, row: plot.endRow), style: theme.style(.faint))
    }
  }

  /// Beside the last points; what would meet is pushed down.
  private func drawNames(on grid: inout CellGrid, _ plot: Rect, room: Int) {
    let ends = panel.curves.compactMap { curve -> (row: Int, label: String, role: Role)? in
      guard let last = state.groups[curve.group].curve.points.last else { return nil }
      let row = scale.dotRow(of: last.loss, dotRows: plot.rows * 4) / 4
      return (min(max(row, 0), plot.rows - 1), curve.label, curve.role)
    }.sorted { $0.row < $1.row }
    for (end, row) in zip(ends, SweepLayout.apart(ends.map(\.row), rows: plot.rows))
    where row >= 0 {
      grid.write(
        TextWidth.truncated(end.label, to: room),
        at: Point(column: plot.endColumn + 1, row: plot.row + row), style: theme.style(end.role))
    }
  }
}

/// A border with its title at the left and the number that matters at the right.
struct SweepFrame {
  let title: String
  var figure = Line([])
  var isFocused = false

  func draw(on grid: inout CellGrid, in rect: Rect, _ state: SweepState) {
    let theme = state.appearance.theme
    let symbols = state.appearance.symbols
    grid.drawBox(
      rect, symbols: symbols, style: theme.style(isFocused ? .borderFocused : .border))
    let title = TextWidth.truncated(title, to: max(0, rect.columns - 6))
    let used = grid.write(
      " \(title) ", at: rect.origin.offset(columns: 2), style: theme.style(.title))
    let room = rect.columns - used - 7
    let figure = figure.fitted(to: room)
    guard figure.columns > 0 else { return }
    let padded = Line([Span(" ", .text)] + figure.spans + [Span(" ", .text)])
    padded.draw(
      on: &grid, at: Point(column: rect.endColumn - 2 - padded.columns, row: rect.row),
      theme: theme)
  }
}
