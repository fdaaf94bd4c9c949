import Foundation
import Screen
import Signals

/// Rows of series over time as colour, finer than a cell: two columns of steps in each where a row
/// has cells of its own, two rows in each where it has not.
struct HeatMap: Sendable {
  struct Row: Sendable {
    var name: String
    var series: Series
    /// The present value, in words.
    var text: String
    var role: Role = .text
  }

  var rows: [Row]
  /// From a value to a share of the colour scale.
  var scale: ValueScale
  var gradient: Gradient
  /// Values above this are trouble whatever the colours can show.
  var limit: Double
  /// The columns for names and numbers beside the field.
  var gutter: Int

  func draw(into grid: inout CellGrid, _ rect: Rect, _ context: PaneContext) {
    guard !rect.isEmpty, !rows.isEmpty else { return }
    let field = rect.droppingLeft(gutter)
    let time = TimeScale(context, columns: field.columns)
    let isTall = rows.count <= rect.rows
    let perRow = isTall ? rect.rows / rows.count : 1
    if isTall {
      for (index, row) in rows.enumerated() {
        let line = Rect(
          column: field.column, row: field.row + index * perRow, columns: field.columns,
          rows: perRow)
        drawPairs(values(row.series, time, context), into: &grid, line, context)
        drawNames([row], into: &grid, line, context)
      }
      return
    }
    let lines = rect.rows * 2
    let perLine = max(1, (rows.count + lines - 1) / lines)
    let groups = stride(from: 0, to: rows.count, by: perLine).map { start in
      Array(rows[start..<min(start + perLine, rows.count)])
    }
    for (index, pair) in stride(from: 0, to: groups.count, by: 2).enumerated() {
      let line = Rect(
        column: field.column, row: field.row + index, columns: field.columns, rows: 1)
      let upper = largest(groups[pair], time, context)
      let lower = pair + 1 < groups.count ? largest(groups[pair + 1], time, context) : nil
      drawHalves(upper, lower, into: &grid, line, context)
      let named = groups[pair] + (pair + 1 < groups.count ? groups[pair + 1] : [])
      drawNames(named, into: &grid, line, context)
    }
  }

  /// The largest value of each column of dots; what is not finite counts as infinite.
  private func values(
    _ series: Series, _ time: TimeScale, _ context: PaneContext
  ) -> [Double?] {
    let edges = time.edges.map { min($0, context.playhead + 1) }
    var last: Double?
    var result: [Double?] = series.columns(edges: edges).map {
      $0.isEmpty ? nil : ($0.nonFiniteCount > 0 ? .infinity : $0.maximum)
    }
    let end = edges.lastIndex { $0 <= context.playhead } ?? 0
    for index in result.indices where index <= end {
      last = result[index] ?? last
      result[index] = last
    }
    return result
  }

  private func largest(
    _ rows: [Row], _ time: TimeScale, _ context: PaneContext
  ) -> [Double?] {
    let all = rows.map { values($0.series, time, context) }
    return (0..<time.dotColumns).map { x in all.compactMap { $0[x] }.max() }
  }
}

extension HeatMap {
  private func color(_ value: Double) -> Color { gradient.color(at: scale.share(of: value)) }

  private func drawPairs(
    _ values: [Double?], into grid: inout CellGrid, _ rect: Rect, _ context: PaneContext
  ) {
    for column in 0..<rect.columns where column * 2 + 1 < values.count {
      let (left, right) = (values[column * 2], values[column * 2 + 1])
      guard let present = [left, right].compactMap(\.self).max() else { continue }
      for row in rect.row..<rect.endRow {
        grid[rect.column + column, row] =
          context.theme.hasGradients && !context.symbols.isASCII
          ? pair(left, right, "▌", context) : digit(present, context)
      }
    }
  }

  private func drawHalves(
    _ upper: [Double?], _ lower: [Double?]?, into grid: inout CellGrid, _ rect: Rect,
    _ context: PaneContext
  ) {
    for column in 0..<rect.columns where column * 2 + 1 < upper.count {
      func value(_ row: [Double?]?) -> Double? {
        row.flatMap { [$0[column * 2], $0[column * 2 + 1]].compactMap(\.self).max() }
      }
      let (top, bottom) = (value(upper), value(lower))
      guard let present = [top, bottom].compactMap(\.self).max() else { continue }
      grid[rect.column + column, rect.row] =
        context.theme.hasGradients && !context.symbols.isASCII
        ? pair(top, bottom, "▀", context) : digit(present, context)
    }
  }

  private func pair(
    _ first: Double?, _ second: Double?, _ half: Unicode.Scalar, _ context: PaneContext
  ) -> Cell {
    var style = context.style(.heat)
    if let second { style.background = color(second) }
    guard let first else { return Cell(half == "▌" ? "▐" : "▄", style: inverse(style, second)) }
    style.foreground = color(first)
    return Cell(half, style: style)
  }

  /// Only the second half is there: it is the one that is drawn.
  private func inverse(_ style: Style, _ second: Double?) -> Style {
    var style = style
    style.foreground = style.background
    style.background = .terminalDefault
    return style
  }

  /// The power of ten on a logarithmic scale, tenths on a linear one.
  private func digit(_ value: Double, _ context: PaneContext) -> Cell {
    guard value.isFinite else { return Cell("!", style: context.style(.trouble)) }
    let share = min(max(scale.share(of: value), 0), 1)
    let level = scale.kind == .logarithmic ? max(0, log10(value)) : share * 10
    let digit = UInt32(min(9, max(0, level.isFinite ? level + 1e-9 : 0)))
    let role: Role = value >= limit ? .trouble : (share >= 0.75 ? .warning : .faint)
    return Cell(scalar: 0x30 + digit, style: context.style(role))
  }

  private func drawNames(
    _ rows: [Row], into grid: inout CellGrid, _ line: Rect, _ context: PaneContext
  ) {
    guard gutter >= 4, let first = rows.first, let last = rows.last else { return }
    let start = Point(column: line.column - gutter, row: line.row)
    let name = rows.count == 1 ? first.name : "\(first.name)–\(last.name.dropFirst())"
    let used = grid.write(name, at: start, style: context.style(.faint), maxColumns: gutter - 1)
    let room = gutter - 2 - used
    guard rows.count == 1, TextWidth.columns(of: first.text) <= room else { return }
    grid.writeRight(
      first.text, endColumn: line.column - 1, row: line.row, style: context.style(first.role))
  }

  /// One row that says what the colours mean: `10 ━━━ 100 ━━━ 1e3 ━━━ 1e4`.
  func drawLegend(into grid: inout CellGrid, _ rect: Rect, _ context: PaneContext) {
    guard !rect.isEmpty else { return }
    guard context.theme.hasGradients, !context.symbols.isASCII else {
      let text =
        scale.kind == .logarithmic ? "digits are powers of ten: 4 is 1e4" : "digits are tenths"
      guard text.count <= rect.columns else { return }
      grid.write(text, at: rect.origin, style: context.style(.faint))
      return
    }
    let labels = scale.ticks(atMost: 4).map { (value: $0, text: scale.label($0)) }
    let words = labels.reduce(0) { $0 + $1.text.count + 2 }
    let bar = min(10, (rect.columns - words) / max(1, labels.count - 1))
    guard labels.count >= 2, bar >= 3 else { return }
    var column = rect.column
    for (index, label) in labels.enumerated() {
      column += grid.write(
        label.text, at: Point(column: column, row: rect.row), style: context.style(.faint))
      guard index + 1 < labels.count else { break }
      let (from, to) = (scale.share(of: label.value), scale.share(of: labels[index + 1].value))
      for cell in 0..<bar {
        var style = context.style(.heat)
        style.foreground = gradient.color(
          at: from + (to - from) * (Double(cell) + 0.5) / Double(bar))
        grid[column + 1 + cell, rect.row] = Cell(context.symbols.gaugeFilled, style: style)
      }
      column += bar + 2
    }
  }
}
