import Screen
import Signals

/// The runs as lines of a table, with as many columns as there is room for.
struct RunTable {
  let runs: [ListedRun]
  private let browser: RunBrowser
  private let state: DashboardState

  init(runs: [ListedRun], browser: RunBrowser, _ state: DashboardState) {
    self.runs = runs
    self.browser = browser
    self.state = state
  }

  private var theme: Theme { state.appearance.theme }

  func drawNames(on grid: inout CellGrid, in rect: Rect) {
    for place in RunColumn.places(in: rect, of: runs, home: state.runPlaces.first)
    where place.column != .sign {
      let style = theme.style(.faint)
      if place.column.isNumeric {
        grid.writeRight(
          place.column.title(fitting: place.rect.columns), endColumn: place.rect.endColumn,
          row: rect.row, style: style,
          maxColumns: place.rect.columns)
      } else {
        grid.write(
          place.column.title(fitting: place.rect.columns), at: place.rect.origin, style: style,
          maxColumns: place.rect.columns)
      }
    }
  }

  /// `places` are the numbers that clicks on the runs are for.
  func draw(on grid: inout CellGrid, in rect: Rect, _ box: inout Box, places: [Int?]) {
    guard !rect.isEmpty, !runs.isEmpty else { return }
    let chosen = browser.index(in: runs)
    let shown = ListCursor(index: chosen).visible(count: runs.count, rows: rect.rows)
    let columns = RunColumn.places(in: rect, of: runs, home: state.runPlaces.first)
    for (row, index) in zip(rect.row..<rect.endRow, shown) {
      let strip = Rect(column: rect.column, row: row, columns: rect.columns, rows: 1)
      if let place = places[index] { box.note(place, in: strip) }
      draw(runs[index], on: &grid, in: strip, columns, isChosen: index == chosen)
    }
    guard shown.count < runs.count else { return }
    drawPlace(chosen, on: &grid, above: rect)
  }

  /// Which run of how many is chosen, at the right of the columns' names.
  private func drawPlace(_ chosen: Int, on grid: inout CellGrid, above rect: Rect) {
    guard rect.row > 1, rect.columns >= 40 else { return }
    let text = " \(chosen + 1) of \(runs.count) "
    let row = rect.row - 2
    guard row >= 1 else { return }
    grid.write(text, at: Point(column: rect.column + 8, row: row), style: theme.style(.faint))
  }

  private func draw(
    _ run: ListedRun, on grid: inout CellGrid, in strip: Rect, _ columns: [RunColumn.Place],
    isChosen: Bool
  ) {
    let surface: Role = isChosen ? .selection : .background
    grid.fill(strip, style: theme.style(.text, on: surface))
    for place in columns {
      let rect = Rect(
        column: place.rect.column, row: strip.row, columns: place.rect.columns, rows: 1)
      switch place.column {
      case .sign: drawSigns(of: run, on: &grid, in: rect, surface)
      case .course:
        Sparkline(curve: run.details.loss, steps: course(of: run)).draw(
          on: &grid, in: rect, style: theme.style(run.isLine ? .track : .loss, on: surface),
          trouble: theme.style(.trouble, on: surface), symbols: state.appearance.symbols)
      case .happened:
        run.details.happenings(fitting: rect.columns).draw(
          on: &grid, at: rect.origin, theme: theme, surface: surface)
      default:
        let span = place.column.span(of: run, home: state.runPlaces.first)
        let style = theme.style(span.role, on: surface)
        if place.column.isNumeric {
          grid.writeRight(
            span.text, endColumn: rect.endColumn, row: rect.row, style: style,
            maxColumns: rect.columns)
        } else {
          grid.write(
            TextWidth.truncated(span.text, to: rect.columns), at: rect.origin, style: style)
        }
      }
    }
  }

  /// The steps that the width of a course stands for: a run that goes on has some of it before it,
  /// and a line stands below its run step for step.
  private func course(of run: ListedRun) -> Int {
    let done = max(run.steps, (run.details.loss.steps.last ?? 0) + 1)
    if let line = run.details.line {
      return max(done, runs.first { $0.path == line.run }?.steps ?? 0)
    }
    return run.details.isLive ? max(done, run.details.totalSteps ?? 0) : done
  }

  private func drawSigns(
    of run: ListedRun, on grid: inout CellGrid, in rect: Rect, _ surface: Role
  ) {
    let overlay = state.overlays.first { $0.path == run.path }
    if browser.marked.contains(run.path) {
      grid.write("▪", at: rect.origin, style: theme.style(.key, on: surface))
    } else if let overlay {
      grid.write("━", at: rect.origin, style: theme.style(overlay.role, on: surface))
    }
    let sign = run.details.sign
    grid.write(
      sign.text, at: rect.origin.offset(columns: 1), style: theme.style(sign.role, on: surface))
  }
}
