import Foundation
import Screen
import Signals

extension HeatMap {
  /// One row that says what the colours mean: `10 ━━━ 100 ━━━ 1e3 ━━━ 1e4`.
  func drawLegend(into grid: inout CellGrid, _ rect: Rect, _ context: PaneContext) {
    guard !rect.isEmpty else { return }
    guard context.theme.hasGradients, !context.symbols.isASCII else {
      guard let text = digitWords.first(where: { $0.count <= rect.columns }) else { return }
      grid.write(text, at: rect.origin, style: context.style(.faint))
      return
    }
    let names = floors.reduce(0) { $0 + $1.name.count + 6 }
    let few = [4, 3, 2].map(ticks).first { barColumns($0, in: rect.columns - names) >= 3 }
    let labels = few ?? ticks(4)
    let bar = barColumns(labels, in: rect.columns - (few == nil ? 0 : names))
    guard labels.count >= 2, bar >= 3 else { return }
    var place = rect.origin
    if few != nil { drawFloors(into: &grid, at: &place, context) }
    drawBars(between: labels, columns: bar, into: &grid, at: place, context)
  }

  private typealias Tick = (value: Double, text: String)

  private func ticks(_ limit: Int) -> [Tick] {
    scale.ticks(atMost: limit).map { ($0, scale.label($0)) }
  }

  /// How long a bar between two labels may be.
  private func barColumns(_ labels: [Tick], in columns: Int) -> Int {
    let words = labels.reduce(0) { $0 + $1.text.count + 2 }
    return min(10, (columns - words) / max(1, labels.count - 1))
  }

  private func drawFloors(
    into grid: inout CellGrid, at place: inout Point, _ context: PaneContext
  ) {
    for floor in floors {
      let color = context.style(floor.role).foreground
      for cell in 0..<2 { draw(color, into: &grid, at: place.offset(columns: cell), context) }
      let name = place.offset(columns: 3)
      place.column += 6 + grid.write(floor.name, at: name, style: context.style(.faint))
    }
  }

  private func drawBars(
    between labels: [Tick], columns: Int, into grid: inout CellGrid, at place: Point,
    _ context: PaneContext
  ) {
    var place = place
    for (index, label) in labels.enumerated() {
      place.column += grid.write(label.text, at: place, style: context.style(.faint))
      guard index + 1 < labels.count else { break }
      let (from, to) = (scale.share(of: label.value), scale.share(of: labels[index + 1].value))
      for cell in 0..<columns {
        let share = from + (to - from) * (Double(cell) + 0.5) / Double(columns)
        draw(
          gradient.color(at: share), into: &grid, at: place.offset(columns: cell + 1), context)
      }
      place.column += columns + 2
    }
  }

  private func draw(
    _ color: Color, into grid: inout CellGrid, at place: Point, _ context: PaneContext
  ) {
    var style = context.style(.heat)
    style.foreground = color
    grid[place.column, place.row] = Cell(context.symbols.gaugeFilled, style: style)
  }

  /// What digits stand for, the longest first.
  private var digitWords: [String] {
    guard scale.kind == .logarithmic else { return ["digits are tenths"] }
    let example = "4 is \(RoundNumber.exponentText(1e4 * origin))"
    let words = "digits are powers of ten: \(example)"
    let floor = floors.last.map { ["\(words), 0 is \($0.name)"] } ?? []
    return floor + [words, "powers of ten: \(example)", example]
  }
}
