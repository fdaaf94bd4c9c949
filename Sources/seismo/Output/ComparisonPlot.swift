import Screen
import Sessions
import Signals

/// Runs on one axis in plain text: braille lines, each named by a letter at its end.
struct ComparisonPlot {
  private static let size = Size(columns: 78, rows: 14)
  private static let axisWidth = 9
  /// Dots side by side.
  static let columns = 2 * (size.columns - axisWidth - 3)

  let chart: VectorChart

  /// Title, plot, axis, and what each letter stands for.
  var lines: [String] {
    let unit = chart.unit.isEmpty ? "" : ", \(chart.unit)"
    let scale = chart.scale
    let kind = scale.kind == .logarithmic ? ", logarithmic" : ""
    return ["\(chart.title)\(unit)\(kind)"] + plot(scale) + key
  }

  private static let letters = Array("abcdefghijklmnopqrstuvwxyz").map(String.init)

  private func letter(_ index: Int) -> String { Self.letters[index % Self.letters.count] }

  private var key: [String] {
    chart.lines.enumerated().map { "  \(letter($0)) \($1.label)" }
  }

  private func plot(_ scale: AxisScale) -> [String] {
    let (columns, rows) = (Self.size.columns - Self.axisWidth - 3, Self.size.rows)
    var grid = CellGrid(columns: Self.size.columns, rows: rows + 1)
    var canvas = BrailleCanvas(columns: columns, rows: rows)
    for line in chart.lines { draw(line, scale, on: &canvas) }
    for row in 0..<rows {
      grid.write("│", at: Point(column: Self.axisWidth, row: row), style: .plain)
    }
    canvas.draw(into: &grid, at: Point(column: Self.axisWidth + 1, row: 0))
    for tick in scale.ticks(about: 4) {
      let row = Int(((1 - scale.share(of: tick.value)) * Double(rows - 1)).rounded())
      let label = String(tick.label.suffix(Self.axisWidth - 1))
      let column = Self.axisWidth - 1 - label.count
      grid.write(label, at: Point(column: column, row: row), style: .plain)
      grid.write("┤", at: Point(column: Self.axisWidth, row: row), style: .plain)
    }
    writeLetters(scale, on: &grid)
    writeSteps(on: &grid, columns: columns)
    return grid.lines.map { line in String(line.reversed().drop { $0 == " " }.reversed()) }
  }

  private func draw(_ line: PlotLine, _ scale: AxisScale, on canvas: inout BrailleCanvas) {
    let pen = BrailleCanvas.Pen(style: .plain)
    let dots = line.points.map { place($0, scale, canvas) }
    if dots.count == 1 { canvas.set(dots[0].x, dots[0].y, pen: pen) }
    for (from, to) in zip(dots, dots.dropFirst()) { canvas.line(from: from, to: to, pen: pen) }
  }

  private func place(
    _ point: PlotLine.Point, _ scale: AxisScale, _ canvas: BrailleCanvas
  ) -> (x: Int, y: Int) {
    let span = max(1, chart.steps.upperBound - chart.steps.lowerBound)
    let share = Double(point.step - chart.steps.lowerBound) / Double(span)
    return (
      Int((share * Double(canvas.dotColumns - 1)).rounded()),
      Int(((1 - scale.share(of: point.value)) * Double(canvas.dotRows - 1)).rounded())
    )
  }

  /// A letter right of the plot at the height where each line ends; several of one height share a
  /// row as far as there is room, and move to the next row then.
  private func writeLetters(_ scale: AxisScale, on grid: inout CellGrid) {
    var taken = [Int](repeating: 0, count: Self.size.rows)
    for (index, line) in chart.lines.enumerated() {
      guard let last = line.points.last else { continue }
      let wanted = Int(
        ((1 - scale.share(of: last.value)) * Double(Self.size.rows - 1)).rounded())
      let nearest = taken.indices.filter { taken[$0] < 2 }.min { one, other in
        (abs(one - wanted), one) < (abs(other - wanted), other)
      }
      guard let row = nearest else { continue }
      let column = Self.size.columns - 2 + taken[row]
      grid.write(letter(index), at: Point(column: column, row: row), style: .plain)
      taken[row] += 1
    }
  }

  private func writeSteps(on grid: inout CellGrid, columns: Int) {
    let row = Self.size.rows
    let first = NumberText.grouped(chart.steps.lowerBound)
    let last = NumberText.grouped(chart.steps.upperBound)
    grid.write(
      "└" + String(repeating: "─", count: columns), at: Point(column: Self.axisWidth, row: row),
      style: .plain)
    grid.write(" step \(first) ", at: Point(column: Self.axisWidth + 1, row: row), style: .plain)
    let end = Self.axisWidth + 1 + columns - last.count - 1
    grid.write(" \(last)", at: Point(column: end, row: row), style: .plain)
  }
}
