import Screen

/// A chart below another one, under a line that says what it draws.
struct TitledChart: Sendable {
  var title: [Span]
  var chart: LineChart

  /// The rows it needs at least: the title, four of the plot and the axis.
  private static let minimumRows = 6

  /// The rows that it and the chart above it need at least. A pane on the whole screen is looked at
  /// for its details.
  static func sharedRows(isZoomed: Bool) -> Int { isZoomed ? 11 : 13 }

  /// Draws `upper`, and where there is room `lower` below it: one step lies in one column of both, and
  /// the axis below serves both.
  static func draw(
    _ upper: LineChart, over lower: TitledChart?, into grid: inout CellGrid, _ rect: Rect,
    _ context: PaneContext
  ) {
    guard var lower, let rows = rows(sharing: rect.rows, isZoomed: context.isZoomed) else {
      return upper.draw(into: &grid, rect, context)
    }
    (lower.chart.steps, lower.chart.gutter) = (upper.steps, upper.gutter)
    var upper = upper
    upper.hasTimeAxis = false
    upper.draw(into: &grid, rect.droppingBottom(rows), context)
    var below = context
    below.valueZoom = .automatic
    lower.draw(into: &grid, rect.bottom(rows), below)
  }

  /// Of `rows` that two charts share, those that the lower one takes; nil where one has no room.
  private static func rows(sharing rows: Int, isZoomed: Bool) -> Int? {
    guard rows >= sharedRows(isZoomed: isZoomed) else { return nil }
    return max(minimumRows, rows * 2 / 5)
  }

  func draw(into grid: inout CellGrid, _ rect: Rect, _ context: PaneContext) {
    guard rect.rows >= 2 else { return }
    Line(title).fitted(to: rect.columns - chart.gutter).draw(
      on: &grid, at: rect.origin.offset(columns: chart.gutter), theme: context.theme)
    chart.draw(into: &grid, rect.droppingTop(1), context)
  }
}
