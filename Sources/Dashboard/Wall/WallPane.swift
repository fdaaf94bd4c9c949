import Screen
import Signals
import Telemetry

/// Every metric as a small chart, families as fields, as many as have room and the rest on further
/// pages.
enum WallPane {
  static let pane = Pane(
    id: .wall, title: "wall", minimumRows: 3, weight: 2,
    explanation: """
      Every metric of the run as a small chart with its value at the cursor or at present; metrics \
      whose names differ in layer, expert, tensor or another number are one field, index by time in \
      colour, with the largest member named. The arrows choose a chart, enter shows it alone, * puts \
      it at the head, S orders by group, name, movement or trouble, ( and ) show fewer or more side \
      by side, / and a part of a name leaves the others out, page down goes on.
      """,
    headline: { context in
      let tiles = tiles(context).tiles
      let all = context.history.names.count
      let isFiltered = context.filter.map { !$0.isEmpty } ?? false
      return [Span(isFiltered ? "\(tiles.count) of \(all)" : "\(all) in \(tiles.count)", .faint)]
    },
    draw: { grid, rect, context in
      draw(&grid, rect, layout(in: rect, isBare: false, context), context)
    },
    bare: { grid, rect, context in
      let layout = layout(in: rect, isBare: true, context)
      guard hasCaption(rect) else { return draw(&grid, rect, layout, context) }
      WallCaption(page: page(of: layout, context), layout.pageCount, context)
        .draw(into: &grid, rect.top(1))
      draw(&grid, rect.droppingTop(1), layout, context, isBoxed: true)
    })

  /// Lower than this a wall without a border has no line above its charts, and these no boxes.
  private static func hasCaption(_ rect: Rect) -> Bool { rect.rows >= 14 }

  /// The charts in their order; a pane that is drawn by itself knows the usual one.
  static func tiles(_ context: PaneContext) -> (tiles: [WallTile], headCount: Int) {
    guard context.wall.tiles.isEmpty else { return (context.wall.tiles, context.wall.headCount) }
    return Wall.arranged(
      context.history, filter: context.filter, order: context.wall.order,
      playhead: context.playhead)
  }

  /// Where the charts stand in a rectangle with or without a border around it.
  static func layout(in rect: Rect, isBare: Bool, _ context: PaneContext) -> WallLayout {
    let (area, style) = room(in: rect, isBare: isBare, context)
    guard context.wall.tiles.isEmpty else { return context.wall.layout(in: area, style) }
    let (tiles, headCount) = tiles(context)
    return WallLayout(tiles, headCount: headCount, in: area, style)
  }

  /// The room that the charts have there, and how they stand in it.
  static func room(
    in rect: Rect, isBare: Bool, _ context: PaneContext
  ) -> (area: Rect, style: WallLayout.Style) {
    let isBoxed = isBare && hasCaption(rect)
    let isGrouped = context.wall.order == .group && context.filter?.isEmpty ?? true
    let style = WallLayout.Style(
      isBoxed: isBoxed, isGrouped: isBoxed && isGrouped, columns: context.wall.columns)
    return (isBoxed ? rect.droppingTop(1) : rect, style)
  }

  /// The place of the chosen chart among all.
  static func chosen(_ context: PaneContext) -> Int {
    let title = context.wall.selected
    return title.flatMap { title in tiles(context).tiles.firstIndex { $0.title == title } } ?? 0
  }

  /// The page that is shown: the chosen chart's while keys are for the wall.
  static func page(of layout: WallLayout, _ context: PaneContext) -> Int {
    guard context.isFocused else { return min(context.wall.page, max(0, layout.pageCount - 1)) }
    return layout.slot(of: chosen(context))?.page ?? 0
  }

  private static func draw(
    _ grid: inout CellGrid, _ rect: Rect, _ layout: WallLayout, _ context: PaneContext,
    isBoxed: Bool = false
  ) {
    let (tiles, headCount) = tiles(context)
    guard !tiles.isEmpty, !rect.isEmpty else {
      let filter = context.filter ?? ""
      let text = filter.isEmpty ? "no metrics yet" : "no metric's name holds '\(filter)'"
      return context.drawWaiting(into: &grid, rect, text)
    }
    let marks = context.marks(on: .wall)
    if let title = context.wall.zoomed, let zoomed = tiles.first(where: { $0.title == title }) {
      return TileChart(zoomed, marks: marks, context, isChosen: true)
        .drawAlone(into: &grid, rect)
    }
    let page = page(of: layout, context)
    for heading in layout.headings where heading.page == page {
      draw(heading, tiles[heading.tile...], into: &grid, context)
    }
    let chosen = context.isFocused ? chosen(context) : nil
    for slot in layout.slots(on: page) {
      let chart = TileChart(
        tiles[slot.tile], marks: marks, context, isInGroup: layout.isUnderHeading(slot.tile),
        isChosen: slot.tile == chosen, isHead: slot.tile < headCount)
      grid.clipped(to: slot.rect) { chart.draw(into: &$0, slot.rect, isBoxed: isBoxed) }
    }
  }

  /// Draws the chart at a place of the screen alone, for what is to be found in it.
  static func draw(
    _ tile: Int, into grid: inout CellGrid, _ rect: Rect, isBoxed: Bool, _ context: PaneContext
  ) {
    let chart = TileChart(tiles(context).tiles[tile], marks: [], context)
    chart.draw(into: &grid, rect, isBoxed: isBoxed)
  }

  /// `train/ 7 ──────`
  private static func draw(
    _ heading: WallLayout.Heading, _ tiles: ArraySlice<WallTile>, into grid: inout CellGrid,
    _ context: PaneContext
  ) {
    let group = tiles.first?.group ?? ""
    let members = tiles.prefix { $0.group == group }
    let name = group.isEmpty ? "metrics" : group
    let count =
      group == Wall.familyGroup
      ? " \(members.count), \(members.reduce(0) { $0 + $1.metrics.count }) members"
      : " \(members.count)"
    let line = Line([Span(name, .title), Span(count, .faint)]).fitted(to: heading.rect.columns - 4)
    guard line.columns > 0 else { return }
    let end = line.draw(
      on: &grid, at: heading.rect.origin.offset(columns: 1), theme: context.theme)
    let symbol = context.symbols.horizontal
    for column in end + 1..<max(end + 1, heading.rect.endColumn - 1) {
      grid[column, heading.rect.row] = Cell(symbol, style: context.style(.border))
    }
  }
}

extension WallLayout {
  /// Whether the name of its group stands above it, so that its title can do without.
  func isUnderHeading(_ tile: Int) -> Bool { headings.first.map { $0.tile <= tile } ?? false }
}

extension PaneID {
  package static let wall = PaneID("wall")
}

/// The line above a wall that has the whole screen: how much there is, the keys, the page.
struct WallCaption {
  private let page: Int
  private let pageCount: Int
  private let context: PaneContext

  init(page: Int, _ pageCount: Int, _ context: PaneContext) {
    (self.page, self.pageCount, self.context) = (page, pageCount, context)
  }

  func draw(into grid: inout CellGrid, _ row: Rect) {
    let right = right
    Line(left).fitted(to: row.columns - 2 - right.columns - 2).draw(
      on: &grid, at: row.origin.offset(columns: 1), theme: context.theme)
    guard right.columns + 2 <= row.columns else { return }
    right.draw(
      on: &grid, at: Point(column: row.endColumn - 1 - right.columns, row: row.row),
      theme: context.theme)
  }

  private var left: [Span] {
    let wall = context.wall
    let tiles = WallPane.tiles(context).tiles
    var spans = [Span("wall", .title)]
    if let zoomed = wall.zoomed {
      spans += [Span("  \(zoomed)   ", .faint), Span("esc", .key), Span(" all charts", .faint)]
      return spans
    }
    let names = context.history.names.count
    let isFiltered = context.filter.map { !$0.isEmpty } ?? false
    let hidden = names - Wall.charted(in: context.history).count
    let count =
      isFiltered
      ? "  \(tiles.count) of \(NumberText.grouped(names)) metrics"
      : "  \(Self.counted(names, "metric")) · \(Self.counted(tiles.count, "chart"))"
        + (hidden > 0 ? " · \(NumberText.grouped(hidden)) hidden by the run" : "")
    spans.append(Span(count, .faint))
    if let filter = context.filter, isFiltered { spans.append(Span("  /\(filter)", .person)) }
    let keys = [("S", wall.order.words), ("/", "filter"), ("*", "head"), ("( )", "columns")]
    return spans + keys.flatMap { [Span("   \($0.0)", .key), Span(" \($0.1)", .faint)] }
  }

  private static func counted(_ count: Int, _ noun: String) -> String {
    "\(NumberText.grouped(count)) \(noun)\(count == 1 ? "" : "s")"
  }

  private var right: Line {
    guard context.wall.zoomed == nil, pageCount > 1 else { return Line([]) }
    let hasMore = page + 1 < pageCount
    return Line([
      Span(hasMore ? "PgDn ▾ " : "PgUp ▴ ", .key), Span("\(page + 1) of \(pageCount)", .text),
    ])
  }
}
