import Foundation
import Screen
import Signals

/// The cells as a field: a row a group, a column a rate and seed, coloured by the loss.
struct SweepField {
  /// By row and column; nil where there is no such cell.
  let places: [[Int?]]
  private let state: SweepState
  private let rect: Rect
  private let rates: [Double]
  private let seeds: [String]

  private static let labelColumns = 22

  init(_ state: SweepState, in rect: Rect) {
    (self.state, self.rect) = (state, rect)
    rates = state.rates
    seeds = state.seeds
    let rateIndex = Dictionary(uniqueKeysWithValues: rates.enumerated().map { ($1, $0) })
    let seedIndex = Dictionary(uniqueKeysWithValues: seeds.enumerated().map { ($1, $0) })
    let columns = rates.count * seeds.count
    var places = [[Int?]](
      repeating: [Int?](repeating: nil, count: columns), count: state.groups.count)
    for (place, cell) in state.cells.enumerated() {
      let column = (rateIndex[cell.rate] ?? 0) * seeds.count + (seedIndex[cell.seed] ?? 0)
      if places.indices.contains(cell.group) { places[cell.group][column] = place }
    }
    self.places = places
  }

  /// How wide a cell is, with what parts it from the next one and from the next rate.
  private struct Measure {
    let cell: Int
    let gap: Int
    let rateGap: Int

    func rateColumns(_ seeds: Int) -> Int { seeds * (cell + gap) - gap + rateGap }
  }

  private static let measures = [
    Measure(cell: 4, gap: 1, rateGap: 3), Measure(cell: 4, gap: 1, rateGap: 2),
    Measure(cell: 4, gap: 0, rateGap: 1), Measure(cell: 2, gap: 0, rateGap: 1),
    Measure(cell: 1, gap: 0, rateGap: 1),
  ]

  private var theme: Theme { state.appearance.theme }
  private var inside: Rect { rect.inset(columns: 2, rows: 1).droppingBottom(1) }
  private var label: Int { min(Self.labelColumns, max(0, inside.columns / 3)) }

  /// The largest cells for which all rates have room, or the smallest ones.
  private var measure: Measure {
    let room = inside.columns - label - 1
    let isColoured = CellSpots(state).isColoured
    // Numbers side by side are told apart by their colours alone.
    let measures = Self.measures.filter { isColoured || $0.cell < 4 || $0.gap > 0 }
    return measures.first { rates.count * $0.rateColumns(seeds.count) - $0.rateGap <= room }
      ?? Self.measures[Self.measures.count - 1]
  }

  /// The first rate and row that are shown, so that the chosen cell is among them.
  private func first(_ measure: Measure) -> (rate: Int, row: Int) {
    let (row, column) = position(of: state.chosen) ?? (0, 0)
    let fitting = max(
      1,
      (inside.columns - label - 1 + measure.rateGap)
        / max(1, measure.rateColumns(seeds.count)))
    let rate = seeds.isEmpty ? 0 : column / seeds.count
    let rows = max(1, inside.rows)
    return (
      max(0, min(rate - fitting / 2, rates.count - fitting)),
      max(0, min(row - rows / 2, state.groups.count - rows))
    )
  }

  private func position(of place: Int) -> (row: Int, column: Int)? {
    for (row, columns) in places.enumerated() {
      if let column = columns.firstIndex(of: place) { return (row, column) }
    }
    return nil
  }

  /// The next cell there is in a direction.
  func neighbour(of place: Int, columns: Int, rows: Int) -> Int? {
    guard var (row, column) = position(of: place) else { return nil }
    while true {
      row += rows
      column += columns
      guard places.indices.contains(row), places[row].indices.contains(column) else { return nil }
      if let found = places[row][column] { return found }
    }
  }

  private func rectOfCell(row: Int, column: Int, _ measure: Measure) -> Rect {
    let first = first(measure)
    let rate = column / max(1, seeds.count) - first.rate
    let seed = column % max(1, seeds.count)
    let start =
      inside.column + label + 1 + rate * measure.rateColumns(seeds.count)
      + seed * (measure.cell + measure.gap)
    guard rate >= 0, row >= first.row, start + measure.cell <= inside.endColumn else {
      return .empty
    }
    return Rect(
      column: start, row: inside.row + row - first.row, columns: measure.cell, rows: 1
    ).intersection(inside)
  }

  func cell(at point: Point) -> Int? {
    let measure = measure
    for (row, columns) in places.enumerated() {
      for (column, place) in columns.enumerated() where place != nil {
        if rectOfCell(row: row, column: column, measure).contains(point) { return place }
      }
    }
    return nil
  }

  func draw(on grid: inout CellGrid) {
    guard rect.rows >= 3, rect.columns >= 20 else { return }
    SweepFrame(title: "cells", figure: counts).draw(on: &grid, in: rect, state)
    let measure = measure
    let first = first(measure)
    let spots = CellSpots(state)
    for (row, group) in state.groups.enumerated() where row >= first.row {
      guard inside.row + row - first.row < inside.endRow else { break }
      drawLabel(group, on: &grid, row: inside.row + row - first.row)
    }
    for (row, columns) in places.enumerated() {
      for (column, place) in columns.enumerated() {
        let spot = rectOfCell(row: row, column: column, measure)
        guard let place, !spot.isEmpty else { continue }
        spots.draw(state.cells[place], isChosen: place == state.chosen, on: &grid, in: spot)
      }
    }
    drawRates(on: &grid, measure, first.rate)
  }

  private var counts: Line {
    let parts: [(ShownCell.State, String, Role)] = [
      (.finished, "done", .good), (.diverged, "diverged", .trouble), (.failed, "failed", .trouble),
      (.stopped, "ended", .warning), (.running, "running", .loss), (.waiting, "waiting", .faint),
    ]
    var spans: [Span] = []
    for (kind, word, role) in parts {
      let count = state.count(kind)
      guard count > 0 else { continue }
      if !spans.isEmpty { spans.append(Span(" · ", .faint)) }
      spans.append(Span("\(count) \(word)", role))
    }
    return Line(spans)
  }

  private func drawLabel(_ group: ShownGroup, on grid: inout CellGrid, row: Int) {
    let size = SweepPanel.sizeName(group, in: state)
    let room = label - TextWidth.columns(of: size) - 1
    if room > 2 {
      grid.write(
        TextWidth.truncated(group.mitigation, to: room), at: Point(column: inside.column, row: row),
        style: theme.style(.faint))
    }
    grid.writeRight(
      size, endColumn: inside.column + label, row: row, style: theme.style(.text),
      maxColumns: label)
  }

  private func drawRates(on grid: inout CellGrid, _ measure: Measure, _ first: Int) {
    let row = inside.endRow
    var end = inside.column + label
    for (index, rate) in rates.enumerated().dropFirst(first) {
      let text = SweepPanel.rateText(rate)
      let width = measure.rateColumns(seeds.count) - measure.rateGap
      let start = inside.column + label + 1 + (index - first) * measure.rateColumns(seeds.count)
      let column = start + max(0, (width - text.count) / 2)
      guard column > end, column + text.count <= inside.endColumn else { continue }
      end =
        column
        + grid.write(
          text, at: Point(column: column, row: row), style: theme.style(.faint))
    }
  }
}
