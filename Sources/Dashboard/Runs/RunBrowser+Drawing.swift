package import Screen
import Signals
import Telemetry

/// Where the parts of the list of runs lie; those that have no room are empty.
struct BrowserLayout: Equatable {
  let header: Rect
  /// The border around the list and the chosen run's details; empty where there is none.
  let frame: Rect
  let columnNames: Rect
  let list: Rect
  /// The filter's line.
  let filter: Rect
  let details: Rect
  /// With its border.
  let chart: Rect
  let bottom: Rect

  static let leastChartRows = 10

  /// `lines` is how many the whole list would take.
  init(size: Size, lines: Int, isComparing: Bool) {
    let screen = Rect(size)
    header = screen.top(size.rows >= 4 ? 1 : 0)
    bottom = screen.bottom(size.rows >= 3 ? 1 : 0)
    let body = screen.droppingTop(header.rows).droppingBottom(bottom.rows)
    let isFramed = body.rows >= 9 && body.columns >= 44
    let margins = isFramed ? 2 : 0
    let names = body.rows >= 4 ? 1 : 0
    let details = isComparing || body.rows < 14 ? 0 : body.rows >= 30 ? 5 : 4
    let filter = body.rows >= 6 ? 1 : 0
    let fixed = margins + names + details + filter
    let chartRows: Int
    if isComparing {
      chartRows = max(0, body.rows - fixed - lines)
    } else {
      // A long list gives the chart its least only where the screen is tall.
      let spare = body.rows - fixed - max(lines, 5)
      let least = body.rows >= 28 ? Self.leastChartRows : 0
      chartRows = spare >= 7 ? max(spare, least) : least
    }
    chart = body.bottom(chartRows)
    let upper = body.droppingBottom(chart.rows)
    frame = isFramed ? upper : .empty
    let inside = isFramed ? upper.inset(columns: 2, rows: 1) : upper
    columnNames = inside.top(names)
    self.details = inside.bottom(details)
    self.filter = inside.droppingBottom(details).bottom(filter)
    list = inside.droppingTop(names).droppingBottom(details + filter)
  }

  /// The lowest row of a border, so that a passing word there covers no key.
  var lowestBorder: Rect { (chart.isEmpty ? frame : chart).bottom(1) }
}

extension RunBrowser {
  package func draw(on grid: inout CellGrid, _ state: DashboardState) -> Box? {
    let theme = state.appearance.theme
    grid.fill(grid.bounds, style: theme.style(.text))
    var box = Box(covering: grid.bounds)
    let runs = found(in: state)
    let table = RunTable(runs: isComparing ? compared(in: state) : runs, browser: self, state)
    let layout = BrowserLayout(
      size: grid.size, lines: isComparing ? table.runs.count : state.listedRuns?.count ?? 0,
      isComparing: isComparing)
    drawHeader(on: &grid, in: layout.header, state)
    drawFrame(on: &grid, in: layout.frame, state)
    table.drawNames(on: &grid, in: layout.columnNames)
    if table.runs.isEmpty {
      drawEmpty(on: &grid, in: layout.list, state)
    } else {
      table.draw(on: &grid, in: layout.list, &box, places: places(of: table.runs, among: runs))
    }
    drawFilter(on: &grid, in: layout.filter, found: runs.count { !$0.isLine }, state)
    if let chosen = chosen(in: state) {
      RunDetailLines(chosen, state).draw(on: &grid, in: layout.details)
      RunChart(runs: compared(in: state)).draw(on: &grid, in: layout.chart, state)
    }
    let border = layout.lowestBorder
    drawBottom(on: &grid, in: layout.bottom, below: !border.isEmpty, &box, state)
    if let toast = state.toast, !border.isEmpty {
      toast.draw(on: &grid, onBorder: border, style: theme.style(toast.role, .bold))
    }
    return box
  }

  /// The numbers of the shown runs in the whole list, for clicks.
  private func places(of shown: [ListedRun], among runs: [ListedRun]) -> [Int?] {
    guard isComparing else { return runs.indices.map { $0 } }
    return shown.map { run in runs.firstIndex { $0.path == run.path } }
  }

  private func drawHeader(on grid: inout CellGrid, in rect: Rect, _ state: DashboardState) {
    guard !rect.isEmpty else { return }
    let theme = state.appearance.theme
    grid.fill(rect, style: theme.style(.header))
    let runs = (state.listedRuns ?? []).filter { !$0.isLine }
    let live = runs.count(where: \.details.isLive)
    let count =
      state.listedRuns == nil
      ? "looking" : "\(NumberText.grouped(runs.count)) run\(runs.count == 1 ? "" : "s")"
    let right = Line([
      Span(count, .text), Span(live > 0 ? " · " : "", .faint),
      Span(live > 0 ? "\(live) live" : "", .good),
    ])
    let inside = rect.inset(columns: 1)
    var left = [Span("SEISMO", .key), Span("   runs", .title)]
    for (index, place) in state.runPlaces.enumerated() {
      left.append(Span("\(index == 0 ? "  " : " · ")\(place)", .faint))
    }
    Line(left).fitted(to: inside.columns - right.columns - 2)
      .draw(on: &grid, at: inside.origin, theme: theme, surface: .header)
    guard right.columns + 14 <= inside.columns else { return }
    right.draw(
      on: &grid, at: Point(column: inside.endColumn - right.columns, row: rect.row), theme: theme,
      surface: .header)
  }

  private func drawFrame(on grid: inout CellGrid, in rect: Rect, _ state: DashboardState) {
    guard !rect.isEmpty else { return }
    let theme = state.appearance.theme
    grid.drawBox(
      rect, symbols: state.appearance.symbols, style: theme.style(.borderFocused))
    grid.write(
      isComparing ? " compared " : " runs ", at: rect.origin.offset(columns: 2),
      style: theme.style(.title), maxColumns: rect.columns - 4)
    guard !isComparing else { return }
    grid.writeRight(
      " \(order.words) ", endColumn: rect.endColumn - 2, row: rect.row,
      style: theme.style(.loss), maxColumns: max(0, rect.columns - 14))
  }

  private func drawEmpty(on grid: inout CellGrid, in rect: Rect, _ state: DashboardState) {
    guard !rect.isEmpty else { return }
    let words =
      state.listedRuns == nil
      ? "looking for sessions"
      : filter.isEmpty
        ? "no session is recorded here: / and a path looks elsewhere" : "nothing found"
    grid.write(
      words.cutBetweenWords(to: rect.columns), at: rect.origin,
      style: state.appearance.theme.style(.faint))
  }

  /// What the list is filtered by, and how many of all that leaves.
  private func drawFilter(
    on grid: inout CellGrid, in rect: Rect, found: Int, _ state: DashboardState
  ) {
    guard !rect.isEmpty, !filter.isEmpty, !isComparing else { return }
    let theme = state.appearance.theme
    var words = Span("\(found) of \(state.listedRuns?.count { !$0.isLine } ?? 0)", .faint)
    do throws(RunFilter.Flaw) {
      _ = try RunFilter(filter)
    } catch {
      words = Span(error.description.cutBetweenWords(to: rect.columns * 2 / 3), .warning)
    }
    let room = max(0, rect.columns - TextWidth.columns(of: words.text) - 6)
    Line([
      Span("/ ", .key), Span(TextWidth.truncated(filter, to: room), .text), Span("   ", .text),
      words,
    ]).fitted(to: rect.columns).draw(on: &grid, at: rect.origin, theme: theme)
  }
}
