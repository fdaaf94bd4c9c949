import Screen
import Signals

/// The runs as lines of a table, with as many columns as there is room for.
struct RunTable {
  enum Line: Equatable {
    /// The number of a run.
    case run(Int)
    /// A line that the run went back from, by its number.
    case abandoned(Int, Int)
    /// So many older ones of the run are left out.
    case older(Int, Int)
  }

  let runs: [ListedRun]
  let lines: [Line]
  private let browser: RunBrowser
  private let state: DashboardState

  private static let mostAbandoned = 3

  init(runs: [ListedRun], browser: RunBrowser, _ state: DashboardState) {
    self.runs = runs
    self.browser = browser
    self.state = state
    lines = runs.indices.flatMap { index in
      let count = runs[index].details.abandoned.count
      let shown = (max(0, count - Self.mostAbandoned)..<count).reversed()
      let older = count > Self.mostAbandoned ? [Line.older(index, count - Self.mostAbandoned)] : []
      return [Line.run(index)] + shown.map { Line.abandoned(index, $0) } + older
    }
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
    let chosenLine = lines.firstIndex(of: .run(chosen)) ?? 0
    let shown = ListCursor(index: chosenLine).visible(count: lines.count, rows: rect.rows)
    let columns = RunColumn.places(in: rect, of: runs, home: state.runPlaces.first)
    for (row, line) in zip(rect.row..<rect.endRow, lines[shown]) {
      let strip = Rect(column: rect.column, row: row, columns: rect.columns, rows: 1)
      switch line {
      case .run(let index):
        if let place = places[index] { box.note(place, in: strip) }
        draw(runs[index], on: &grid, in: strip, columns, isChosen: index == chosen)
      case .abandoned(let index, let number):
        drawAbandoned(runs[index], number, on: &grid, in: strip, columns)
      case .older(let index, let count):
        let name = columns.first { $0.column == .name }?.rect.column ?? rect.column
        grid.write(
          "  and \(count) older line\(count == 1 ? "" : "s")",
          at: Point(column: name, row: row), style: theme.style(.track))
        if let place = places[index] { box.note(place, in: strip) }
      }
    }
    guard shown.count < lines.count else { return }
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
          on: &grid, in: rect, style: theme.style(.loss, on: surface),
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

  /// The steps that the width of a line stands for: a run that goes on has some of it before it.
  private func course(of run: ListedRun) -> Int {
    let done = max(run.steps, (run.details.loss.steps.last ?? 0) + 1)
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

  private func drawAbandoned(
    _ run: ListedRun, _ number: Int, on grid: inout CellGrid, in strip: Rect,
    _ columns: [RunColumn.Place]
  ) {
    let line = run.details.abandoned[number]
    let style = theme.style(.track)
    for place in columns {
      let rect = Rect(
        column: place.rect.column, row: strip.row, columns: place.rect.columns, rows: 1)
      switch place.column {
      case .name:
        let words = run.details.lineName(number)
        grid.write(TextWidth.truncated(words, to: rect.columns), at: rect.origin, style: style)
      case .course:
        Sparkline(curve: line.loss, steps: max(course(of: run), line.steps)).draw(
          on: &grid, in: rect, style: style, trouble: style, symbols: state.appearance.symbols)
      case .sign, .rate, .happened: break
      case .heldOut, .best, .bestStep, .steps:
        grid.writeRight(
          place.column.text(of: line), endColumn: rect.endColumn, row: rect.row, style: style,
          maxColumns: rect.columns)
      }
    }
  }
}
