import Screen
import Signals

/// Rows of a name, a bar and a number, in as many columns as the room asks for.
struct GaugeTable: Sendable {
  struct Row: Sendable {
    var name: String
    /// How much of the bar is filled, 0 to 1; nil for a row without a bar.
    var share: Double?
    var text: String
    var role: Role?
  }

  var rows: [Row]
  /// The bars' role, and the numbers' where a row has none of its own.
  var role: Role

  private static let gap = 3

  /// The rows of cells that the table takes where all of it has room in `columns`.
  func height(columns: Int) -> Int {
    let perLine = min(rows.count, max(1, (columns + Self.gap) / (narrowest + Self.gap)))
    return perLine == 0 ? 0 : (rows.count + perLine - 1) / perLine
  }

  private var nameWidth: Int { rows.map { TextWidth.columns(of: $0.name) }.max() ?? 0 }
  private var textWidth: Int { rows.map { TextWidth.columns(of: $0.text) }.max() ?? 0 }
  private var narrowest: Int { nameWidth + textWidth + 8 }

  func draw(into grid: inout CellGrid, _ rect: Rect, _ context: PaneContext) {
    guard !rows.isEmpty, !rect.isEmpty else { return }
    let most = max(1, (rect.columns + Self.gap) / (narrowest + Self.gap))
    let perLine = min(most, (rows.count + rect.rows - 1) / rect.rows)
    let lines = (rows.count + perLine - 1) / perLine
    let width = (rect.columns + Self.gap) / perLine - Self.gap
    let spacing = lines > 0 && rect.rows >= lines * 2 && lines > 1 ? 2 : 1
    for (index, row) in rows.enumerated() {
      let line = Rect(
        column: rect.column + index % perLine * (width + Self.gap),
        row: rect.row + index / perLine * spacing, columns: width, rows: 1
      ).intersection(rect)
      draw(row, into: &grid, line, context)
    }
  }

  private func draw(
    _ row: Row, into grid: inout CellGrid, _ line: Rect, _ context: PaneContext
  ) {
    guard !line.isEmpty else { return }
    grid.write(
      TextWidth.truncated(row.name, to: line.columns), at: line.origin,
      style: context.style(.faint))
    let taken = nameWidth + 1
    guard line.columns > taken else { return }
    grid.writeRight(
      row.text, endColumn: line.endColumn, row: line.row,
      style: context.style(row.role ?? .text), maxColumns: line.columns - taken)
    let bar = line.droppingLeft(taken).droppingRight(textWidth + 1)
    guard let share = row.share, bar.columns >= 3 else { return }
    let known = share.isFinite ? min(max(share, 0), 1) : 0
    let filled = Int((known * Double(bar.columns)).rounded())
    grid.fill(bar, context.symbols.gaugeEmpty, style: context.style(.track))
    grid.fill(
      bar.left(filled), context.symbols.gaugeFilled, style: context.style(row.role ?? role))
  }
}
