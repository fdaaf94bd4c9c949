import Screen
import Signals
import Telemetry

/// Every metric as a small chart, those of layers, experts and tensors as one each; with a filter
/// every metric whose name holds it by itself.
enum MetricsPane {
  static let pane = Pane(
    id: .metrics, title: "metrics", minimumRows: 3, weight: 2,
    explanation: """
      Every metric of the run as a small chart with its present value and unit, what matters most \
      on top; metrics that differ in layer, expert or tensor share one, with the smallest and the \
      largest of their values. Type / and a part of the name to see each by itself; the arrows \
      scroll.
      """,
    headline: { context in
      let count = shown(context).count
      let all = context.history.names.count
      let isFiltered = context.filter.map { !$0.isEmpty } ?? false
      return [Span(isFiltered ? "\(count) of \(all)" : "\(all) in \(tiles(context).count)", .faint)]
    }, draw: draw)

  private static let narrowest = 30
  private static let lowest = 4

  static func shown(_ context: PaneContext) -> [MetricName] {
    let filter = context.filter ?? ""
    let pattern = TextPattern(filter)
    return context.history.names.filter {
      (filter.isEmpty || pattern.matches($0.path)) && context.has($0)
    }
  }

  static func tiles(_ context: PaneContext) -> [MetricTile] {
    let names = shown(context)
    guard context.filter?.isEmpty ?? true else { return names.map { MetricTile($0) } }
    let all = MetricTile.folded(names)
    guard !context.drawnElsewhere.isEmpty else { return all }
    func isElsewhere(_ tile: MetricTile) -> Bool {
      tile.metrics.allSatisfy(context.drawnElsewhere.contains)
    }
    return all.filter { !isElsewhere($0) } + all.filter(isElsewhere)
  }

  /// How many charts stand side by side, how many rows of them there are, and how many have room.
  private struct Rows {
    let across: Int
    let wanted: Int
    let down: Int

    init(_ count: Int, in rect: Rect) {
      across = max(1, min(count, rect.columns / narrowest))
      wanted = (count + across - 1) / across
      down = max(1, min(wanted, rect.rows / lowest))
    }

    var scrollLimit: Int { max(0, wanted - down) }
  }

  /// By how many rows of charts the pane can be scrolled where it is drawn in `rect`.
  static func scrollLimit(in rect: Rect, _ context: PaneContext) -> Int {
    Rows(tiles(context).count, in: rect).scrollLimit
  }

  private static func draw(_ grid: inout CellGrid, _ rect: Rect, _ context: PaneContext) {
    let tiles = tiles(context)
    guard !tiles.isEmpty, !rect.isEmpty else {
      let filter = context.filter ?? ""
      let text = filter.isEmpty ? "no metrics yet" : "no metric's name holds '\(filter)'"
      return context.drawWaiting(into: &grid, rect, text)
    }
    let rows = Rows(tiles.count, in: rect)
    let height = rect.rows / rows.down
    let width = rect.columns / rows.across
    let first = min(context.scroll, rows.scrollLimit) * rows.across
    for (index, tile) in tiles.dropFirst(first).prefix(rows.across * rows.down).enumerated() {
      let place = Rect(
        column: rect.column + index % rows.across * width,
        row: rect.row + index / rows.across * height,
        columns: width - (rows.across > 1 ? 2 : 0), rows: height)
      tile.draw(into: &grid, place.intersection(rect), context)
    }
  }
}

extension PaneID {
  package static let metrics = PaneID("metrics")
}
