import Foundation
import Screen
import Signals

/// Sensitivity over size, a sign a group.
struct SensitivityPlot {
  private let state: SweepState

  init(_ state: SweepState) {
    self.state = state
  }

  private static let roles: [Role] = [
    .trouble, .good, .logits, .learningRate, .throughput, .person,
  ]

  func draw(on grid: inout CellGrid, in rect: Rect) {
    guard rect.rows >= 5, rect.columns >= 24 else { return }
    SweepFrame(title: "sensitivity", figure: Line([Span("over size", .learningRate)])).draw(
      on: &grid, in: rect, state)
    let known = state.groups.filter { $0.curve.points.count > 1 }
      .sorted { $0.parameters < $1.parameters }
    let plot = rect.inset(columns: 2, rows: 1).droppingLeft(6).droppingBottom(2).droppingRight(6)
    guard let low = known.first?.parameters, let high = known.last?.parameters, plot.rows >= 2,
      plot.columns >= 8
    else {
      grid.writeCentered(
        "two rates of a size give one", in: rect.inset(columns: 2, rows: 2).top(1),
        style: state.appearance.theme.style(.faint))
      return
    }
    let values = known.compactMap(\.curve.sensitivity)
    let scale = ValueScale(fitting: min(0, values.min() ?? 0), values.max() ?? 1)
    drawScale(scale, on: &grid, plot)
    let mitigations = Self.mitigations(of: known)
    drawSigns(known, mitigations, sizes: low...high, scale, on: &grid, plot)
    drawKey(
      mitigations, on: &grid,
      Rect(
        column: plot.column, row: plot.endRow + 1, columns: plot.columns, rows: 1))
  }

  private static func mitigations(of groups: [ShownGroup]) -> [String] {
    var seen: Set<String> = []
    return groups.map(\.mitigation).filter { seen.insert($0).inserted }
  }

  /// A sign a group, its value beside it and its size below.
  private func drawSigns(
    _ groups: [ShownGroup], _ mitigations: [String], sizes: ClosedRange<Int>,
    _ scale: ValueScale, on grid: inout CellGrid, _ plot: Rect
  ) {
    let theme = state.appearance.theme
    var placer = LabelPlacer(size: Size(columns: plot.columns + 6, rows: plot.rows))
    var sizesEnd = plot.column - 2
    for group in groups {
      guard let value = group.curve.sensitivity else { continue }
      let place = mitigations.firstIndex(of: group.mitigation) ?? 0
      let role = mitigations.count > 1 ? Self.roles[place % Self.roles.count] : .loss
      let column = Self.column(of: group.parameters, in: sizes, plot.columns)
      let row = scale.dotRow(of: value, dotRows: plot.rows * 4) / 4
      grid[plot.column + column, plot.row + row] = Cell("◆", style: theme.style(role))
      placer.take(column: column, row: row)
      let rows = [row, row + 1, row - 1].filter { (0..<plot.rows).contains($0) }
      let text = NumberText.compact(value, digits: 2)
      if let label = placer.place([text], beside: column, rows: rows) {
        grid.write(
          label.text, at: plot.origin.offset(columns: label.column, rows: label.row),
          style: theme.style(role))
      }
      drawSize(group.sizeLabel, middle: plot.column + column, after: &sizesEnd, on: &grid, plot)
    }
  }

  /// Evenly in log.
  private static func column(of size: Int, in sizes: ClosedRange<Int>, _ columns: Int) -> Int {
    let (low, high) = (Double(sizes.lowerBound), Double(sizes.upperBound))
    let share = high > low ? log(Double(size) / low) / log(high / low) : 0.5
    return Int((share * Double(columns - 1)).rounded())
  }

  /// Where it does not meet the one before, which ended at `end`.
  private func drawSize(
    _ label: String, middle: Int, after end: inout Int, on grid: inout CellGrid, _ plot: Rect
  ) {
    let start = middle - label.count / 2
    guard start > end else { return }
    end =
      start
      + grid.write(
        label, at: Point(column: start, row: plot.endRow),
        style: state.appearance.theme.style(.faint))
  }

  private func drawScale(_ scale: ValueScale, on grid: inout CellGrid, _ plot: Rect) {
    let ticks = scale.ticks(atMost: max(2, plot.rows / 2))
    for (tick, label) in zip(ticks, scale.labels(ticks)) {
      let row = scale.dotRow(of: tick, dotRows: plot.rows * 4) / 4
      guard (0..<plot.rows).contains(row) else { continue }
      grid.writeRight(
        label, endColumn: plot.column - 1, row: plot.row + row,
        style: state.appearance.theme.style(.faint), maxColumns: 5)
    }
  }

  private func drawKey(_ mitigations: [String], on grid: inout CellGrid, _ rect: Rect) {
    guard mitigations.count > 1 else { return }
    let spans = mitigations.enumerated().flatMap { index, name in
      [Span("◆ ", Self.roles[index % Self.roles.count]), Span(name + "  ", .faint)]
    }
    Line(spans).fitted(to: rect.columns).draw(
      on: &grid, at: rect.origin, theme: state.appearance.theme)
  }
}

/// The best rate of each group, the lowest loss first.
struct BestTable {
  private let state: SweepState

  init(_ state: SweepState) {
    self.state = state
  }

  func draw(on grid: inout CellGrid, in rect: Rect) {
    guard rect.rows >= 5, rect.columns >= 24 else { return }
    let ranked = state.groups.compactMap { group in group.curve.best.map { (group, $0) } }
      .sorted { $0.1.loss < $1.1.loss }
    SweepFrame(title: "best", figure: figure(ranked.first)).draw(on: &grid, in: rect, state)
    let inside = rect.inset(columns: 2, rows: 1)
    let widths = columns(inside.columns)
    let names = ["size", "mitigation", "best rate", "held-out", "spread"]
    write(names.map { ($0, .faint) }, widths, on: &grid, inside.origin)
    for (index, entry) in ranked.prefix(max(0, inside.rows - 1)).enumerated() {
      write(
        row(entry.0, entry.1), widths, on: &grid, inside.origin.offset(rows: index + 1))
    }
  }

  private func row(_ group: ShownGroup, _ best: RateCurve.Point) -> [(String, Role)] {
    [
      (SweepPanel.sizeName(group, in: state), .text), (group.mitigation, .text),
      (SweepPanel.rateText(best.rate), .learningRate),
      (NumberText.compact(best.loss, digits: 4), .loss),
      (best.seeds > 1 ? "±\(NumberText.compact(best.spread, digits: 2))" : "one seed", .faint),
    ]
  }

  private func write(
    _ texts: [(String, Role)], _ widths: [Int], on grid: inout CellGrid, _ origin: Point
  ) {
    var place = origin
    for ((text, role), width) in zip(texts, widths) where width > 0 {
      grid.write(
        TextWidth.truncated(text, to: width - 1), at: place,
        style: state.appearance.theme.style(role))
      place = place.offset(columns: width)
    }
  }

  /// What has no room is left out from the right; sizes and mitigations take what is left.
  private func columns(_ room: Int) -> [Int] {
    let hasMitigations = state.groups.contains { !$0.mitigation.isEmpty }
    let size = 10
    let tail = room >= 50 ? [11, 10, 9] : room >= 40 ? [11, 10, 0] : [10, 9, 0]
    let rest = room - size - tail.reduce(0, +)
    return [size, hasMitigations ? max(0, min(rest, 24)) : 0] + tail
  }

  private func figure(_ entry: (ShownGroup, RateCurve.Point)?) -> Line {
    guard let (group, best) = entry else { return Line([]) }
    let words = [
      SweepPanel.sizeName(group, in: state), SweepPanel.rateText(best.rate), group.mitigation,
    ].filter { !$0.isEmpty }
    return Line([
      Span(words.joined(separator: " · ") + " · ", .good),
      Span(NumberText.compact(best.loss, digits: 3), .good),
    ])
  }
}
