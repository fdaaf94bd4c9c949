import Foundation
package import Screen
import Signals

/// A number over the sizes, both in log: what was measured, the fit beyond it, and the limit.
struct ForecastChart {
  private let panel: ShownForecast.Panel
  private let forecast: ShownForecast
  private let state: SweepState
  private let sizes: ClosedRange<Double>
  private let scale: ValueScale
  /// All rates of the forecast, each with a colour.
  private let rates: [Double]

  private static let roles: [Role] = [
    .text, .loss, .throughput, .learningRate, .person, .logits, .experts, .overlayFirst,
  ]

  init(_ panel: ShownForecast.Panel, of forecast: ShownForecast, _ state: SweepState) {
    (self.panel, self.forecast, self.state) = (panel, forecast, state)
    let curves = forecast.panels.flatMap(\.curves)
    rates = Set(curves.map(\.rate)).sorted()
    let counts = curves.flatMap { $0.points.map(\.parameters) + $0.fit.map(\.parameters) }
    sizes = (counts.min() ?? 1)...max(counts.max() ?? 10, (counts.min() ?? 1) * 2)
    let measured = curves.flatMap {
      $0.points.flatMap { [$0.range.lowerBound, $0.range.upperBound] }
    }
    let values = (measured + [forecast.limit].compactMap(\.self)).filter { $0 > 0 && $0.isFinite }
    scale = ValueScale(fitting: values.min() ?? 1, values.max() ?? 10, kind: .logarithmic)
  }

  private var theme: Theme { state.appearance.theme }

  func draw(on grid: inout CellGrid, in rect: Rect) {
    guard rect.rows >= 5, rect.columns >= 24 else { return }
    let name = panel.title.isEmpty ? "" : ", \(panel.title)"
    SweepFrame(title: "\(forecast.metric)\(name)", figure: figure).draw(
      on: &grid, in: rect, state)
    let plot = rect.inset(columns: 2, rows: 1).droppingLeft(6).droppingRight(7).droppingBottom(1)
    guard plot.rows >= 2, plot.columns >= 8 else { return }
    scale.drawLabels(on: &grid, leftOf: plot, style: theme.style(.faint))
    drawSizes(on: &grid, plot)
    drawLimit(on: &grid, plot)
    var canvas = BrailleCanvas(columns: plot.columns, rows: plot.rows)
    for curve in panel.curves { drawFit(curve, on: &canvas) }
    canvas.draw(into: &grid, at: plot.origin, symbols: state.appearance.symbols)
    for curve in panel.curves { drawPoints(curve, on: &grid, plot) }
    drawNames(on: &grid, plot)
  }

  /// The smallest size at which a rate breaks.
  private var figure: Line {
    let broken = panel.curves.filter { $0.limitParameters != nil }.min {
      ($0.limitParameters ?? .infinity) < ($1.limitParameters ?? .infinity)
    }
    guard let broken, let size = broken.limitParameters, let limit = forecast.limit else {
      return Line([])
    }
    let words =
      "\(SweepPanel.rateText(broken.rate)) passes \(NumberText.level(limit)) at"
      + " \(NumberText.compact(size, digits: 2))"
    return Line([Span(words, .trouble)])
  }

  private func role(_ rate: Double) -> Role {
    Self.roles[(rates.firstIndex(of: rate) ?? 0) % Self.roles.count]
  }

  /// The dot column of a size.
  private func dot(of size: Double, _ dots: Int) -> Int {
    let share = log(size / sizes.lowerBound) / log(sizes.upperBound / sizes.lowerBound)
    return Int((min(max(share, -1), 2) * Double(dots - 1)).rounded())
  }

  private func drawFit(_ curve: ShownForecast.Curve, on canvas: inout BrailleCanvas) {
    let pen = BrailleCanvas.Pen(style: theme.style(role(curve.rate)), layer: 1)
    let faint = BrailleCanvas.Pen(style: theme.style(.track), layer: 0)
    for point in curve.points where point.range.upperBound > point.range.lowerBound {
      canvas.span(
        x: dot(of: point.parameters, canvas.dotColumns),
        from: scale.dotRow(of: point.range.upperBound, dotRows: canvas.dotRows),
        to: scale.dotRow(of: point.range.lowerBound, dotRows: canvas.dotRows), pen: faint)
    }
    var last: (x: Int, y: Int)?
    for point in curve.fit {
      let x = dot(of: point.parameters, canvas.dotColumns)
      let y = scale.dotRow(of: point.value, dotRows: canvas.dotRows)
      let isInside = (0..<canvas.dotRows).contains(y)
      if let last, isInside { canvas.line(from: last, to: (x, y), pen: pen) }
      last = isInside ? (x, y) : nil
    }
  }

  private func drawPoints(_ curve: ShownForecast.Curve, on grid: inout CellGrid, _ plot: Rect) {
    func mark(_ size: Double, _ value: Double, _ sign: Unicode.Scalar) {
      let column = dot(of: size, plot.columns * 2) / 2
      let row = scale.dotRow(of: value, dotRows: plot.rows * 4) / 4
      guard (0..<plot.rows).contains(row), (0..<plot.columns).contains(column) else { return }
      grid[plot.column + column, plot.row + row] = Cell(sign, style: theme.style(role(curve.rate)))
    }
    for point in curve.points { mark(point.parameters, point.value, "•") }
    if let size = curve.limitParameters, let limit = forecast.limit { mark(size, limit, "▲") }
  }

  private func drawLimit(on grid: inout CellGrid, _ plot: Rect) {
    guard let limit = forecast.limit else { return }
    let row = scale.dotRow(of: limit, dotRows: plot.rows * 4) / 4
    guard (0..<plot.rows).contains(row) else { return }
    for column in stride(from: 0, to: plot.columns, by: 2) {
      grid[plot.column + column, plot.row + row] = Cell("╌", style: theme.style(.trouble))
    }
  }

  private func drawSizes(on grid: inout CellGrid, _ plot: Rect) {
    var end = plot.column - 4
    var size = pow(10, log10(sizes.lowerBound).rounded(.up))
    while size <= sizes.upperBound * 1.001 {
      let label = NumberText.compact(size, digits: 1)
      let start = plot.column + dot(of: size, plot.columns * 2) / 2 - label.count / 2
      if start > end {
        end =
          start
          + grid.write(
            label, at: Point(column: start, row: plot.endRow), style: theme.style(.faint))
      }
      size *= 10
    }
  }

  /// Beside the fits' ends; what would meet is pushed down.
  private func drawNames(on grid: inout CellGrid, _ plot: Rect) {
    let ends = panel.curves.compactMap { curve -> (row: Int, rate: Double)? in
      guard let last = curve.fit.last?.value ?? curve.points.last?.value else { return nil }
      let row = scale.dotRow(of: last, dotRows: plot.rows * 4) / 4
      return (min(max(row, 0), plot.rows - 1), curve.rate)
    }.sorted { $0.row < $1.row }
    for (end, row) in zip(ends, SweepLayout.apart(ends.map(\.row), rows: plot.rows))
    where row >= 0 {
      grid.write(
        SweepPanel.rateText(end.rate), at: Point(column: plot.endColumn + 1, row: plot.row + row),
        style: theme.style(role(end.rate)), maxColumns: 6)
    }
  }
}

extension ShownForecast {
  private static let leastColumns = 44

  /// The charts side by side, as many as have room.
  func draw(on grid: inout CellGrid, in rect: Rect, _ state: SweepState) {
    let count = max(1, min(panels.count, rect.columns / Self.leastColumns))
    for (panel, place) in zip(panels, rect.sideBySide(count)) {
      ForecastChart(panel, of: self, state).draw(on: &grid, in: place)
    }
  }
}

/// A forecast as a picture: the charts with the table below them.
package func view(
  _ forecast: ShownForecast, name: String, size: Size, appearance: Appearance
) -> CellGrid {
  let state = SweepState(name: name, size: size, appearance: appearance)
  let theme = appearance.theme
  var grid = CellGrid(size: size, style: theme.style(.background))
  let room = grid.bounds
  let rows = max(0, min(forecast.lines.count + 1, room.rows / 2))
  forecast.draw(on: &grid, in: room.droppingBottom(rows), state)
  for (index, line) in forecast.lines.enumerated() where index < rows - 1 {
    grid.write(
      line, at: Point(column: 2, row: room.endRow - rows + 1 + index),
      style: theme.style(index == 0 ? .title : .text), maxColumns: max(0, room.columns - 4))
  }
  grid.adapt(to: appearance.symbols)
  return grid
}
