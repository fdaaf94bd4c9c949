import Screen

/// Names at the right of a plot, each beside the end of its line; those that would meet move apart.
struct LineEnds: Sendable {
  private struct End: Sendable {
    var name: String
    var style: Style
    /// Where the line ends, as a row of the plot and beyond: to be divided by its height.
    var height: Double
  }

  /// From the top.
  private let ends: [End]

  init(
    _ lines: [ChartLine], columns: [[ChartLine.Column]], scale: ValueScale, _ context: PaneContext
  ) {
    // A thousandth of the plot is fine enough to tell which of two lines lies above.
    let fine = 1000
    ends = zip(lines, columns).compactMap { line, columns in
      guard let name = line.ending, let last = columns.last(where: { $0.low <= $0.high }) else {
        return nil
      }
      let value = (last.low + last.high) / 2
      let place = scale.dotRow(of: value, dotRows: fine)
      let style = line.style?(value) ?? context.style(line.role.isRaw ? .faint : line.role)
      return End(name: name, style: style, height: Double(place) / Double(fine))
    }.sorted { $0.height < $1.height }
  }

  /// The cells that the names take, with the one that parts them from the plot.
  static func columns(of lines: [ChartLine]) -> Int {
    let widest = lines.compactMap { $0.ending.map { TextWidth.columns(of: $0) } }.max()
    return widest.map { $0 + 1 } ?? 0
  }

  func draw(into grid: inout CellGrid, rightOf plot: Rect, within rect: Rect) {
    guard plot.endColumn < rect.endColumn, plot.rows >= ends.count else { return }
    var rows: [Int] = []
    for end in ends {
      let wanted = min(max(Int(end.height * Double(plot.rows)), 0), plot.rows - 1)
      rows.append(max(wanted, (rows.last ?? -1) + 1))
    }
    // What was pushed out at the bottom pushes back.
    var limit = plot.rows - 1
    for index in rows.indices.reversed() {
      rows[index] = min(rows[index], limit)
      limit = rows[index] - 1
    }
    for (end, row) in zip(ends, rows) {
      grid.write(
        end.name, at: Point(column: plot.endColumn + 1, row: plot.row + row),
        style: end.style, maxColumns: rect.endColumn - plot.endColumn - 1)
    }
  }
}
